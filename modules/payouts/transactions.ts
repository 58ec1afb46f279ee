/** What the bytes of a transaction say: to price it, to replace it, and to compare it with what was asked. */
import { type Hex, parseTransaction } from "viem";
import { InvariantError, type Wei } from "../base/mod.ts";
import type { Payment } from "../ledger/mod.ts";
import { type Fee, gasCostWei } from "./fees.ts";

/** The fields of a transaction. */
export interface TransactionFields {
  /** Undefined on a legacy transaction without replay protection. */
  chainId: number | undefined;
  nonce: number;
  /** Lower-case; empty when it creates a contract. */
  to: string;
  valueWei: Wei;
  /** 0x hex; "0x" for none. */
  data: string;
  fee: Fee;
}

/** Whether bytes carry a signature; those of a node's own account do not. */
export function isSigned(raw: string): boolean {
  const { r } = parseTransaction(raw as Hex) as { r?: Hex };
  return r !== undefined && r !== "0x";
}

/** Reads signed or unsigned bytes (0x hex). @throws {InvariantError} when they are no transaction */
export function readTransactionFields(raw: string): TransactionFields {
  let tx: ReturnType<typeof parseTransaction>;
  try {
    tx = parseTransaction(raw as Hex);
  } catch (cause) {
    throw new InvariantError("Cannot read the bytes of a transaction", { cause });
  }
  const gas = tx.gas ?? 0n;
  if (tx.type !== "legacy" && tx.type !== "eip1559") {
    throw new InvariantError(`Cannot read a transaction of type ${tx.type}`);
  }
  return {
    chainId: tx.chainId,
    nonce: tx.nonce ?? 0,
    to: (tx.to ?? "").toLowerCase(),
    valueWei: tx.value ?? 0n,
    data: tx.data ?? "0x",
    fee: tx.type === "legacy" ? { type: "legacy", gas, gasPrice: tx.gasPrice ?? 0n } : {
      type: "eip1559",
      gas,
      maxFeePerGas: tx.maxFeePerGas ?? 0n,
      maxPriorityFeePerGas: tx.maxPriorityFeePerGas ?? 0n,
    },
  };
}

/** Most that payments which are signed and not mined may still take from the wallet (wei). */
export function committedWei(open: readonly Payment[]): Wei {
  let sum = 0n;
  const counted = new Set<string>();
  for (const { signed, mined } of open) {
    if (signed === undefined || mined !== undefined || counted.has(signed.hash)) continue;
    counted.add(signed.hash);
    const { valueWei, fee } = readTransactionFields(signed.raw);
    sum += valueWei + gasCostWei(fee);
  }
  return sum;
}
