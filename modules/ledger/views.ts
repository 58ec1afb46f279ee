/** Read-only queries for statistics and the API; every list is complete or named as unreadable. */
import type { Difficulty } from "../base/mod.ts";
import { type BlockRow, type Candidate, parseBlockRow, parseCandidate } from "./block_rows.ts";
import type { Keys } from "./keys.ts";
import {
  type NodeRow,
  type OldShare,
  parseMinerPayment,
  parseMinerShare,
  parseNodes,
  parsePoolPayment,
  parsePoolShare,
  type PaymentRow,
} from "./legacy_rows.ts";
import { integerOf, recordOf, type Reply, type Store } from "./redis.ts";
import { countOf, replyAt } from "./replies.ts";
import { pairsOf, scanKeys } from "./scan.ts";
import { BUCKET_SECONDS } from "./share_record.ts";

/** What the views read from. */
export interface ViewDeps {
  store: Store;
  keys: Keys;
}

/** Blocks, payments and counters of the pool at one moment. */
export interface PoolTables {
  /** Fields of `P:stats`, as stored. */
  stats: Record<string, string>;
  /** Newest first, complete. */
  candidates: Candidate[];
  /** Newest first, complete. */
  immature: BlockRow[];
  /** Newest first, as many as asked for. */
  matured: BlockRow[];
  /** Newest first, as many as asked for. */
  payments: PaymentRow[];
  candidatesTotal: number;
  immatureTotal: number;
  maturedTotal: number;
  paymentsTotal: number;
  /** Members that no known layout fits; they are left out above. */
  unreadable: string[];
}

/** Reads blocks, payments and counters in one transaction. A limit of 0 means every row. */
export async function readPoolTables(
  deps: ViewDeps,
  limits: { matured: number; payments: number },
): Promise<PoolTables> {
  const { store, keys } = deps;
  const newest = (key: string, limit: number) => [
    ...["ZREVRANGE", key, "0", String(limit - 1), "WITHSCORES"],
  ];
  const replies = await store.multi([
    ["HGETALL", keys.stats()],
    newest(keys.candidates(), 0),
    newest(keys.immature(), 0),
    newest(keys.matured(), limits.matured),
    newest(keys.paymentsAll(), limits.payments),
    ["ZCARD", keys.candidates()],
    ["ZCARD", keys.immature()],
    ["ZCARD", keys.matured()],
    ["ZCARD", keys.paymentsAll()],
  ]);
  const unreadable: string[] = [];
  return {
    stats: recordOf(replyAt(replies, 0)),
    candidates: rowsOf(replyAt(replies, 1), parseCandidate, unreadable),
    immature: rowsOf(replyAt(replies, 2), parseBlockRow, unreadable),
    matured: rowsOf(replyAt(replies, 3), parseBlockRow, unreadable),
    payments: rowsOf(replyAt(replies, 4), parsePoolPayment, unreadable),
    candidatesTotal: countOf(replyAt(replies, 5)),
    immatureTotal: countOf(replyAt(replies, 6)),
    maturedTotal: countOf(replyAt(replies, 7)),
    paymentsTotal: countOf(replyAt(replies, 8)),
    unreadable,
  };
}

/** The nodes of all instances, sorted by name. */
export async function readNodes(deps: ViewDeps): Promise<NodeRow[]> {
  return parseNodes(recordOf(await deps.store.command("HGETALL", deps.keys.nodes())));
}

/** An instance's beat is fresh for so many of them, and at least for so long (milliseconds). */
const FRESH_BEATS = 3;
const FRESH_BEAT_MS_MIN = 60_000;

/** How long an instance's row among the nodes counts (milliseconds), by the pause between beats. */
export function nodeFreshMs(beatMs: number): number {
  return Math.max(FRESH_BEAT_MS_MIN, FRESH_BEATS * beatMs);
}

/** What the ledger knows of one miner. */
export interface MinerView {
  /** Fields of `P:miners:<login>`, as stored. */
  stats: Record<string, string>;
  /** Newest first, as many as asked for. */
  payments: PaymentRow[];
  paymentsTotal: number;
  /** Difficulty of the shares in the current round (hashes). */
  roundShares: bigint;
}

/** Reads one miner in one transaction; undefined when there is none. A limit of 0: every row. */
export async function readMiner(
  deps: ViewDeps,
  login: string,
  paymentsLimit: number,
): Promise<MinerView | undefined> {
  const { store, keys } = deps;
  const replies = await store.multi([
    ["HGETALL", keys.miner(login)],
    ["ZREVRANGE", keys.paymentsOf(login), "0", String(paymentsLimit - 1), "WITHSCORES"],
    ["ZCARD", keys.paymentsOf(login)],
    ["HGET", keys.roundCurrent(), login],
  ]);
  const stats = recordOf(replyAt(replies, 0));
  // Redis keeps no empty hash: no field means no miner.
  if (Object.keys(stats).length === 0) return undefined;
  return {
    stats,
    payments: rowsOf(replyAt(replies, 1), parseMinerPayment, []),
    paymentsTotal: countOf(replyAt(replies, 2)),
    roundShares: integerOf(replyAt(replies, 3), `round shares of ${login}`),
  };
}

