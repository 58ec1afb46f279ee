/**
 * Hashrate (pure): accepted difficulty in a window over the time it really covers.
 *
 * The rules are open-ethereum-pool's (storage/redis.go, convertMinersStats and
 * CollectWorkersStats): time counts from the first share, at least 600 s and at most the window; a
 * miner without a share for half the short window is offline; integer division. Work in time
 * buckets follows the same rules, the oldest bucket counted by the part that the window covers.
 */
import type { Difficulty } from "../base/mod.ts";
import type { MinerRate, WorkerRate } from "../ledger/mod.ts";

/** Time (seconds) over which the first shares are spread at least. */
export const COVERED_SECONDS_MIN = 600;

/** Work of one worker in a span of time: a bucket, or one second of the old pool's shares. */
export interface Work {
  login: string;
  worker: string;
  /** Sum of share difficulty (hashes). */
  difficulty: Difficulty;
  /** Unix seconds, included. */
  startSeconds: number;
  /** Unix seconds, not included. */
  endSeconds: number;
  /** Unix seconds of the last share. */
  lastShareSeconds: number;
}

/** The two windows (seconds); the large one is not shorter than the small one. */
export interface Windows {
  smallSeconds: number;
  largeSeconds: number;
}

/** Hashrates of everybody at one moment. */
export interface Measured {
  /** The miners' hashrates together, over the small window. */
  hashrateHps: bigint;
  /** Miners with a share in the small window, by login. */
  miners: MinerRate[];
  /** Workers with a share in the large window, by login and name. */
  workers: Map<string, WorkerRate[]>;
}

/** Sums over one window. */
export interface Tally {
  difficulty: bigint;
  firstSeconds: number;
  lastSeconds: number;
}

/** A worker's sums over both windows. */
export interface WorkerTally {
  small: Tally;
  large: Tally;
}

/** Sums by login, then worker. */
export type Tallies = Map<string, Map<string, WorkerTally>>;

/** Measures all miners and workers by their work; the log keeps the same sums running. */
export function measure(
  work: Iterable<Work>,
  windows: Windows,
  nowSeconds: number,
): Measured {
  const tallies: Tallies = new Map();
  addWork(tallies, work, windows, nowSeconds);
  return measureTallies(tallies, windows, nowSeconds);
}

/** Adds work to sums. */
export function addWork(
  tallies: Tallies,
  work: Iterable<Work>,
  windows: Windows,
  nowSeconds: number,
): void {
  const fromSmall = nowSeconds - windows.smallSeconds;
  const fromLarge = nowSeconds - windows.largeSeconds;
  for (const item of work) {
    if (item.endSeconds <= fromLarge) continue;
    let workers = tallies.get(item.login);
    if (workers === undefined) tallies.set(item.login, workers = new Map());
    let tally = workers.get(item.worker);
    if (tally === undefined) {
      workers.set(item.worker, tally = { small: emptyTally(), large: emptyTally() });
    }
    add(tally.large, item, fromLarge, nowSeconds);
    add(tally.small, item, fromSmall, nowSeconds);
  }
}

/** Hashrates from sums. */
export function measureTallies(
  tallies: Tallies,
  windows: Windows,
  nowSeconds: number,
): Measured {
  const fromSmall = nowSeconds - windows.smallSeconds;
  const measured: Measured = { hashrateHps: 0n, miners: [], workers: new Map() };
  for (const [login, workers] of sorted(tallies)) {
    const small = togetherOf(workers.values());
    const hashrateHps = rate(small, small.firstSeconds, nowSeconds, windows);
    const { lastSeconds } = small;
    if (lastSeconds >= fromSmall) {
      measured.hashrateHps += hashrateHps;
      const offline = isOffline(lastSeconds, nowSeconds, windows);
      measured.miners.push({ login, lastShareSeconds: lastSeconds, hashrateHps, offline });
    }
    const rates = workerRates(workers, windows, nowSeconds);
    if (rates.length > 0) measured.workers.set(login, rates);
  }
  return measured;
}

/** A miner's sums over the small window: its workers' together. */
function togetherOf(workers: Iterable<WorkerTally>): Tally {
  const sum = emptyTally();
  for (const { small } of workers) {
    sum.difficulty += small.difficulty;
    sum.firstSeconds = Math.min(sum.firstSeconds, small.firstSeconds);
    sum.lastSeconds = Math.max(sum.lastSeconds, small.lastSeconds);
  }
  return sum;
}

function workerRates(
  workers: Map<string, WorkerTally>,
  windows: Windows,
  nowSeconds: number,
): WorkerRate[] {
  const rates: WorkerRate[] = [];
  for (const [worker, { small, large }] of sorted(workers)) {
    if (large.lastSeconds < nowSeconds - windows.largeSeconds) continue;
    rates.push({
      worker,
      lastShareSeconds: large.lastSeconds,
      hashrateHps: rate(small, large.firstSeconds, nowSeconds, windows),
      largeHashrateHps: rate(large, large.firstSeconds, nowSeconds, {
        smallSeconds: windows.largeSeconds,
      }),
      offline: isOffline(large.lastSeconds, nowSeconds, windows),
    });
  }
  return rates;
}

function rate(
  tally: Tally,
  firstSeconds: number,
  nowSeconds: number,
  { smallSeconds }: Pick<Windows, "smallSeconds">,
): bigint {
  const covered = Math.max(COVERED_SECONDS_MIN, nowSeconds - firstSeconds);
  return tally.difficulty / BigInt(Math.max(1, Math.min(smallSeconds, covered)));
}

/** Adds the part of the work that lies in the window, as if it were even over its span. */
function add(tally: Tally, work: Work, fromSeconds: number, nowSeconds: number): void {
  if (work.endSeconds <= fromSeconds) return;
  tally.difficulty += partSince(work, fromSeconds, nowSeconds);
  tally.firstSeconds = Math.min(tally.firstSeconds, Math.max(work.startSeconds, fromSeconds));
  tally.lastSeconds = Math.max(tally.lastSeconds, work.lastShareSeconds);
}

/** The part of work that lies after a time, as if it were even over its span. */
export function partSince(
  work: Pick<Work, "difficulty" | "startSeconds" | "endSeconds">,
  fromSeconds: number,
  nowSeconds: number,
): bigint {
  if (work.startSeconds >= fromSeconds) return work.difficulty;
  // A bucket that is still being filled has covered the time until now only.
  const end = Math.min(work.endSeconds, nowSeconds + 1);
  const inside = BigInt(end - fromSeconds);
  return work.difficulty * inside / BigInt(end - work.startSeconds);
}

function isOffline(lastSeconds: number, nowSeconds: number, windows: Windows): boolean {
  return lastSeconds < nowSeconds - Math.floor(windows.smallSeconds / 2);
}

/** Sums of nothing. */
export function emptyTally(): Tally {
  return { difficulty: 0n, firstSeconds: Infinity, lastSeconds: -Infinity };
}

function sorted<V>(map: Map<string, V>): [string, V][] {
  if (map.size === 1) return [...map];
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}
