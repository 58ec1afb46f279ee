/** How many shares each recent job brought: counts of one worker, by header. */

/** Headers that are counted for at most; the oldest is forgotten first. */
const HEADERS_MAX = 256;

/** Shares of one job. */
export interface ShareTally {
  valid: number;
  stale: number;
  invalid: number;
}

/** The counts. */
export class JobShares {
  readonly #tallies = new Map<string, ShareTally>();

  /** A job came; shares of headers that never came are counted for nobody. */
  note(headerHash: string): void {
    if (this.#tallies.has(headerHash)) return;
    this.#tallies.set(headerHash, { valid: 0, stale: 0, invalid: 0 });
    if (this.#tallies.size > HEADERS_MAX) this.#tallies.delete(this.#tallies.keys().next().value!);
  }

  /** Counts a judged share. */
  add(headerHash: string, kind: keyof ShareTally): void {
    const tally = this.#tallies.get(headerHash);
    if (tally !== undefined) tally[kind]++;
  }

  /** All of them, as plain data. */
  all(): [headerHash: string, tally: ShareTally][] {
    return [...this.#tallies];
  }
}