/** One worker's shares in one hashrate bucket. */
export interface BucketRow {
  login: string;
  worker: string;
  /** Sum over the bucket (hashes). */
  difficulty: Difficulty;
  /** Unix seconds of the last share. */
  lastShareSeconds: number;
}

/** The rows of the hashrate bucket that starts at `startSeconds`; none when it has expired. */
export async function readBucket(deps: ViewDeps, startSeconds: number): Promise<BucketRow[]> {
  const key = deps.keys.own.bucket(startSeconds);
  const fields = new Map(pairsOf(await deps.store.command("HGETALL", key)));
  const rows: BucketRow[] = [];
  for (const [field, value] of fields) {
    const [login, worker, mark] = field.split(":");
    if (login === undefined || worker === undefined || mark !== undefined) continue;
    const last = integerOf(fields.get(`${field}:t`), `${field}:t of ${key}`, BigInt(startSeconds));
    rows.push({
      ...{ login, worker, difficulty: integerOf(value, `${field} of ${key}`) },
      lastShareSeconds: Number(last),
    });
  }
  return rows;
}

/** Starts (unix seconds) of the buckets that overlap the last `windowSeconds`, oldest first. */
export function bucketsSince(nowSeconds: number, windowSeconds: number): number[] {
  const from = nowSeconds - windowSeconds;
  const starts: number[] = [];
  const newest = nowSeconds - nowSeconds % BUCKET_SECONDS;
  for (let start = newest; start + BUCKET_SECONDS > from; start -= BUCKET_SECONDS) {
    starts.unshift(start);
  }
  return starts;
}

/** Shares in the old pool's common set that came after `afterSeconds`. */
export async function readOldShares(deps: ViewDeps, afterSeconds: number): Promise<OldShare[]> {
  const { store, keys } = deps;
  const range = ["ZRANGEBYSCORE", keys.hashrate(), `(${afterSeconds}`, "+inf", "WITHSCORES"];
  return rowsOf(await store.command(...range), parsePoolShare, []);
}

/** Shares in the old pool's set of one miner, from `fromSeconds` to `toSeconds`, both included. */
export async function readOldSharesOf(
  deps: ViewDeps,
  login: string,
  fromSeconds: number,
  toSeconds: number,
): Promise<OldShare[]> {
  const { store, keys } = deps;
  const reply = await store.command(
    ...["ZRANGEBYSCORE", keys.hashrateOf(login), String(fromSeconds), String(toSeconds)],
    "WITHSCORES",
  );
  return rowsOf(reply, (member, score) => parseMinerShare(login, member, score), []);
}

/** Logins that have a hashrate set of the old pool, a page at a time, each once. */
export async function* oldShareLogins(deps: ViewDeps): AsyncGenerator<string[]> {
  const { store, keys } = deps;
  const prefix = keys.hashrateOf("");
  for await (const names of scanKeys(store, keys.hashrateOf("*"))) {
    yield names.map((key) => key.slice(prefix.length));
  }
}

/**
 * Removes what the old pool's hashrate sets hold beyond the windows, as the old pool did; gives
 * the number of rows removed.
 */
export async function purgeOldShares(
  deps: ViewDeps,
  nowSeconds: number,
  windows: { smallSeconds: number; largeSeconds: number },
): Promise<number> {
  const { store, keys } = deps;
  const drop = (key: string, windowSeconds: number) => [
    ...["ZREMRANGEBYSCORE", key, "-inf", `(${nowSeconds - windowSeconds}`],
  ];
  let removed = countOf(await store.command(...drop(keys.hashrate(), windows.smallSeconds)));
  for await (const logins of oldShareLogins(deps)) {
    const counts = await store.multi(
      logins.map((login) => drop(keys.hashrateOf(login), windows.largeSeconds)),
    );
    for (const count of counts) removed += countOf(count);
  }
  return removed;
}

/** Rows of a WITHSCORES reply; members that no layout fits go to `unreadable`. */
function rowsOf<Row>(
  reply: Reply,
  parse: (member: string, score: string) => Row | undefined,
  unreadable: string[],
): Row[] {
  const rows: Row[] = [];
  for (const [member, score] of pairsOf(reply)) {
    const row = readable(() => parse(member, score));
    if (row === undefined) unreadable.push(member);
    else rows.push(row);
  }
  return rows;
}

/** A foreign row must not take the whole page away: it is left out and reported. */
function readable<Row>(parse: () => Row | undefined): Row | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
