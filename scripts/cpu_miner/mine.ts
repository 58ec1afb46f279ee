/** A CPU miner: gets work, searches, submits, comes back after every failure until it is stopped. */
import { backoffMs, bytesToHex, errorText, nonceToHex } from "../../modules/base/mod.ts";
import {
  type Epoch,
  epochOf,
  epochOfSeed,
  openVerifier,
  SEARCH_MAX,
  type Verifier,
} from "../../modules/ethash/mod.ts";
import { GetworkSource } from "./getwork_source.ts";
import type { MinerOptions, ReplyEntry } from "./options.ts";
import { ReplyLog } from "./reply_log.ts";
import type { Submission, Work, WorkSource } from "./source.ts";
import { StratumSource } from "./stratum_source.ts";

/** A search call is sized to last about this long (milliseconds), so that new work is taken soon. */
const CHUNK_MS = 100;
const CHUNK_NONCES_FIRST = 256;
/** Time between two hashrate reports (milliseconds). */
const REPORT_MS = 10_000;
/** How long open submissions may take when the miner stops (milliseconds). */
const DRAIN_MS = 2000;

/** What a run amounts to. */
export interface MinerTotals {
  hashes: number;
  accepted: number;
  rejected: number;
  /** Submissions without an answer. */
  unknown: number;
}

/**
 * Mines until the signal is aborted.
 *
 * @throws {TypeError} when the URL is not one of a pool; {VerifierError} when the native library is
 * missing. Trouble with the pool never ends it.
 */
export async function runMiner(options: MinerOptions, signal: AbortSignal): Promise<MinerTotals> {
  const source = openSource(options);
  const { rule, libraryPath, log } = options;
  const verifier = openVerifier({ rule, libraryPath, log });
  const replies = new ReplyLog(options.logFile);
  const miner = new Miner(options, source, verifier, replies);
  try {
    await miner.run(signal);
  } finally {
    await verifier.close();
    await replies.close();
  }
  return miner.totals;
}

function openSource(options: MinerOptions): WorkSource {
  const { login = "", worker = "cpu" } = options;
  const url = new URL(options.url);
  if (url.protocol === "http:") {
    if (url.pathname === "/" && login !== "") url.pathname = `/${login}/${worker}`;
    return new GetworkSource(url.href, options.pollMs ?? 500, options.clock);
  }
  if (url.protocol !== "stratum+tcp:") {
    throw new TypeError(`Cannot mine at ${options.url}: expected stratum+tcp:// or http://`);
  }
  // URL keeps the host of unknown schemes, brackets of IPv6 included.
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const { dialect = "eth-proxy", password } = options;
  return new StratumSource({
    ...{ hostname, port: Number(url.port || 8008), login, worker, dialect },
    ...(password === undefined ? {} : { password }),
  });
}

/** Work with the height of its epoch, ready to be searched. */
interface ReadyWork extends Work {
  height: number;
}

class Miner {
  readonly totals: MinerTotals = { hashes: 0, accepted: 0, rejected: 0, unknown: 0 };
  #options: MinerOptions;
  #source: WorkSource;
  #verifier: Verifier;
  #replies: ReplyLog;
  #work: ReadyWork | undefined;
  #newest: Work | undefined;
  #changed = Promise.withResolvers<void>();
  #submissions = new Set<Promise<void>>();
  #epoch: { seed: string; found: Promise<Epoch | undefined> } | undefined;
  #nextNonce: bigint;

  constructor(
    options: MinerOptions,
    source: WorkSource,
    verifier: Verifier,
    replies: ReplyLog,
  ) {
    this.#options = options;
    this.#source = source;
    this.#verifier = verifier;
    this.#replies = replies;
    this.#nextNonce = startNonce(options.seed);
  }

