// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// Sends each of many payees its value in one transaction. A payee that refuses does not stop the
/// others: its value goes back to the sender, and its event says so.
contract Multisend {
    /// What became of one payee.
    event Sent(uint256 indexed index, address indexed to, uint256 value, bool ok);

    /// The lists differ in length, or the values are more than what came with the call.
    error BadValues();
    /// A payee might be refused for want of gas that it did not use itself.
    error LowGas();
    /// The sender does not take back what is left.
    error NotReturned();

    /// Gas that each payee may use.
    uint256 private constant PAYEE_GAS = 50_000;
    /// What must be there before each payee: its gas, the 64th that a call keeps back, the event.
    uint256 private constant LEAST_GAS = 80_000;

    function send(address[] calldata to, uint256[] calldata values) external payable {
        if (to.length != values.length) revert BadValues();
        uint256 left = msg.value;
        for (uint256 i = 0; i < to.length; i++) {
            address payee = to[i];
            uint256 value = values[i];
            if (value > left) revert BadValues();
            if (gasleft() < LEAST_GAS) revert LowGas();
            bool ok;
            // What the payee returns is not copied: it could be made to cost more than its gas.
            assembly ("memory-safe") {
                ok := call(PAYEE_GAS, payee, value, 0, 0, 0, 0)
            }
            if (ok) left -= value;
            emit Sent(i, payee, value, ok);
        }
        if (left > 0) {
            (bool back, ) = msg.sender.call{value: left}("");
            if (!back) revert NotReturned();
        }
    }
}
