/** What a pool of a given size needs, from measured costs; all of it is arithmetic. */
import type { Costs } from "./costs.ts";

/** A pool, or one region of it with a ledger of its own. */
export interface Pool {
  /** Workers connected. */
  workers: number;
  /** Workers of one login, on average. */
  workersPerLogin: number;
  /** Seconds between two shares of a worker, as `proxy.varDiff.targetTime` keeps them. */
  targetSeconds: number;
  /** Seconds between two jobs: the chain's blocks. */
  blockSeconds: number;
  /** Seconds of `proxy.hashrateExpiration`, for which buckets are kept. */
  bucketSeconds: number;
  /** Seconds of `api.statsCollectInterval`. */
  collectSeconds: number;
}

/** The pool that the tables begin with: the configuration's defaults, a block each 13 seconds. */
export const USUAL: Pool = {
  workers: 1_000,
  workersPerLogin: 5,
  targetSeconds: 15,
  blockSeconds: 13,
  bucketSeconds: 10_800,
  collectSeconds: 5,
};

/** Length of a bucket of hashrates (seconds), as modules/ledger has it. */
const BUCKET_SECONDS = 120;
/** Sessions of one stratum thread: `proxy.stratum.maxConn`'s default. */
export const THREAD_SESSIONS = 8_192;
/** What of one processor or thread may be busy on average, so that bursts pass. */
export const BUSY_MAX = 0.6;
/** Heights of shares in the duplicate set, and seconds of a batch's stored reply (modules/ledger). */
const HEIGHTS_KEPT = 8;
const REPLY_SECONDS = 600;

/** What a pool needs. */
export interface Needs {
  sharesPerSecond: number;
  /** Cores for hashes over light cache and dataset, and for all else of a share and the jobs. */
  lightCores: number;
  datasetCores: number;
  stratumCores: number;
  /** Stratum threads, with at most THREAD_SESSIONS each. */
  threads: number;
  /** Seconds from a thread's first to its last session when a job goes out. */
  broadcastSeconds: number;
  sessionBytes: number;
  /** Part of Redis's one thread that shares and statistics take, with the batches that come. */
  redisBusy: number;
  /** The same when batches are as large as they get: at 1 Redis no longer keeps up. */
  redisFull: number;
  round: Round;
  redisBytes: number;
  /** Written to the append-only file and to each replica (bytes a second). */
  fileBytesPerSecond: number;
  /** Processor seconds of one collection of statistics. */
  collectCpuSeconds: number;
  /** Network, to the miners and from them (bits a second), and one job to all (bytes). */
  bitsDown: number;
  bitsUp: number;
  jobBurstBytes: number;
  /** Relative error (one sigma) of a worker's hashrate over 30 minutes: 1/√shares. */
  hashrateError: number;
}

/** What it needs by the costs. */
export function needsOf(pool: Pool, costs: Costs): Needs {
  const { workers, targetSeconds, blockSeconds } = pool;
  const sharesPerSecond = workers / targetSeconds;
  const logins = workers / pool.workersPerLogin;
  const threads = Math.ceil(workers / THREAD_SESSIONS);
  const collectBusy = workers * costs.collectRedisMicros / 1e6 / pool.collectSeconds;
  const round = roundOf(sharesPerSecond, threads, costs, collectBusy);
  const jobs = workers / blockSeconds;
  // A bucket has a row only for those who sent a share within its two minutes.
  const seen = 1 - Math.exp(-BUCKET_SECONDS / targetSeconds);
  const bucketBytes = costs.workerBucketBytes * (pool.bucketSeconds / BUCKET_SECONDS) * seen;
  const line = (bytes: number) => bytes + costs.packetBytes;
  return {
    sharesPerSecond,
    lightCores: sharesPerSecond * costs.lightMicros / 1e6,
    datasetCores: sharesPerSecond * costs.datasetMicros / 1e6,
    stratumCores: (sharesPerSecond * costs.shareMicros + jobs * costs.jobMicros) / 1e6,
    threads,
    broadcastSeconds: Math.min(workers, THREAD_SESSIONS) * costs.jobMicros / 1e6,
    sessionBytes: workers * costs.sessionBytes,
    redisBusy: collectBusy +
      (sharesPerSecond * costs.batchShareMicros + round.batchesPerSecond * costs.batchMicros) / 1e6,
    redisFull: collectBusy +
      sharesPerSecond * (costs.batchShareMicros + costs.batchMicros / 256) / 1e6,
    round,
    redisBytes: workers * (bucketBytes + costs.workerBytes) + logins * costs.loginBytes +
      sharesPerSecond * blockSeconds * HEIGHTS_KEPT * costs.duplicateBytes +
      round.batchesPerSecond * REPLY_SECONDS * costs.replyBytes,
    fileBytesPerSecond: sharesPerSecond * costs.shareFileBytes +
      round.batchesPerSecond * costs.batchFileBytes,
    collectCpuSeconds: workers * costs.collectMicros / 1e6,
    bitsDown: 8 * (jobs * line(costs.jobBytes) + sharesPerSecond * line(costs.answerBytes)),
    bitsUp: 8 * (sharesPerSecond * (line(costs.shareBytes) + costs.packetBytes) +
      jobs * costs.packetBytes),
    jobBurstBytes: workers * line(costs.jobBytes),
    hashrateError: 1 / Math.sqrt(1_800 / targetSeconds),
  };
}

/** How Redis's thread goes round: batches that wait, their cost, one sync for all of them. */
export interface Round {
  /** Seconds of one round; Infinity when shares alone take all of the thread. */
  seconds: number;
  /** Batches in it. */
  batches: number;
  batchesPerSecond: number;
}

/**
 * The round at which shares come as fast as they go: each recorder that has had a share since the
 * last round has one batch in it.
 *
 * @param statisticsBusy part of the thread that statistics take
 */
export function roundOf(
  sharesPerSecond: number,
  recorders: number,
  costs: Costs,
  statisticsBusy = 0,
): Round {
  const free = 1 - statisticsBusy - sharesPerSecond * costs.batchShareMicros / 1e6;
  if (free <= 0) return { seconds: Infinity, batches: recorders, batchesPerSecond: 0 };
  let seconds = costs.syncMicros / 1e6;
  let batches = 1;
  for (let step = 0; step < 1_000; step++) {
    batches = recorders * (1 - Math.exp(-sharesPerSecond * seconds / recorders));
    seconds = (costs.syncMicros + batches * costs.batchMicros) / 1e6 / free;
  }
  return { seconds, batches, batchesPerSecond: batches / seconds };
}

/** Shares a second at which they alone take so much of Redis's thread, in batches of so many. */
export function sharesAtBusy(busy: number, batch: number, costs: Costs): number {
  return busy * 1e6 / (costs.batchShareMicros + costs.batchMicros / batch);
}
