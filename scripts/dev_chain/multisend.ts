/**
 * The multisend contract of a chain without a virtual machine: what modules/payouts/contracts does,
 * at one address, so that the payer's crashes can be tried quickly. Real geth runs the real one.
 */
import { encodeAbiParameters, type Hex, keccak256 } from "viem";
import { payeesOf } from "../../modules/payouts/mod.ts";

/** Where it is. */
export const MULTISEND: Hex = "0x0000000000000000000000000000000000005e4d";
/** Gas of one payee and its event, about what the contract takes. */
const PAYEE_GAS = 40_000n;
const SENT = keccak256(
  `0x${new TextEncoder().encode("Sent(uint256,address,uint256,bool)").toHex()}`,
);

/** One event of it. */
export interface DevLog {
  address: Hex;
  topics: Hex[];
  data: Hex;
}

/** What a call comes to; undefined when it fails as a whole. */
export function callMultisend(
  tx: { data: Hex; valueWei: bigint },
  refuses: ReadonlySet<string>,
): { moves: { to: Hex; valueWei: bigint }[]; logs: DevLog[] } | undefined {
  const moves: { to: Hex; valueWei: bigint }[] = [], logs: DevLog[] = [];
  let left = tx.valueWei;
  for (const [i, { to, valueWei }] of payeesOf(tx.data).entries()) {
    if (valueWei > left) return undefined;
    const ok = !refuses.has(to);
    if (ok) {
      left -= valueWei;
      moves.push({ to: to as Hex, valueWei });
    }
    logs.push({
      address: MULTISEND,
      topics: [SENT, word(BigInt(i)), word(BigInt(to))],
      data: encodeAbiParameters([{ type: "uint256" }, { type: "bool" }], [valueWei, ok]),
    });
  }
  return { moves, logs };
}

/** Gas of a call, beside that of its bytes. */
export function multisendGas(data: Hex): bigint {
  return BigInt(payeesOf(data).length) * PAYEE_GAS;
}

function word(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, "0")}`;
}
