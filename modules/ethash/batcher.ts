/**
 * Batches that gather while the previous ones run.
 *
 * There is no timer: the first request of a tick goes out at the tick's end, what comes while all
 * lanes are busy goes out together when one is free. A batch of 64 takes little longer than a lone
 * share, so the queue shrinks faster the longer it is.
 */
import { bytesToBigInt } from "../base/mod.ts";
import { VerifierClosedError } from "./errors.ts";
import { type NativeLibrary, OUTPUT_BYTES, RECORD_BYTES } from "./library.ts";

/** The most shares of one native call: the library's best pass. */
export const BATCH_MAX = 64;

/** What a share's nonce hashes to. */
export interface PowHash {
  /** Mix digest, 32 bytes. */
  mix: Uint8Array;
  /** The result as a 256-bit big-endian number, to be compared with the target. */
  result: bigint;
}

/** Where a request is hashed. */
export interface Place {
  handle: number;
  flags: number;
}

interface Pending {
  place: Place;
  headerHash: Uint8Array;
  nonce: bigint;
  resolve: (hash: PowHash) => void;
  reject: (error: unknown) => void;
  done: () => void;
}

interface Lane {
  records: Uint8Array<ArrayBuffer>;
  out: Uint8Array<ArrayBuffer>;
}

/** Gathers requests into native calls, at most one call per lane at a time. */
export class Batcher {
  #library: NativeLibrary;
  #threads: number;
  #queue: Pending[] = [];
  #idle: Lane[];
  #running = new Set<Promise<void>>();
  #scheduled = false;
  #closed = false;
  /** Native calls made. */
  batches = 0;
  /** Shares hashed. */
  hashed = 0;

  /** @param threads native calls that run at a time */
  constructor(library: NativeLibrary, threads: number) {
    this.#library = library;
    this.#threads = threads;
    // With a call on every core the library lets further ones wait: a full batch that waits there
    // starts at once when a core is free, without a turn of the event loop.
    const ahead = threads >= navigator.hardwareConcurrency ? 1 : 0;
    this.#idle = Array.from({ length: threads + ahead }, () => ({
      records: new Uint8Array(BATCH_MAX * RECORD_BYTES),
      out: new Uint8Array(BATCH_MAX * OUTPUT_BYTES),
    }));
  }

  /** Requests that wait for a lane. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Native calls in flight. */
  get inFlight(): number {
    return this.#running.size;
  }

  /**
   * Hashes one share in some batch.
   *
   * @param done called once when the share has its hash or its error: cheaper than a `finally`
   */
  hash(
    place: Place,
    headerHash: Uint8Array,
    nonce: bigint,
    done: () => void = () => {},
  ): Promise<PowHash> {
    const { promise, resolve, reject } = Promise.withResolvers<PowHash>();
    if (this.#closed) {
      done();
      reject(new VerifierClosedError());
      return promise;
    }
    this.#queue.push({ place, headerHash, nonce, resolve, reject, done });
    if (!this.#scheduled && this.#idle.length > 0) {
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        this.#pump();
      });
    }
    return promise;
  }

  /** Rejects what waits and lets what runs end. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const pending of this.#queue.splice(0)) fail(pending, new VerifierClosedError());
    await Promise.allSettled(this.#running);
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#idle.length > 0) {
      const free = this.#threads - this.#running.size;
      // The lane ahead takes full batches only: what still gathers had better gather on.
      if (free <= 0 && this.#queue.length < BATCH_MAX) return;
      // What waits is spread over the free cores: two finish two halves sooner.
      const share = Math.ceil(this.#queue.length / Math.max(1, free));
      const batch = this.#take(Math.min(share, BATCH_MAX));
      const lane = this.#idle.pop()!;
      const run = this.#run(lane, batch).finally(() => {
        this.#idle.push(lane);
        this.#running.delete(run);
        this.#pump();
      });
      this.#running.add(run);
    }
  }

  /** Takes the oldest request and those that share its place, in order. */
  #take(count: number): Pending[] {
    const { handle, flags } = this.#queue[0]!.place;
    const other = this.#queue.findIndex(({ place }, i) =>
      i >= count || place.handle !== handle || place.flags !== flags
    );
    // Nearly always all shares are of one place.
    if (other < 0 || other >= count) return this.#queue.splice(0, count);
    const batch: Pending[] = [];
    const rest: Pending[] = [];
    for (const pending of this.#queue) {
      const fits = batch.length < count && pending.place.handle === handle &&
        pending.place.flags === flags;
      (fits ? batch : rest).push(pending);
    }
    this.#queue = rest;
    return batch;
  }

  async #run(lane: Lane, batch: Pending[]): Promise<void> {
    const records = lane.records.subarray(0, batch.length * RECORD_BYTES);
    const out = lane.out.subarray(0, batch.length * OUTPUT_BYTES);
    const view = new DataView(records.buffer);
    batch.forEach((pending, i) => {
      records.set(pending.headerHash, i * RECORD_BYTES);
      view.setBigUint64(i * RECORD_BYTES + 32, pending.nonce, true);
    });
    try {
      const { handle, flags } = batch[0]!.place;
      await this.#library.verifyBatch(handle, flags, records, out);
    } catch (error) {
      for (const pending of batch) fail(pending, error);
      return;
    }
    this.batches++;
    this.hashed += batch.length;
    batch.forEach((pending, i) => {
      const start = i * OUTPUT_BYTES;
      const mix = out.slice(start, start + 32);
      pending.done();
      pending.resolve({ mix, result: bytesToBigInt(out.subarray(start + 32, start + 64)) });
    });
  }
}

function fail(pending: Pending, error: unknown): void {
  pending.done();
  pending.reject(error);
}
