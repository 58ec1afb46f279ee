/**
 * Which scheme a nonce counts by, settled before it is hashed.
 *
 * Who could choose a share's scheme after hashing would send ordinary shares to the common round
 * and those that find a block to solo, and take the block from the others. So the scheme is a
 * function of nonce and height alone: the pool's own, except under an extranonce that was bound to
 * another scheme two heights earlier, when no header of that height existed. It holds for every
 * door, worker and instance, as the ledger keeps it; the end of a binding works the same way.
 */
import type { Logger } from "../base/mod.ts";
import type { Scheme } from "../intake/mod.ts";
import type { SchemeSpan } from "../ledger/mod.ts";
import { JOB_HEIGHTS } from "../work/mod.ts";

/** Heights above the highest one seen for which no worker of no instance has a header yet. */
export const HEIGHTS_AHEAD = 2;

/**
 * Of all nonces at most a 32nd lies under bound extranonces: who has none finds such nonces too, and
 * logins cost nothing.
 */
const BOUND_SHARE = 32;

/** Where spans are kept for all workers and instances. */
export interface SpanStore {
  bind(extranonce: string, span: SchemeSpan): Promise<void>;
  unbind(extranonces: string[]): Promise<void>;
  find(extranonces: string[]): Promise<(SchemeSpan | undefined)[]>;
}

/** What binding needs. */
export interface BindingDeps {
  /** The pool's own scheme. */
  scheme: Scheme;
  /** Whether any other scheme is on offer; without one nothing is kept or looked up. */
  several: boolean;
  /** Hex digits of every extranonce. */
  digits: number;
  /** Workers that share the extranonces. @default {1} */
  workers?: number;
  store: SpanStore;
  log: Logger;
}

interface Held extends SchemeSpan {
  inUse: boolean;
}

/** The extranonces of one worker that are bound, and everybody's as the ledger has them. */
export class Bindings {
  readonly #held = new Map<string, Held>();
  #wanted = new Map<string, PromiseWithResolvers<SchemeSpan | undefined>>();
  #asking = false;

  constructor(readonly deps: BindingDeps) {}

  /** The pool's own scheme. */
  get scheme(): Scheme {
    return this.deps.scheme;
  }

  /** Whether no further extranonce may be bound now, those that still rest included. */
  get isFull(): boolean {
    const { digits, workers = 1 } = this.deps;
    return this.#held.size >= 16 ** digits / BOUND_SHARE / workers;
  }

  /** Takes what an earlier run of this worker left bound; sweeps end it. */
  adopt(extranonces: Iterable<string>): void {
    for (const extranonce of extranonces) {
      const span = { scheme: this.scheme, fromHeight: 0, inUse: false };
      this.#held.set(extranonce, span);
    }
  }

  /**
   * Binds an extranonce in use to another scheme than the pool's.
   *
   * @param highest the highest height seen
   * @returns the first height that it holds for, when every door knows of it
   * @throws when the ledger did not take it; it may hold or not
   */
  async bind(extranonce: string, scheme: Scheme, highest: number): Promise<number> {
    const known = this.#held.get(extranonce);
    // A session that came back: it was never given up.
    if (known?.scheme === scheme && known.inUse) return known.fromHeight;
    const span = { scheme, fromHeight: highest + HEIGHTS_AHEAD };
    this.#held.set(extranonce, { ...span, inUse: true });
    await this.deps.store.bind(extranonce, span);
    return span.fromHeight;
  }

  /** A session ended. Gives whether the extranonce stays bound: then sweeps give it back. */
  release(extranonce: string): boolean {
    const held = this.#held.get(extranonce);
    if (held === undefined) return false;
    held.inUse = false;
    return true;
  }

  /**
   * Ends spans that no session uses, and forgets those that no living job needs.
   *
   * @returns the extranonces that are free again
   */
  async sweep(highest: number): Promise<string[]> {
    if (highest === 0) return [];
    const free: string[] = [];
    try {
      for (const [extranonce, held] of this.#held) {
        if (held.inUse) continue;
        if (held.toHeight === undefined) {
          const toHeight = highest + HEIGHTS_AHEAD;
          const [span] = await this.deps.store.find([extranonce]);
          // Nothing is there when its binding failed.
          if (span !== undefined) await this.deps.store.bind(extranonce, { ...span, toHeight });
          held.toHeight = toHeight;
        } else if (highest >= held.toHeight + JOB_HEIGHTS) {
          free.push(extranonce);
        }
      }
      await this.deps.store.unbind(free);
    } catch (error) {
      this.deps.log.warn("extranonce.notUnbound", { error });
      return [];
    }
    for (const extranonce of free) this.#held.delete(extranonce);
    return free;
  }

  /**
   * The scheme of a whole nonce (0x and 16 digits) that no session's extranonce vouches for.
   *
   * @throws when the ledger does not answer
   */
  async schemeOf(nonce: string, height: number): Promise<Scheme> {
    const { digits, scheme } = this.deps;
    const span = await this.#find(nonce.slice(2, 2 + digits));
    return span !== undefined && height >= span.fromHeight && height < (span.toHeight ?? Infinity)
      ? span.scheme
      : scheme;
  }

  /** Looks up what has gathered while the lookup before was on its way. */
  #find(extranonce: string): Promise<SchemeSpan | undefined> {
    let answer = this.#wanted.get(extranonce);
    if (answer === undefined) {
      answer = Promise.withResolvers();
      this.#wanted.set(extranonce, answer);
    }
    if (!this.#asking) void this.#ask();
    return answer.promise;
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    while (this.#wanted.size > 0) {
      const wanted = this.#wanted;
      this.#wanted = new Map();
      try {
        const spans = await this.deps.store.find([...wanted.keys()]);
        [...wanted.values()].forEach((answer, i) => answer.resolve(spans[i]));
      } catch (error) {
        for (const answer of wanted.values()) answer.reject(error);
      }
    }
    this.#asking = false;
  }
}
