/** The snapshots that stats leaves for the API: exact integers as decimal text, a time on each. */
import type { BlockRow, Candidate } from "./block_rows.ts";
import type { PaymentRow } from "./legacy_rows.ts";
import { type Store, StoreError } from "./redis.ts";
import type { ViewDeps } from "./views.ts";

/** A block as the API shows it. */
export type BlockView = Omit<BlockRow, "member" | "nonce">;
/** A candidate as the API shows it. */
export type CandidateView = Pick<
  Candidate,
  "height" | "foundAt" | "difficulty" | "totalShares"
>;

/** Luck over the newest blocks. */
export interface LuckRow {
  /** Blocks really counted. */
  blocks: number;
  /** Mean of shares over difficulty; 1 is as expected, less is lucky. */
  luck: number;
  /** Fraction of uncles. */
  uncleRate: number;
  /** Fraction of orphans. */
  orphanRate: number;
}

/** The pool at one moment. */
export interface PoolSnapshot {
  /** Milliseconds since 1970 at which the collection began. */
  collectedAtMs: number;
  /** Hashes a second over the short window. */
  hashrateHps: bigint;
  minersTotal: number;
  /** Fields and values of `P:stats`, as stored. */
  stats: [field: string, value: string][];
  candidates: CandidateView[];
  immature: BlockView[];
  matured: BlockView[];
  payments: PaymentRow[];
  candidatesTotal: number;
  immatureTotal: number;
  maturedTotal: number;
  paymentsTotal: number;
  /** Undefined when no window is configured. */
  luck?: LuckRow[];
}

/** A miner's hashrate over the short window. */
export interface MinerRate {
  login: string;
  /** Unix seconds of the last share. */
  lastShareSeconds: number;
  hashrateHps: bigint;
  /** No share for half the short window. */
  offline: boolean;
}

/** A worker's hashrates. */
export interface WorkerRate {
  worker: string;
  /** Unix seconds of the last share. */
  lastShareSeconds: number;
  /** Over the short window. */
  hashrateHps: bigint;
  /** Over the long window. */
  largeHashrateHps: bigint;
  offline: boolean;
}

/** The miners at one moment. */
export interface MinersSnapshot {
  collectedAtMs: number;
  hashrateHps: bigint;
  miners: MinerRate[];
}

/** Name of the miners snapshot; "miners" is the hash of their workers. */
const HASHRATES = "hashrates";
/** Logins written per command. */
const CHUNK = 500;

/** Writes a collection: the miners' workers first, then the snapshots in one transaction. */
export async function writeSnapshots(
  deps: ViewDeps,
  pool: PoolSnapshot,
  miners: MinersSnapshot,
  workers: ReadonlyMap<string, readonly WorkerRate[]>,
  gone: readonly string[],
): Promise<void> {
  const { store, keys } = deps;
  const key = keys.own.snapshotMiners();
  await inChunks([...workers], (rows) => {
    const fields = rows.flatMap(([login, rates]) => [login, JSON.stringify(rates.map(asText))]);
    return store.command("HSET", key, ...fields);
  });
  await inChunks(gone, (logins) => store.command("HDEL", key, ...logins));
  await store.multi([
    ["SET", keys.own.snapshot("pool"), encode(pool)],
    [
      ...["SET", keys.own.snapshot(HASHRATES)],
      JSON.stringify({ ...asText(miners), miners: miners.miners.map(asText) }),
    ],
  ]);
}

/** Logins whose workers were written by an earlier collection. */
export async function snapshotLogins({ store, keys }: ViewDeps): Promise<string[]> {
  const reply = await store.command("HKEYS", keys.own.snapshotMiners());
  return Array.isArray(reply) ? reply.map(String) : [];
}

/** The last pool snapshot; undefined before the first. @throws {StoreError} */
export async function readPoolSnapshot(deps: ViewDeps): Promise<PoolSnapshot | undefined> {
  return await readJson<PoolSnapshot>(deps.store, deps.keys.own.snapshot("pool"));
}

/** The last miners snapshot; undefined before the first. @throws {StoreError} */
export async function readMinersSnapshot(deps: ViewDeps): Promise<MinersSnapshot | undefined> {
  return await readJson<MinersSnapshot>(deps.store, deps.keys.own.snapshot(HASHRATES));
}

/** A miner's workers in the last collection; none when no share was in the long window. */
export async function readWorkerRates(
  { store, keys }: ViewDeps,
  login: string,
): Promise<WorkerRate[]> {
  const text = await store.command("HGET", keys.own.snapshotMiners(), login);
  return text === null ? [] : decode<WorkerRate[]>(text, "workers");
}

async function readJson<T>(store: Store, key: string): Promise<T | undefined> {
  const text = await store.command("GET", key);
  return text === null ? undefined : decode<T>(text, key);
}

/** Fields that are bigint; JSON numbers are exact only to 2^53, so they are written as text. */
const INTEGERS = new Set([
  ...["hashrateHps", "largeHashrateHps", "difficulty", "totalShares", "rewardWei"],
  ...["amountShannon", "roundShares", "paidShannon", "paidDayShannon", "lastRewardWei"],
]);

/** The rates of one, as `encode` writes them; there are too many for its look at each field. */
function asText<T extends { hashrateHps: bigint; largeHashrateHps?: bigint }>(rates: T) {
  const { hashrateHps, largeHashrateHps } = rates;
  return {
    ...{ ...rates, hashrateHps: `${hashrateHps}` },
    ...(largeHashrateHps === undefined ? {} : { largeHashrateHps: `${largeHashrateHps}` }),
  };
}

/** A value as JSON; bigint becomes text. */
export function encode(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, field) => typeof field === "bigint" ? field.toString() : field,
  );
}

/** What `encode` wrote. @throws {StoreError} when it is something else */
export function decode<T>(text: unknown, name: string): T {
  try {
    return JSON.parse(
      String(text),
      (key, value) => INTEGERS.has(key) && typeof value === "string" ? BigInt(value) : value,
    );
  } catch (error) {
    throw new StoreError(`Cannot read the snapshot ${name}`, "refused", error);
  }
}

async function inChunks<T>(list: readonly T[], write: (chunk: T[]) => Promise<unknown>) {
  for (let i = 0; i < list.length; i += CHUNK) await write(list.slice(i, i + CHUNK));
}
