/** The multisend contract as the payer speaks to it: calldata out, the fate of each payee in. */
import { decodeFunctionData, encodeFunctionData, type Hex, keccak256, parseAbi } from "viem";
import { InvariantError, type Wei } from "../base/mod.ts";
import type { Log } from "../chain/mod.ts";
import { MULTISEND_RUNTIME } from "./contracts/multisend_code.ts";

const ABI = parseAbi(["function send(address[] to, uint256[] values) payable"]);
/** keccak-256 of Sent(uint256,address,uint256,bool), the contract's one event. */
const SENT = keccak256(
  `0x${new TextEncoder().encode("Sent(uint256,address,uint256,bool)").toHex()}`,
);

/** One payee of a transaction that pays many. */
export interface Payee {
  /** Lower-case address. */
  to: string;
  valueWei: Wei;
}

/** Whether an address's code is the contract that this payer knows. */
export function isMultisend(code: string): boolean {
  return code.toLowerCase() === MULTISEND_RUNTIME;
}

/** What the transaction carries (0x hex). */
export function multisendData(payees: readonly Payee[]): Hex {
  return encodeFunctionData({
    abi: ABI,
    functionName: "send",
    args: [payees.map(({ to }) => to as Hex), payees.map(({ valueWei }) => valueWei)],
  });
}

/** The payees of a transaction's data. @throws {InvariantError} when it is no such call */
export function payeesOf(data: string): Payee[] {
  try {
    const { args } = decodeFunctionData({ abi: ABI, data: data as Hex });
    const [to, values] = args;
    if (to.length !== values.length) throw new TypeError("the lists differ in length");
    return to.map((one, i) => ({ to: one.toLowerCase(), valueWei: values[i]! }));
  } catch (cause) {
    throw new InvariantError("Cannot read the payees of a transaction", { cause });
  }
}

/**
 * Whether a payee of a mined transaction got its value.
 *
 * @throws {InvariantError} when the contract did not say so exactly once, for that payee and value
 */
export function wasPaid(
  logs: readonly Log[],
  contract: string,
  index: number,
  { to, valueWei }: Payee,
): boolean {
  const topics = [SENT, word(BigInt(index)), word(BigInt(to))];
  const said = logs.filter((log) =>
    log.address === contract && log.topics.length === 3 &&
    topics.every((topic, i) => log.topics[i] === topic)
  );
  const [one, ...more] = said;
  if (one === undefined || more.length > 0 || one.data.slice(0, 66) !== word(valueWei)) {
    throw new InvariantError(`The multisend contract does not tell the fate of payee ${index}`, {
      facts: { contract, to, events: said.length },
    });
  }
  return BigInt(`0x${one.data.slice(66)}`) === 1n;
}

function word(value: bigint): string {
  return `0x${value.toString(16).padStart(64, "0")}`;
}
