/** Pages of payments and credits, newest first: bounded reads however many there have been. */
import type { Shannon } from "../base/mod.ts";
import { parseMinerPayment, parsePoolPayment } from "./legacy_rows.ts";
import { rangeOf } from "./redis_rows.ts";
import { listOf } from "./redis.ts";
import type { ViewDeps } from "./views.ts";

/** A payment that is final. */
export interface PaidRow {
  atSeconds: number;
  login: string;
  amountShannon: Shannon;
  txHash: string;
}

/** A page of payments. */
export interface PaidPage {
  rows: PaidRow[];
  nextCursor: string | null;
}

/** Payments after a cursor, of the pool or of one login. */
export async function readPaidPage(
  { store, keys }: ViewDeps,
  page: { login?: string; before?: string; limit: number },
): Promise<PaidPage> {
  const { login, limit } = page;
  const cursor = secondsCursorOf(page.before);
  const key = login === undefined ? keys.paymentsAll() : keys.paymentsOf(login);
  const members = await rangeOf(store, key, {
    ...(cursor.seconds === undefined ? {} : { max: cursor.seconds }),
    ...{ skip: cursor.skip, limit: limit + 1 },
  });
  const shown = members.slice(0, limit);
  const rows = shown.flatMap(({ member, score }) => {
    const row = login === undefined
      ? parsePoolPayment(member, `${score}`)
      : parseMinerPayment(member, `${score}`);
    return row === undefined ? [] : [{ ...row, login: login ?? row.login }];
  });
  const last = shown.at(-1);
  if (members.length <= limit || last === undefined) return { rows, nextCursor: null };
  // Several payments share a second: the cursor says how many of them were shown.
  const same = shown.filter(({ score }) => score === last.score).length;
  const skip = same + (last.score === cursor.seconds ? cursor.skip : 0);
  return { rows, nextCursor: `${last.score}.${skip}` };
}

/** A cursor over rows with times: where to begin, and how many rows of that second to leave out. */
export function secondsCursorOf(text: string | undefined): { seconds?: number; skip: number } {
  if (text === undefined) return { skip: 0 };
  const [seconds, skip] = text.split(".").map(Number);
  return { seconds: seconds!, skip: skip! };
}

/** What one login was credited for some blocks (Shannon); null where it was not. */
export async function readCreditsOf(
  { store, keys }: ViewDeps,
  login: string,
  blocks: readonly { height: number; hash: string | null; state: string }[],
): Promise<(Shannon | null)[]> {
  if (blocks.length === 0) return [];
  const replies = await store.multi(blocks.map(({ height, hash, state }) => {
    const id = hash ?? "0x0";
    const key = state === "immature" ? keys.creditsImmature(height, id) : keys.credits(height, id);
    return ["HGET", key, login];
  }));
  return replies.map((reply) =>
    typeof reply === "string" && /^\d+$/.test(reply) ? BigInt(reply) : null
  );
}

/** Logins' open payments: where each stands, newest first, at most `limit`. */
export async function readOpenPayments(
  { store, keys }: ViewDeps,
  limit: number,
): Promise<OpenPayment[]> {
  const ids = listOf(
    await store.command("ZRANGE", keys.own.paymentsOpen(), "0", String(limit - 1), "REV"),
  );
  return await openPaymentsOf({ store, keys }, ids);
}

/** A payment that is not final. */
export interface OpenPayment {
  login: string;
  amountShannon: Shannon;
  state: "reserved" | "signed" | "sent";
  /** Unix seconds. */
  reservedAt: number;
  hash: string | null;
  /** Height at which it was seen mined; null: nowhere yet. */
  minedHeight: number | null;
}

/** The payments of some ids that are open. */
export async function openPaymentsOf(
  { store, keys }: ViewDeps,
  ids: readonly string[],
): Promise<OpenPayment[]> {
  if (ids.length === 0) return [];
  const fields = ["login", "amountShannon", "state", "reservedAt", "hash", "minedHeight"];
  const replies = await store.multi(ids.map((id) => ["HMGET", keys.own.payment(id), ...fields]));
  return replies.flatMap((reply) => {
    if (!Array.isArray(reply)) return [];
    const [login, amount, state, reservedAt, hash, mined] = reply;
    if (state !== "reserved" && state !== "signed" && state !== "sent") return [];
    return [{
      ...{ login: String(login), amountShannon: BigInt(String(amount)), state },
      ...{ reservedAt: Number(reservedAt), hash: hash === null ? null : String(hash) },
      minedHeight: mined === null || mined === undefined ? null : Number(mined),
    }];
  });
}

/** A payment that failed on the chain, or whose nonce another transaction took. */
export interface FailedPayment {
  login: string;
  amountShannon: Shannon;
  state: "reverted" | "displaced";
  /** When its debit was returned (unix seconds). */
  atSeconds: number;
  hash: string | null;
  reason: string;
}

/** A login's failed payments between two times (unix seconds, both included), newest first. */
export async function readFailedPayments(
  { store, keys }: ViewDeps,
  login: string,
  page: { min?: number; max?: number; limit: number },
): Promise<FailedPayment[]> {
  const ids = await rangeOf(store, keys.own.paymentsFailedOf(login), { ...page, skip: 0 });
  if (ids.length === 0) return [];
  const fields = ["amountShannon", "state", "hash", "reason"];
  const replies = await store.multi(
    ids.map(({ member }) => ["HMGET", keys.own.payment(member), ...fields]),
  );
  return replies.flatMap((reply, i) => {
    if (!Array.isArray(reply)) return [];
    const [amount, state, hash, reason] = reply;
    if (state !== "reverted" && state !== "displaced") return [];
    return [{
      ...{ login, amountShannon: BigInt(String(amount)), state, atSeconds: ids[i]!.score },
      ...{ hash: hash === null ? null : String(hash), reason: String(reason ?? "") },
    }];
  });
}
