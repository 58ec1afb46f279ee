/** The last good snapshot, read again when it may be old; a failed read changes nothing. */
import type { Clock, Logger } from "../base/mod.ts";

/** A snapshot is read again when the last reading is older than this (milliseconds). */
const READ_AGAIN_MS = 500;

/** Keeps the last value that `read` gave. */
export class Latest<T> {
  readonly #read: () => Promise<T | undefined>;
  readonly #deps: { clock: Clock; log: Logger };
  #value: T | undefined;
  #readAtMs = -Infinity;
  #reading: Promise<void> | undefined;
  #failing = false;

  constructor(read: () => Promise<T | undefined>, deps: { clock: Clock; log: Logger }) {
    this.#read = read;
    this.#deps = deps;
  }

  /** The newest value known; undefined before the first. Never rejects. */
  async get(): Promise<T | undefined> {
    if (this.#deps.clock.now() - this.#readAtMs >= READ_AGAIN_MS) {
      await (this.#reading ??= this.#refresh());
    }
    return this.#value;
  }

  async #refresh(): Promise<void> {
    const { clock, log } = this.#deps;
    try {
      this.#value = await this.#read() ?? this.#value;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn("api.snapshotNotRead", { error, note: "the last one stays" });
      this.#failing = true;
    } finally {
      this.#readAtMs = clock.now();
      this.#reading = undefined;
    }
  }
}
