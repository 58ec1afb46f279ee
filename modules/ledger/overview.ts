/** The pool at a glance and its miners by hashrate: what stats leaves for the API's newer form. */
import { integerOf, listOf, StoreError } from "./redis.ts";
import { decode, encode, type MinerRate } from "./snapshots.ts";
import type { ViewDeps } from "./views.ts";

/** Mean effort and fractions over the newest blocks. */
export interface EffortRow {
  /** Blocks counted. */
  blocks: number;
  /** Mean of shares since the block before over difficulty; null when none is known. */
  effort: number | null;
  uncleRate: number;
  orphanRate: number;
}

/** The pool at one moment. */
export interface Overview {
  collectedAtMs: number;
  hashrateHps: bigint;
  /** With a share in the short window. */
  miners: number;
  workers: number;
  /** Difficulty of the shares since the last block of a round or window. */
  roundShares: bigint;
  /** Unix seconds; null before the first block. */
  roundStartedAt: number | null;
  /** Of the chain, as the nodes last said; null: unknown. */
  height: number | null;
  difficulty: bigint | null;
  /** Mean time between two blocks of the chain (seconds); null: not seen long enough. */
  blockSeconds: number | null;
  luck: EffortRow[];
  candidatesTotal: number;
  immatureTotal: number;
  maturedTotal: number;
  /** Orphans that lie in the two lists; counted every minute. */
  orphaned: { immature: number; matured: number };
  paymentsTotal: number;
  paidShannon: bigint;
  /** Paid in the last 24 hours. */
  paidDayShannon: bigint;
  /** Of the newest block that has one. */
  lastRewardWei: bigint | null;
  /** Newest first; for marks in charts. */
  recent: { height: number; foundAt: number }[];
}

const NAME = "overview";
/** Miners per page of the ranking. */
export const RANKING_PAGE = 100;
/** Life (seconds) of a ranking that nobody writes any more. */
const RANKING_LIFE_SECONDS = 86_400;
const PAGES_PER_COMMAND = 50;

/** Replaces the overview. */
export async function writeOverview(deps: ViewDeps, overview: Overview): Promise<void> {
  await deps.store.command("SET", deps.keys.own.snapshot(NAME), encode(overview));
}

/** The last overview; undefined before the first. @throws {StoreError} */
export async function readOverview({ store, keys }: ViewDeps): Promise<Overview | undefined> {
  const text = await store.command("GET", keys.own.snapshot(NAME));
  return text === null ? undefined : decode<Overview>(text, NAME);
}

/** Writes the miners in order of their hashrate, a page per field. */
export async function writeRanking(
  { store, keys }: ViewDeps,
  miners: readonly MinerRate[],
  pagesBefore: number,
): Promise<number> {
  const sorted = miners.toSorted((a, b) =>
    a.hashrateHps === b.hashrateHps
      ? (a.login < b.login ? -1 : 1)
      : (a.hashrateHps > b.hashrateHps ? -1 : 1)
  );
  const key = keys.own.ranking();
  const pages = Math.ceil(sorted.length / RANKING_PAGE);
  for (let i = 0; i < pages; i += PAGES_PER_COMMAND) {
    const fields: string[] = [];
    for (let page = i; page < Math.min(pages, i + PAGES_PER_COMMAND); page++) {
      const rows = sorted.slice(page * RANKING_PAGE, (page + 1) * RANKING_PAGE);
      fields.push(String(page), encode(rows));
    }
    await store.command("HSET", key, ...fields);
  }
  const gone = Array.from({ length: Math.max(0, pagesBefore - pages) }, (_, i) => `${pages + i}`);
  await store.multi([
    ["HSET", key, "total", String(sorted.length)],
    ["EXPIRE", key, String(RANKING_LIFE_SECONDS)],
    ...(gone.length === 0 ? [] : [["HDEL", key, ...gone]]),
  ]);
  return pages;
}

/** Miners from a place in the ranking on, and how many there are. */
export async function readRanking(
  { store, keys }: ViewDeps,
  from: number,
  limit: number,
): Promise<{ miners: MinerRate[]; total: number }> {
  const first = Math.floor(from / RANKING_PAGE);
  const last = Math.floor((from + limit - 1) / RANKING_PAGE);
  const pages = Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
  const reply = await store.command("HMGET", keys.own.ranking(), "total", ...pages);
  if (!Array.isArray(reply)) throw new StoreError("Cannot read the ranking", "refused");
  const [total, ...texts] = reply;
  const rows = texts.flatMap((text) => text === null ? [] : decode<MinerRate[]>(text, "ranking"));
  const skip = from - first * RANKING_PAGE;
  return {
    miners: rows.slice(skip, skip + limit),
    total: Number(integerOf(total, "the ranking's total")),
  };
}

/** What the pool has paid in all, and since a time (unix seconds). */
export async function readPaid(
  { store, keys }: ViewDeps,
  sinceSeconds: number,
): Promise<{ paidShannon: bigint; sinceShannon: bigint }> {
  const paid = await store.command("HGET", keys.finances(), "paid");
  const rows = listOf(
    await store.command("ZRANGEBYSCORE", keys.paymentsAll(), String(sinceSeconds), "+inf"),
  );
  const amounts = rows.map((member) => member.split(":")[2]);
  return {
    paidShannon: integerOf(paid, "finances paid"),
    sinceShannon: amounts.reduce(
      (sum, amount) => sum + (amount !== undefined && /^\d+$/.test(amount) ? BigInt(amount) : 0n),
      0n,
    ),
  };
}

/** When the last block of a round or window was found (unix seconds); undefined: never. */
export async function readRoundStart({ store, keys }: ViewDeps): Promise<number | undefined> {
  const [shared, any] = await store.multi([
    ["HGET", keys.own.chain(), "sharedBlockAt"],
    ["HGET", keys.stats(), "lastBlockFound"],
  ]);
  const found = Number(integerOf(shared ?? any, "the last block's time"));
  return found > 0 ? found : undefined;
}
