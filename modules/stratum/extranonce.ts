/**
 * Extranonces: the first digits of the nonce, which the pool gives to each session, so that no two
 * sessions search the same nonces of a header.
 *
 * One given back comes again only when every job that it was used for is too old for shares.
 */
import type { Scheme } from "../intake/mod.ts";

/** Digits that follow the prefix: two bytes. */
const DIGITS = 4;
const NUMBERS = 1 << (4 * DIGITS);

/** What extranonces are made of. */
export interface ExtranonceRange {
  /** Hex digits in front, of this instance; empty for the only one. */
  prefix: string;
  /** Number of this Deno worker among `parts`, which share the numbers out. */
  part: number;
  parts: number;
}

interface Free {
  number: number;
  /** The first height at which it may come again. */
  fromHeight: number;
}

/** An extranonce kept for a session that may come back, with the scheme that it has for good. */
export interface Kept {
  extranonce: string;
  scheme: Scheme;
}

/** Gives extranonces out and takes them back. */
export class Extranonces {
  #range: ExtranonceRange;
  #next = 0;
  #end = 0;
  /** Oldest first. */
  #free: Free[] = [];
  #firstFree = 0;
  readonly #reserved = new Map<string, Kept & { untilMs: number }>();
  /** Left by an earlier run, until they are given back. */
  readonly #withheld = new Set<string>();

  constructor(range: ExtranonceRange) {
    this.#range = range;
    this.#begin();
  }

  /** Goes over to another prefix of the same width; what the former one gave comes never again. */
  rebase(prefix: string): void {
    this.#range = { ...this.#range, prefix };
    this.#free = [];
    this.#firstFree = 0;
    this.#reserved.clear();
    this.#withheld.clear();
    this.#begin();
  }

  #begin(): void {
    const range = this.#range;
    // Without the first: miners that have no extranonce like to begin at 0 or a round number, and
    // would find themselves under somebody's.
    this.#next = Math.floor(NUMBERS * range.part / range.parts) + 1;
    this.#end = Math.floor(NUMBERS * (range.part + 1) / range.parts);
  }

  /** Hex digits of every extranonce. */
  get digits(): number {
    return this.#range.prefix.length + DIGITS;
  }

  /**
   * An extranonce that no living job was sent with.
   *
   * @param highest the highest height seen
   * @returns lower-case hex digits; undefined when all are in use
   */
  take(highest: number): string | undefined {
    while (this.#next < this.#end) {
      const extranonce = this.#text(this.#next++);
      if (!this.#withheld.has(extranonce)) return extranonce;
    }
    const free = this.#free[this.#firstFree];
    if (free === undefined || free.fromHeight > highest) return undefined;
    this.#firstFree++;
    if (this.#firstFree > 1_024) {
      this.#free = this.#free.slice(this.#firstFree);
      this.#firstFree = 0;
    }
    return this.#text(free.number);
  }

  /** Takes one back; it rests until the height. */
  give(extranonce: string, fromHeight: number): void {
    if (!extranonce.startsWith(this.#range.prefix)) return;
    const number = Number.parseInt(extranonce.slice(this.#range.prefix.length), 16);
    this.#free.push({ number, fromHeight });
  }

  /** Holds back those of them that are this range's; gives these. */
  withhold(extranonces: Iterable<string>): string[] {
    const { prefix } = this.#range;
    for (const extranonce of extranonces) {
      const number = Number.parseInt(extranonce.slice(prefix.length), 16);
      const own = extranonce.length === this.digits && extranonce.startsWith(prefix) &&
        number >= this.#next && number < this.#end;
      if (own) this.#withheld.add(extranonce);
    }
    return [...this.#withheld];
  }

  /** Keeps one for a session that may come back. */
  keep(sessionId: string, kept: Kept, untilMs: number): void {
    this.#reserved.set(sessionId, { ...kept, untilMs });
  }

  /** The one kept for a session, which then has it again. */
  reclaim(sessionId: string): Kept | undefined {
    const kept = this.#reserved.get(sessionId);
    this.#reserved.delete(sessionId);
    return kept;
  }

  /** What was kept for sessions that did not come; the caller gives it back. */
  expired(nowMs: number): string[] {
    const expired: string[] = [];
    for (const [id, { extranonce, untilMs }] of this.#reserved) {
      if (untilMs > nowMs) continue;
      this.#reserved.delete(id);
      expired.push(extranonce);
    }
    return expired;
  }

  #text(number: number): string {
    return this.#range.prefix + number.toString(16).padStart(DIGITS, "0");
  }
}

/** A nonce of 16 digits: sent whole, or completed by the extranonce; undefined at a wrong width. */
export function wholeNonce(nonce: string, extranonce: string): string | undefined {
  if (nonce.startsWith("0x")) return nonce;
  return nonce.length + extranonce.length === 16 ? `0x${extranonce}${nonce}` : undefined;
}
