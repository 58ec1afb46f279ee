/** The verifier that the pool uses: heights to contexts, shares to batches, all off the event loop. */
import { bytesToBigInt, type Logger } from "../base/mod.ts";
import { Batcher, type Claim, type PowHash } from "./batcher.ts";
import { type Context, EpochContexts } from "./contexts.ts";
import { Datasets } from "./datasets.ts";
import { type Epoch, EPOCH_MAX, epochOf, type EpochRule, sameContext } from "./epochs.ts";
import { VerifierBusyError, VerifierClosedError, VerifierError } from "./errors.ts";
import {
  type ContextInfo,
  FOUND_BYTES,
  type NativeLibrary,
  openLibrary,
  SEARCH_MAX,
} from "./library.ts";
import type {
  SearchOptions,
  SearchResult,
  Verifier,
  VerifierOptions,
  VerifierStats,
} from "./types.ts";

export { SEARCH_MAX } from "./library.ts";

/** The next epoch is built when this part of the current one is left. */
const AHEAD_PART = 0.02;
const QUEUED_MAX = 4096;
const NONCE_MAX = (1n << 64n) - 1n;

/** Name of the dataset file of a seed, as go-ethereum names it. */
export function datasetFileName(seed: Uint8Array): string {
  return `full-R23-${seed.subarray(0, 8).toHex()}`;
}

/**
 * Loads the native library and opens a verifier over it.
 *
 * @throws {VerifierError} when the library is missing; the message says how to build it.
 */
export function openVerifier(options: VerifierOptions): Verifier {
  epochOf(options.rule, 0);
  const library = openLibrary(options.libraryPath);
  try {
    return new NativeVerifier(library, options);
  } catch (error) {
    library.close();
    throw error;
  }
}

