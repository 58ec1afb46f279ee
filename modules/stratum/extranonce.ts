/**
 * Extranonces: the first digits of the nonce, which the pool gives to each session, so that no two
 * sessions search the same nonces of a header.
 *
 * One given back comes again only when every job that it was used for is too old for shares.
 */

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

/** Gives extranonces out and takes them back. */
export class Extranonces {
  readonly #range: ExtranonceRange;
  #next: number;
  readonly #end: number;
  /** Oldest first. */
  #free: Free[] = [];
  #firstFree = 0;
  readonly #reserved = new Map<string, { extranonce: string; untilMs: number }>();

  constructor(range: ExtranonceRange) {
    this.#range = range;
    this.#next = Math.floor(NUMBERS * range.part / range.parts);
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
    if (this.#next < this.#end) return this.#text(this.#next++);
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
    const number = Number.parseInt(extranonce.slice(this.#range.prefix.length), 16);
    this.#free.push({ number, fromHeight });
  }

  /** Keeps one for a session that may come back. */
  keep(sessionId: string, extranonce: string, untilMs: number): void {
    this.#reserved.set(sessionId, { extranonce, untilMs });
  }

  /** The one kept for a session, which then has it again. */
  reclaim(sessionId: string): string | undefined {
    const kept = this.#reserved.get(sessionId);
    this.#reserved.delete(sessionId);
    return kept?.extranonce;
  }

  /** Gives back what was kept for sessions that did not come. */
  sweep(nowMs: number, fromHeight: number): void {
    for (const [id, { extranonce, untilMs }] of this.#reserved) {
      if (untilMs > nowMs) continue;
      this.#reserved.delete(id);
      this.give(extranonce, fromHeight);
    }
  }

  #text(number: number): string {
    return this.#range.prefix + number.toString(16).padStart(DIGITS, "0");
  }
}
