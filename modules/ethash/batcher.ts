/**
 * Shares on their way through the library's queue.
 *
 * There is no timer: what comes within one turn of the event loop is handed over together at its
 * end, and the library's threads take whatever waits, up to 64 at a time. One call at a time waits
 * for answers; none of them holds memory of this side, so that a worker may end at any moment.
 */
import { bytesToBigInt } from "../base/mod.ts";
import { count, observe } from "../metrics/mod.ts";
import { statusError, VerifierClosedError } from "./errors.ts";
import type { NativeLibrary } from "./library.ts";
import { DONE_BYTES, TASK_BYTES, TASK_CLAIM, TASK_HASH } from "./queue_calls.ts";
import { STATUS } from "./status.ts";

/** The most shares of one hand-over or one fetch. */
export const TURN_MAX = 256;

/** What a share's nonce hashes to. */
export interface PowHash {
  /** Mix digest, 32 bytes. */
  mix: Uint8Array;
  /** The result as a 256-bit big-endian number, to be compared with the target. */
  result: bigint;
}

/** What a miner claims, to be looked at before anything is hashed. */
export interface Claim {
  /** Mix digest, 32 bytes. */
  mix: Uint8Array;
  /** The largest result that is worth a full hash, 32 bytes, big-endian. */
  target: Uint8Array;
}

/** Where a request is hashed. */
export interface Place {
  handle: number;
  flags: number;
}

interface Pending {
  resolve: (hash: PowHash | undefined) => void;
  reject: (error: unknown) => void;
  done: () => void;
  /** When it came (milliseconds of the monotonic clock). */
  sinceMs: number;
}

/** Hands shares to the library and their hashes back. */
export class Batcher {
  #library: NativeLibrary;
  #queue: number;
  #tasks = new Uint8Array(TURN_MAX * TASK_BYTES);
  #view = new DataView(this.#tasks.buffer);
  #out = new Uint8Array(TURN_MAX * DONE_BYTES);
  #outView = new DataView(this.#out.buffer);
  /** By ticket; undefined where a ticket is free. */
  #pending: (Pending | undefined)[] = [];
  #freeTickets: number[] = [];
  /** Tasks written and not handed over, all of one place. */
  #gathered = 0;
  #place: Place = { handle: 0, flags: 0 };
  #scheduled = false;
  #underWay = 0;
  #watching: Promise<void> | undefined;
  #closed = false;
  /** Shares hashed. */
  hashed = 0;

  /**
   * @param capacity shares that may be under way at a time
   * @param threads threads of the process that hash at least (0: one per core)
   */
  constructor(library: NativeLibrary, capacity: number, threads: number) {
    this.#library = library;
    this.#queue = library.openQueue(capacity, threads);
  }

  /** Shares that were taken in and have no hash yet. */
  get underWay(): number {
    return this.#gathered + this.#underWay;
  }

  /**
   * Hashes one share in some batch; undefined when its claim's result is above the claim's target.
   *
   * @param done called once when the share has its hash or its error: cheaper than a `finally`
   */
  hash(
    place: Place,
    headerHash: Uint8Array,
    nonce: bigint,
    claim: Claim | undefined,
    done: () => void = () => {},
  ): Promise<PowHash | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<PowHash | undefined>();
    const pending = { resolve, reject, done, sinceMs: performance.now() };
    if (this.#closed) {
      fail(pending, new VerifierClosedError());
      return promise;
    }
    const same = place.handle === this.#place.handle && place.flags === this.#place.flags;
    if (this.#gathered === TURN_MAX || !same) this.#handOver();
    this.#place = place;
    const ticket = this.#freeTickets.pop() ?? this.#pending.length;
    this.#pending[ticket] = pending;
    const start = this.#gathered++ * TASK_BYTES;
    this.#view.setUint32(start, ticket, true);
    this.#view.setUint32(start + 4, claim === undefined ? TASK_HASH : TASK_CLAIM, true);
    this.#view.setBigUint64(start + 8, nonce, true);
    this.#tasks.set(headerHash, start + 16);
    if (claim !== undefined) {
      this.#tasks.set(claim.mix, start + 48);
      this.#tasks.set(claim.target, start + 80);
    }
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => {
        this.#scheduled = false;
        this.#handOver();
      });
    }
    return promise;
  }

  /** Rejects what no thread has begun, lets what runs end. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#rejectGathered(new VerifierClosedError());
    this.#library.drainQueue(this.#queue);
    await this.#watching;
    this.#library.closeQueue(this.#queue);
  }

  #handOver(): void {
    if (this.#gathered === 0) return;
    const { handle, flags } = this.#place;
    const tasks = this.#tasks.subarray(0, this.#gathered * TASK_BYTES);
    try {
      this.#library.submitTasks(this.#queue, handle, flags, tasks);
    } catch (error) {
      this.#rejectGathered(error);
      return;
    }
    this.#underWay += this.#gathered;
    this.#gathered = 0;
    this.#watching ??= this.#watch();
  }

  async #watch(): Promise<void> {
    while (this.#underWay > 0) {
      await this.#library.waitForDone(this.#queue);
      let count: number;
      do {
        count = this.#library.takeDone(this.#queue, this.#out);
        for (let i = 0; i < count; i++) this.#settle(i * DONE_BYTES);
      } while (count === TURN_MAX);
    }
    this.#watching = undefined;
  }

  #settle(start: number): void {
    const pending = this.#release(this.#outView.getUint32(start, true));
    this.#underWay--;
    const status = this.#outView.getInt32(start + 4, true);
    if (status < 0) return fail(pending, statusError("verify a share", status));
    this.hashed++;
    count("quarry_verified_total");
    observe("quarry_verify_seconds", (performance.now() - pending.sinceMs) / 1000);
    pending.done();
    if (status === STATUS.CLAIM_FAILED) return pending.resolve(undefined);
    const mix = this.#out.slice(start + 8, start + 40);
    pending.resolve({ mix, result: bytesToBigInt(this.#out.subarray(start + 40, start + 72)) });
  }

  #rejectGathered(error: unknown): void {
    const count = this.#gathered;
    this.#gathered = 0;
    for (let i = 0; i < count; i++) {
      fail(this.#release(this.#view.getUint32(i * TASK_BYTES, true)), error);
    }
  }

  #release(ticket: number): Pending {
    const pending = this.#pending[ticket]!;
    this.#pending[ticket] = undefined;
    this.#freeTickets.push(ticket);
    return pending;
  }
}

function fail(pending: Pending, error: unknown): void {
  pending.done();
  pending.reject(error);
}