class NativeVerifier implements Verifier {
  #library: NativeLibrary;
  #rule: EpochRule;
  #log: Logger;
  #queuedMax: number;
  #contexts: EpochContexts;
  #datasets: Datasets;
  #batcher: Batcher;
  #current: Epoch | undefined;
  #outstanding = 0;
  #busy = 0;
  #calls = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(library: NativeLibrary, options: VerifierOptions) {
    this.#library = library;
    this.#rule = options.rule;
    this.#log = options.log;
    this.#queuedMax = options.maxQueued ?? QUEUED_MAX;
    this.#datasets = new Datasets(library, options.dag ?? { mode: "off" }, options.log);
    const onClosed = (handle: number) => this.#datasets.forget(handle);
    this.#contexts = new EpochContexts(library, options.log, onClosed);
    this.#batcher = new Batcher(library, this.#queuedMax, options.threads ?? 0);
  }

  async prepare(height: number): Promise<void> {
    this.#assertOpen();
    const epoch = epochOf(this.#rule, height);
    this.#current = epoch;
    const ready = this.#contexts.ensure(epoch);
    this.#contexts.retain(this.#neighbours(epoch));
    await ready;
    if (this.#closing) return;
    const windowBlocks = Math.floor((epoch.nextHeight - epoch.firstHeight) * AHEAD_PART);
    if (epoch.nextHeight - height <= Math.max(1, windowBlocks)) this.#buildAhead(epoch);
    this.#wantDatasets(epoch);
  }

  isReady(height: number): boolean {
    return this.#contexts.isReady(epochOf(this.#rule, height));
  }

  hash(height: number, headerHash: Uint8Array, nonce: bigint): Promise<PowHash> {
    // Only a claim can be answered without a hash.
    return this.#hash(height, headerHash, nonce, undefined) as Promise<PowHash>;
  }

  hashClaim(
    height: number,
    headerHash: Uint8Array,
    nonce: bigint,
    claim: Claim,
  ): Promise<PowHash | undefined> {
    const lengths = [claim.mix.length, claim.target.length];
    if (lengths.some((length) => length !== 32)) {
      return Promise.reject(new RangeError("Cannot hash: expected a claim of twice 32 bytes"));
    }
    return this.#hash(height, headerHash, nonce, claim);
  }

  #hash(
    height: number,
    headerHash: Uint8Array,
    nonce: bigint,
    claim: Claim | undefined,
  ): Promise<PowHash | undefined> {
    if (this.#closing) return Promise.reject(new VerifierClosedError());
    if (this.#outstanding >= this.#queuedMax) {
      this.#busy++;
      return Promise.reject(new VerifierBusyError(this.#queuedMax));
    }
    try {
      checkHeader(headerHash);
      checkNonce(nonce);
      const epoch = this.#nearEpoch(height);
      const taken = this.#contexts.take(epoch);
      if (taken === undefined) return this.#hashLater(height, headerHash, nonce, claim);
      // Tens of thousands of times a second: one promise, and nothing that is not needed.
      this.#outstanding++;
      return this.#batcher.hash(taken.context, headerHash, nonce, claim, () => {
        this.#outstanding--;
        taken.done();
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  seedHash(height: number): Uint8Array {
    this.#assertOpen();
    return this.#library.seedHash(epochOf(this.#rule, height).seedRounds);
  }

  keccak256(message: Uint8Array): Uint8Array {
    this.#assertOpen();
    return this.#library.keccak256(message);
  }

  async search(options: SearchOptions): Promise<SearchResult> {
    const { headerHash, startNonce, count } = options;
    const target = Uint8Array.fromHex(options.target.toString(16).padStart(64, "0"));
    checkNonce(startNonce);
    if (!Number.isInteger(count) || count < 1 || count > SEARCH_MAX) {
      throw new RangeError(`Cannot search: expected a count of 1 to ${SEARCH_MAX}, got ${count}`);
    }
    const out = new Uint8Array(FOUND_BYTES);
    const range = { headerHash, startNonce, count, target };
    const found = await this.#withContext(
      options.height,
      (context) => this.#library.search(context.handle, context.flags, range, out),
    );
    const view = new DataView(out.buffer);
    const tried = Number(view.getBigUint64(8, true));
    if (!found) return { tried };
    const nonce = view.getBigUint64(0, true);
    return {
      solution: { nonce, mix: out.slice(16, 48), result: bytesToBigInt(out.subarray(48)) },
      tried,
    };
  }

  info(height: number): Promise<ContextInfo> {
    return this.#withContext(
      height,
      (context) => Promise.resolve(this.#library.contextInfo(context.handle)),
    );
  }

  useDataset(height: number, directory: string, threads = 0): Promise<void> {
    return this.#withContext(height, async (context) => {
      const seed = this.#library.seedHash(context.epoch.seedRounds);
      const path = `${directory}/${datasetFileName(seed)}`;
      try {
        await this.#library.attachDataset(context.handle, path);
      } catch (error) {
        const status = error instanceof VerifierError ? error.facts.status : undefined;
        if (status !== "IO" && status !== "INVALID_DATASET") throw error;
        this.#log.info("dataset.generate", { path, reason: status });
        await this.#library.prepareDataset(context.handle, directory, threads);
      }
      this.#log.info("dataset.attached", { path, epoch: context.epoch.epoch });
    });
  }

  attachDataset(height: number, path: string): Promise<void> {
    return this.#withContext(
      height,
      (context) => this.#library.attachDataset(context.handle, path),
    );
  }

  writeDummyDataset(height: number, directory: string): Promise<void> {
    this.#assertOpen();
    const epoch = epochOf(this.#rule, height);
    return this.#track(this.#library.writeDummyDataset(epoch, directory));
  }

  stats(): VerifierStats {
    const { underWay, hashed } = this.#batcher;
    return { underWay, hashed, busy: this.#busy };
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    // Batches need their contexts for some milliseconds more; searches end when those close.
    await this.#batcher.close();
    const datasets = this.#datasets.close();
    await this.#contexts.close();
    await datasets;
    await Promise.allSettled(this.#calls);
    this.#library.close();
  }

  /** Hashes a share whose epoch is not built yet. */
  async #hashLater(
    height: number,
    headerHash: Uint8Array,
    nonce: bigint,
    claim: Claim | undefined,
  ): Promise<PowHash | undefined> {
    this.#outstanding++;
    try {
      return await this.#withContext(
        height,
        (context) => this.#batcher.hash(context, headerHash, nonce, claim),
      );
    } finally {
      this.#outstanding--;
    }
  }

  async #withContext<T>(height: number, work: (context: Context) => Promise<T>): Promise<T> {
    this.#assertOpen();
    const epoch = this.#nearEpoch(height);
    this.#current ??= epoch;
    try {
      return await this.#track(this.#contexts.use(epoch, work));
    } catch (error) {
      // A call that reached the library only after its context was closed.
      const late = error instanceof VerifierError && error.facts.status === "INVALID_HANDLE";
      throw late && this.#closing ? new VerifierClosedError() : error;
    }
  }

  /** The epoch of a height that is not far from the prepared one. */
  #nearEpoch(height: number): Epoch {
    const current = this.#current;
    if (current !== undefined && height >= current.firstHeight && height < current.nextHeight) {
      if (Number.isSafeInteger(height)) return current;
    }
    const epoch = epochOf(this.#rule, height);
    const near = current === undefined ? [epoch] : this.#neighbours(current);
    if (!near.some((other) => sameContext(other, epoch))) {
      throw new VerifierError(
        `Cannot verify at height ${height}: its epoch is not next to the prepared one`,
        { facts: { height, epoch: epoch.epoch, prepared: current?.epoch } },
      );
    }
    return epoch;
  }

  #track<T>(call: Promise<T>): Promise<T> {
    const settled = call.then(() => {}, () => {});
    this.#calls.add(settled);
    settled.then(() => this.#calls.delete(settled));
    return call;
  }

  /** The datasets of this and, once its light cache is there, the next epoch. */
  #wantDatasets(epoch: Epoch): void {
    // A call for an older height does not take the current epoch's place.
    if (this.#current === undefined || !sameContext(this.#current, epoch)) return;
    const near = this.#neighbours(epoch);
    const ahead = near.filter((other) => other.firstHeight >= epoch.firstHeight);
    const oldest = Math.min(...near.map((other) => other.seedRounds));
    this.#datasets.want(this.#contexts.built(ahead), oldest);
  }

  /** The last, this and the next epoch. */
  #neighbours(epoch: Epoch): Epoch[] {
    const near = [epoch];
    if (epoch.firstHeight > 0) near.push(epochOf(this.#rule, epoch.firstHeight - 1));
    if (hasNext(epoch)) near.push(epochOf(this.#rule, epoch.nextHeight));
    return near;
  }

  #buildAhead(epoch: Epoch): void {
    if (this.#closing || !hasNext(epoch)) return;
    const next = epochOf(this.#rule, epoch.nextHeight);
    // The next prepare() tries again; until the epoch ends nothing depends on it.
    this.#contexts.ensure(next).then(() => this.#wantDatasets(epoch)).catch((error) => {
      if (error instanceof VerifierClosedError) return;
      this.#log.warn("epoch.ahead.failed", { epoch: next.epoch, error });
    });
  }

  #assertOpen(): void {
    if (this.#closing) throw new VerifierClosedError();
  }
}

function hasNext(epoch: Epoch): boolean {
  return Number.isFinite(epoch.nextHeight) && epoch.epoch < EPOCH_MAX;
}

function checkHeader(headerHash: Uint8Array): void {
  if (headerHash.length !== 32) {
    throw new RangeError(`Cannot hash: expected a header hash of 32 bytes`);
  }
}

function checkNonce(nonce: bigint): bigint {
  if (nonce < 0n || nonce > NONCE_MAX) {
    throw new RangeError(`Cannot use a nonce beyond 64 bits: current value is ${nonce}`);
  }
  return nonce;
}
