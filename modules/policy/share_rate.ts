/** How many submissions a session may send: a token bucket, the time an argument. */

/** Seconds of the rate that may come at once. */
const BURST_SECONDS = 10;
/** Submissions that may come at once at the lowest rates. */
const BURST_MIN = 10;

/**
 * Tokens that fill up at a rate; each submission takes one.
 *
 * In any t seconds at most `burst + perSecond × t` are taken. A clock that is set back takes nothing
 * away and gives nothing.
 */
export class ShareRate {
  #tokens: number;
  #lastMs: number;

  /**
   * @param perSecond submissions a second that may be kept up; 0: no limit
   * @param nowMs the time, milliseconds
   * @param burst submissions that may come at once
   */
  constructor(
    readonly perSecond: number,
    nowMs: number,
    readonly burst = Math.max(BURST_MIN, perSecond * BURST_SECONDS),
  ) {
    this.#tokens = burst;
    this.#lastMs = nowMs;
  }

  /** Whether one more submission may be looked at now; takes its token. */
  take(nowMs: number): boolean {
    if (this.perSecond === 0) return true;
    const elapsedMs = Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#tokens = Math.min(this.burst, this.#tokens + elapsedMs * this.perSecond / 1000);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