  async run(signal: AbortSignal): Promise<void> {
    // The connection outlives the searches, so that the last submissions get their answers.
    const connection = new AbortController();
    const connected = this.#keepConnected(connection.signal);
    const threads = Array.from(
      { length: this.#options.threads ?? 1 },
      () => this.#search(signal),
    );
    const wake = () => this.#changed.resolve();
    signal.addEventListener("abort", wake, { once: true });
    const reporter = this.#report(signal);
    try {
      await Promise.all(threads);
    } finally {
      signal.removeEventListener("abort", wake);
      await this.#drain();
      connection.abort();
      await Promise.all([connected, reporter]);
    }
  }

  /** Serves one connection after the other, with backoff between failures. */
  async #keepConnected(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await this.#source.serve((work) => {
          attempt = 0;
          this.#take(work);
        }, signal);
      } catch (error) {
        this.#setWork(undefined);
        if (signal.aborted) return;
        const delayMs = backoffMs(attempt);
        log.warn("miner.disconnected", { reason: errorText(error), retryInMs: delayMs });
        await clock.sleep(delayMs, signal).catch(() => {});
      }
    }
  }

  /** Makes the epoch of new work ready, then lets the threads at it. */
  #take(work: Work): void {
    const { rule } = this.#options;
    const seed = work.seedHash === undefined
      ? `epoch ${epochOf(rule, work.height ?? 0).epoch}`
      : bytesToHex(work.seedHash);
    if (this.#epoch?.seed !== seed) {
      // Another epoch: what was mined is stale, and its context may go.
      this.#setWork(undefined);
      this.#epoch = { seed, found: this.#openEpoch(work) };
    }
    this.#newest = work;
    this.#epoch.found.then((epoch) => {
      // Newer work may have come while the cache was built.
      if (epoch && this.#newest === work) this.#setWork({ ...work, height: epoch.firstHeight });
    }, (error) => {
      this.#epoch = undefined;
      this.#options.log.error("miner.epoch.failed", { error });
    });
  }

  async #openEpoch({ seedHash, height = 0 }: Work): Promise<Epoch | undefined> {
    const { rule, dataset, log } = this.#options;
    const epoch = seedHash === undefined
      ? epochOf(rule, height)
      : epochOfSeed(rule, seedHash, (seed) => this.#verifier.keccak256(seed));
    if (epoch === undefined) {
      log.error("miner.seed.unknown", { seedHash: bytesToHex(seedHash!) });
      return undefined;
    }
    await this.#verifier.prepare(epoch.firstHeight);
    if (dataset !== undefined) {
      await this.#verifier.attachDataset(epoch.firstHeight, dataset).catch((error) => {
        log.warn("miner.dataset.unused", { epoch: epoch.epoch, error });
      });
    }
    log.info("miner.epoch", { epoch: epoch.epoch });
    return epoch;
  }

  #setWork(work: ReadyWork | undefined): void {
    if (work === undefined) this.#newest = undefined;
    this.#work = work;
    if (work) this.#options.log.debug("miner.work", { header: work.header });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** One searching thread: chunk after chunk of whatever work is current. */
  async #search(signal: AbortSignal): Promise<void> {
    let count = this.#chunkNonces(CHUNK_NONCES_FIRST);
    while (!signal.aborted) {
      const work = this.#work;
      if (work === undefined) {
        await this.#changed.promise;
        continue;
      }
      const startMs = performance.now();
      const tried = await this.#searchRange(work, this.#takeNonces(count), count, signal);
      const tookMs = Math.max(performance.now() - startMs, 0.1);
      await this.#pace(tried, tookMs, signal);
      count = this.#chunkNonces(tried * CHUNK_MS / tookMs);
    }
  }

  /** Goes through a range to its end, or until the work changes. */
  async #searchRange(
    work: ReadyWork,
    start: bigint,
    count: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { height, headerHash, target } = work;
    let tried = 0;
    while (tried < count && this.#work === work && !signal.aborted) {
      const startNonce = within(start + BigInt(tried), work.extranonce);
      const range = { height, headerHash, target, startNonce, count: count - tried };
      const found = await this.#verifier.search(range);
      tried += found.tried;
      this.totals.hashes += found.tried;
      if (found.solution === undefined) continue;
      const { nonce, mix } = found.solution;
      // A range that leaves the extranonce's nonces ends at their edge.
      if (within(nonce, work.extranonce) !== nonce) continue;
      const { header, jobId, extranonce } = work;
      const share = { nonce: nonceToHex(nonce), header, mix: bytesToHex(mix) };
      this.#submit(share, { ...share, jobId, extranonce });
    }
    return tried;
  }

  #takeNonces(count: number): bigint {
    const start = this.#nextNonce;
    this.#nextNonce = BigInt.asUintN(64, start + BigInt(count));
    return start;
  }

  /** The size that lasts CHUNK_MS, at the rate just seen or at the limit. */
  #chunkNonces(ideal: number): number {
    const { hashrateHpsMax = Infinity, threads = 1 } = this.#options;
    const limit = hashrateHpsMax / threads * CHUNK_MS / 1000;
    return Math.round(Math.max(1, Math.min(ideal, limit, SEARCH_MAX)));
  }

  async #pace(tried: number, tookMs: number, signal: AbortSignal): Promise<void> {
    const { hashrateHpsMax, threads = 1, clock } = this.#options;
    if (hashrateHpsMax === undefined) return;
    const waitMs = tried * threads / hashrateHpsMax * 1000 - tookMs;
    if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => {});
  }

  #submit(share: { nonce: string; header: string; mix: string }, submission: Submission): void {
    const { clock, log, onReply } = this.#options;
    const call = this.#source.submit(submission).then(async ({ accepted, error }) => {
      const outcome = accepted === null ? "unknown" : accepted ? "accepted" : "rejected";
      this.totals[outcome]++;
      const entry: ReplyEntry = {
        ts: clock.now(),
        ...share,
        accepted,
        error: error ?? null,
      };
      log.info(`miner.share.${outcome}`, { nonce: share.nonce, error });
      await this.#replies.append(entry);
      onReply?.(entry);
    }).catch((error) => log.error("miner.log.failed", { error }));
    this.#submissions.add(call);
    call.finally(() => this.#submissions.delete(call));
  }

  async #drain(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise((resolve) => timer = setTimeout(resolve, DRAIN_MS));
    await Promise.race([Promise.all(this.#submissions), deadline]);
    clearTimeout(timer);
  }

  async #report(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    let before = 0;
    while (!signal.aborted) {
      await clock.sleep(REPORT_MS, signal).catch(() => {});
      if (signal.aborted) return;
      const hashrateHps = (this.totals.hashes - before) / (REPORT_MS / 1000);
      before = this.totals.hashes;
      log.info("miner.hashrate", { hashrateHps: Math.round(hashrateHps), ...this.totals });
      this.#source.reportHashrate(hashrateHps);
    }
  }
}

/** The nonce with an extranonce for its first digits. */
function within(nonce: bigint, extranonce = ""): bigint {
  const bits = 64 - 4 * extranonce.length;
  return (BigInt("0x0" + extranonce) << BigInt(bits)) | BigInt.asUintN(bits, nonce);
}

/** Random, or splitmix64 of a seed; two miners with one seed do the same work. */
function startNonce(seed: number | undefined): bigint {
  if (seed === undefined) return crypto.getRandomValues(new BigUint64Array(1))[0]!;
  let z = BigInt.asUintN(64, BigInt(seed) + 0x9e3779b97f4a7c15n);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}
