/** What the old pool's payer left between its debit and its booking: rows in `payments:pending`. */
import { InvariantError, isAddress, PoolError, type Shannon } from "../base/mod.ts";
import { checkedScript } from "./checked_script.ts";
import type { LedgerDeps } from "./leases.ts";
import { listOf, StoreError } from "./redis.ts";
import settleLua from "./scripts/settle_old_payment.lua" with { type: "text" };

const SETTLE = checkedScript("settle_old_payment", settleLua);

/** A payment that the old pool began. */
export interface OldPayment {
  login: string;
  amountShannon: Shannon;
  /** When it was debited (unix seconds); undefined: there is a lock alone, and no debit. */
  sinceSeconds?: number;
  /** Transactions that the ledger has as this miner's payments already. */
  knownHashes: string[];
}

/**
 * Reads one row, as `login:amount`.
 *
 * @returns undefined when there is neither such a row nor such a lock
 * @throws {PoolError} when the text is no row
 */
export async function readOldPayment(
  { store, keys }: LedgerDeps,
  row: string,
): Promise<OldPayment | undefined> {
  const [login = "", amount = ""] = row.split(":");
  if (!isAddress(login) || !/^[1-9]\d{0,17}$/.test(amount)) {
    throw new PoolError(`"${row}" is no row of payments:pending: write 0xADDRESS:SHANNON`);
  }
  const [since, lock, paid] = await store.multi([
    ["ZSCORE", keys.paymentsPending(), row],
    ["GET", keys.paymentsLock()],
    ["ZRANGE", keys.paymentsOf(login), "0", "-1"],
  ]);
  if (since === null && lock !== row) return undefined;
  return {
    ...{ login, amountShannon: BigInt(amount) },
    ...(since === null ? {} : { sinceSeconds: Number(since) }),
    knownHashes: listOf(paid!).map((member) => member.split(":")[0]!),
  };
}

/**
 * Books an old payment as paid by a transaction, or returns its debit; once, however often called.
 *
 * @throws {InvariantError} when the row belongs to an open payment of quarry's, or never was debited
 */
export async function settleOldPayment(
  { store, keys }: LedgerDeps,
  { login, amountShannon }: OldPayment,
  outcome: { paidBy: string } | "return",
  nowSeconds: number,
): Promise<"ok" | "gone" | "unlocked"> {
  try {
    const reply = await store.script(SETTLE, [
      ...[keys.miner(login), keys.finances(), keys.paymentsPending(), keys.paymentsLock()],
      ...[keys.own.paymentsOpenByLogin(), keys.paymentsAll(), keys.paymentsOf(login)],
    ], [
      ...[login, String(amountShannon), `${login}:${amountShannon}`],
      ...(outcome === "return" ? ["return", ""] : ["paid", outcome.paidBy]),
      String(nowSeconds),
    ]);
    return reply as "ok" | "gone" | "unlocked";
  } catch (error) {
    if (error instanceof StoreError && error.fate === "refused") {
      throw new InvariantError(`Cannot settle ${login}:${amountShannon}`, { cause: error });
    }
    throw error;
  }
}
