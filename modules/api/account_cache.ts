/** Bodies of answers, kept a short time and bounded in number: the least used goes first. */
import type { Clock } from "../base/mod.ts";

/** A bounded cache in which simultaneous requests for one key share one load. */
export class AccountCache<T = string> {
  readonly #options: { maxAgeMs: number; size: number };
  readonly #clock: Clock;
  /** In order of use, the least recent first. */
  readonly #entries = new Map<string, { atMs: number; body: Promise<T | undefined> }>();

  /** @param options.maxAgeMs life of a body; @param options.size bodies held at most */
  constructor(options: { maxAgeMs: number; size: number }, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Bodies held. */
  get size(): number {
    return this.#entries.size;
  }

  /** The body under a key, loaded when none is fresh. Failures and absences are not kept. */
  get(key: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const known = this.#entries.get(key);
    this.#entries.delete(key);
    const nowMs = this.#clock.now();
    if (known !== undefined && nowMs - known.atMs <= this.#options.maxAgeMs) {
      this.#entries.set(key, known);
      return known.body;
    }
    this.#forgetOld(nowMs);
    const entry = { atMs: nowMs, body: load() };
    const forget = () => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    entry.body.then((body) => body === undefined && forget(), forget);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#options.size) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
    return entry.body;
  }

  /** What nobody used while it was fresh goes, or whoever asks for ever new keys fills the memory. */
  #forgetOld(nowMs: number): void {
    for (const [key, { atMs }] of this.#entries) {
      if (nowMs - atMs <= this.#options.maxAgeMs) return;
      this.#entries.delete(key);
    }
  }
}
