/** All that one miner's page shows, in one transaction: its cost does not grow with the pool. */
import { countOf, replyAt } from "./replies.ts";
import { integerOf, recordOf } from "./redis.ts";
import { decode, type WorkerRate } from "./snapshots.ts";
import type { ViewDeps } from "./views.ts";
import type { WorkerDay } from "./worker_days.ts";

/** One miner. */
export interface MinerFacts {
  /** Fields of `P:miners:<login>`, as stored; empty for a login that never had a share. */
  stats: Record<string, string>;
  /** Workers of the long window. */
  rates: WorkerRate[];
  /** Workers of the last day. */
  days: WorkerDay[];
  /** Difficulty of its shares in the round, the window and alone (hashes). */
  roundShares: bigint;
  windowShares: bigint;
  soloShares: bigint;
  /** Of the whole window. */
  windowTotal: bigint;
  paymentsTotal: number;
  /** Whether its payments wait for a human. */
  held: boolean;
  /** Id of its open payment; null: none. */
  openPayment: string | null;
}

/** Reads one miner. @throws {StoreError} */
export async function readMinerFacts(
  { store, keys }: ViewDeps,
  login: string,
): Promise<MinerFacts> {
  const replies = await store.multi([
    ["HGETALL", keys.miner(login)],
    ["HGET", keys.own.snapshotMiners(), login],
    ["HGET", keys.own.workerDays(), login],
    ["HGET", keys.roundCurrent(), login],
    ["HGET", keys.own.pplnsSums(), login],
    ["HGET", keys.own.solo(), login],
    ["HGET", keys.own.pplns(), "total"],
    ["ZCARD", keys.paymentsOf(login)],
    ["SISMEMBER", keys.own.paymentsHeld(), login],
    ["HGET", keys.own.paymentsOpenByLogin(), login],
  ]);
  const list = <T>(index: number): T[] => {
    const text = replyAt(replies, index);
    return text === null ? [] : decode<T[]>(text, `workers of ${login}`);
  };
  const open = replyAt(replies, 9);
  return {
    stats: recordOf(replyAt(replies, 0)),
    ...{ rates: list<WorkerRate>(1), days: list<WorkerDay>(2) },
    roundShares: integerOf(replyAt(replies, 3), `round shares of ${login}`),
    windowShares: integerOf(replyAt(replies, 4), `window shares of ${login}`),
    soloShares: integerOf(replyAt(replies, 5), `solo shares of ${login}`),
    windowTotal: integerOf(replyAt(replies, 6), "the window's total"),
    paymentsTotal: countOf(replyAt(replies, 7)),
    held: countOf(replyAt(replies, 8)) === 1,
    openPayment: open === null ? null : String(open),
  };
}
