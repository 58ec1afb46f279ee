/** The group commit of many recorders at one Redis, share by share, with seeded arrivals. */
import type { Costs } from "./costs.ts";

/** What is simulated. */
export interface CommitOptions {
  /** Stratum threads: each has at most one batch under way. */
  recorders: number;
  sharesPerSecond: number;
  /** Seconds of arrivals; what waits then is still answered. */
  seconds: number;
  seed: number;
  /** One way between a recorder and Redis (seconds). @default {0.00025} */
  networkSeconds?: number;
}

/** What came of it; times in milliseconds from a share to its answer. */
export interface CommitResult {
  shares: number;
  p50Ms: number;
  p99Ms: number;
  longestMs: number;
  /** Part of the time in which Redis's thread worked, syncs not counted. */
  busy: number;
  /** Shares of a batch, on average. */
  batchShares: number;
  /** Seconds after the last arrival until the last answer: long when it did not keep up. */
  overrunSeconds: number;
}

/** Shares in a batch at most, as the recorder has it. */
const BATCH_MAX = 256;

interface Recorder {
  /** Arrival times, oldest first, and how many of them were sent. */
  waiting: number[];
  sent: number;
  /** Shares under way and when they are at Redis; none: undefined. */
  batch?: { atSeconds: number; count: number };
}

/** Runs it: every round Redis takes the batches that are there, and syncs once for all of them. */
export function simulateCommit(options: CommitOptions, costs: Costs): CommitResult {
  const { recorders: count, sharesPerSecond, seconds, networkSeconds = 0.00025 } = options;
  const recorders = arrivals(count, sharesPerSecond, seconds, options.seed);
  const tookMs: number[] = [];
  let now = 0, busySeconds = 0, batches = 0;
  for (const recorder of recorders) send(recorder, 0, networkSeconds);
  while (true) {
    const next = Math.min(...recorders.map(({ batch }) => batch?.atSeconds ?? Infinity));
    if (next === Infinity) break;
    now = Math.max(now, next);
    const taken = recorders.filter(({ batch }) => batch !== undefined && batch.atSeconds <= now);
    const shares = taken.reduce((sum, { batch }) => sum + batch!.count, 0);
    const work = (taken.length * costs.batchMicros + shares * costs.batchShareMicros) / 1e6;
    busySeconds += work;
    batches += taken.length;
    now += work + costs.syncMicros / 1e6;
    for (const recorder of taken) {
      const answeredAt = now + networkSeconds;
      const { count } = recorder.batch!;
      for (let i = recorder.sent; i < recorder.sent + count; i++) {
        tookMs.push((answeredAt - recorder.waiting[i]!) * 1_000);
      }
      recorder.sent += count;
      delete recorder.batch;
      send(recorder, answeredAt, networkSeconds);
    }
  }
  tookMs.sort((a, b) => a - b);
  const at = (part: number) =>
    tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * part))];
  return {
    shares: tookMs.length,
    p50Ms: at(0.5) ?? 0,
    p99Ms: at(0.99) ?? 0,
    longestMs: tookMs.at(-1) ?? 0,
    busy: busySeconds / Math.max(now, seconds),
    batchShares: tookMs.length / Math.max(1, batches),
    overrunSeconds: Math.max(0, now - seconds),
  };
}

/** What has arrived goes out now, else the next share when it comes. */
function send(recorder: Recorder, now: number, networkSeconds: number): void {
  const { waiting, sent } = recorder;
  const first = waiting[sent];
  if (first === undefined) return;
  const start = Math.max(now, first);
  let count = 1;
  while (count < BATCH_MAX && (waiting[sent + count] ?? Infinity) <= start) count++;
  recorder.batch = { atSeconds: start + networkSeconds, count };
}

function arrivals(count: number, perSecond: number, seconds: number, seed: number): Recorder[] {
  const random = mulberry32(seed);
  const recorders = Array.from({ length: count }, (): Recorder => ({ waiting: [], sent: 0 }));
  for (let at = 0; (at -= Math.log(1 - random()) / perSecond) < seconds;) {
    recorders[Math.floor(random() * count)]!.waiting.push(at);
  }
  return recorders;
}

/** A small generator of numbers from 0 to 1 (mulberry32, public domain). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
