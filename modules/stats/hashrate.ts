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
interface Tally {
  difficulty: bigint;
  firstSeconds: number;
  lastSeconds: number;
}

interface WorkerTally {
  small: Tally;
  large: Tally;
}

interface MinerTally {
  small: Tally;
  workers: Map<string, WorkerTally>;
}

/** Measures all miners and workers. */
export function measure(
  work: Iterable<Work>,
  windows: Windows,
  nowSeconds: number,
): Measured {
  const fromSmall = nowSeconds - windows.smallSeconds;
  const fromLarge = nowSeconds - windows.largeSeconds;
  const logins = new Map<string, MinerTally>();
  for (const item of work) {
    if (item.endSeconds <= fromLarge) continue;
    let miner = logins.get(item.login);
    if (miner === undefined) logins.set(item.login, miner = emptyMiner());
    let tally = miner.workers.get(item.worker);
    if (tally === undefined) miner.workers.set(item.worker, tally = emptyWorker());
    add(tally.large, item, fromLarge, nowSeconds);
    add(tally.small, item, fromSmall, nowSeconds);
    add(miner.small, item, fromSmall, nowSeconds);
  }
  const measured: Measured = { hashrateHps: 0n, miners: [], workers: new Map() };
  for (const [login, miner] of sorted(logins)) {
    const hashrateHps = rate(miner.small, miner.small.firstSeconds, nowSeconds, windows);
    const { lastSeconds } = miner.small;
    if (lastSeconds >= fromSmall) {
      measured.hashrateHps += hashrateHps;
      const offline = isOffline(lastSeconds, nowSeconds, windows);
      measured.miners.push({ login, lastShareSeconds: lastSeconds, hashrateHps, offline });
    }
    const rates = workerRates(miner.workers, windows, nowSeconds);
    if (rates.length > 0) measured.workers.set(login, rates);
  }
  return measured;
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

function partSince(work: Work, fromSeconds: number, nowSeconds: number): bigint {
  if (work.startSeconds >= fromSeconds) return work.difficulty;
  // A bucket that is still being filled has covered the time until now only.
  const end = Math.min(work.endSeconds, nowSeconds + 1);
  const inside = BigInt(end - fromSeconds);
  return work.difficulty * inside / BigInt(end - work.startSeconds);
}

function isOffline(lastSeconds: number, nowSeconds: number, windows: Windows): boolean {
  return lastSeconds < nowSeconds - Math.floor(windows.smallSeconds / 2);
}

function emptyTally(): Tally {
  return { difficulty: 0n, firstSeconds: Infinity, lastSeconds: -Infinity };
}

function emptyWorker(): WorkerTally {
  return { small: emptyTally(), large: emptyTally() };
}

function emptyMiner(): MinerTally {
  return { small: emptyTally(), workers: new Map() };
}

function sorted<V>(map: Map<string, V>): [string, V][] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}
