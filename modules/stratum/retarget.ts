/**
 * Variable difficulty of one session: from accepted shares and from silence to the next difficulty.
 *
 * A new difficulty is only asked for with a new header. With two difficulties for one header a
 * miner could choose after hashing: shares that meet the harder target are sent for the harder job,
 * the others for the easier one, which earns 2 - easy/hard per hash instead of 1.
 */
import type { Difficulty } from "../base/mod.ts";

/** How difficulty follows a miner; names as in open-etc-pool-friends. */
export interface VarDiff {
  /** Time between two shares that is aimed at (milliseconds). */
  targetTimeMs: number;
  /** Bounds (hashes). */
  minDiff: Difficulty;
  maxDiff: Difficulty;
  /** What it may be off before it is changed (percent). */
  variancePercent: number;
  /** The most it grows or shrinks in one step (percent of the smaller value). */
  maxJump: number;
}

/** Shares that say enough about a miner's rate: a third of error, most of the time. */
const SHARES_ENOUGH = 12;
/** Shares that say enough when the rate is off by more than twice. */
const SHARES_FAR_OFF = 4;
/** Times the target time without enough shares, after which silence speaks. */
const SILENT_TIMES = 6;

/** Follows one session. */
export class Retarget {
  readonly #rule: VarDiff;
  #difficulty: Difficulty;
  #sinceMs: number;
  #shares = 0;
  /** Difficulty of the shares since then. */
  #work = 0n;

  /** @param first difficulty to begin with; brought within the bounds */
  constructor(rule: VarDiff, first: Difficulty, nowMs: number) {
    this.#rule = rule;
    this.#difficulty = within(first, rule.minDiff, rule.maxDiff);
    this.#sinceMs = nowMs;
  }

  /** What jobs are sent with now (hashes). */
  get difficulty(): Difficulty {
    return this.#difficulty;
  }

  /** Notes an accepted share and the difficulty it was credited with. */
  onShare(difficulty: Difficulty): void {
    this.#shares++;
    this.#work += difficulty;
  }

  /** The difficulty for a new header. */
  next(nowMs: number): Difficulty {
    const elapsedMs = nowMs - this.#sinceMs;
    const wanted = this.#wanted(elapsedMs);
    if (wanted === undefined) {
      // The bounds may have been moved.
      const { minDiff, maxDiff } = this.#rule;
      return this.#difficulty = within(this.#difficulty, minDiff, maxDiff);
    }
    this.#difficulty = wanted;
    this.#sinceMs = nowMs;
    this.#shares = 0;
    this.#work = 0n;
    return wanted;
  }

  /** The difficulty that fits; undefined while too little is known. */
  #wanted(elapsedMs: number): Difficulty | undefined {
    const { targetTimeMs, minDiff, maxDiff, variancePercent, maxJump } = this.#rule;
    if (elapsedMs <= 0) return undefined;
    const silent = elapsedMs >= SILENT_TIMES * targetTimeMs;
    const current = this.#difficulty;
    // Without a share the rate is at most about one share in the time that has passed.
    const work = this.#shares === 0 ? current : this.#work;
    const fitting = work * BigInt(Math.round(targetTimeMs)) / BigInt(Math.ceil(elapsedMs));
    const farOff = fitting >= 2n * current || 2n * fitting <= current;
    const known = this.#shares >= SHARES_ENOUGH ||
      (this.#shares >= SHARES_FAR_OFF && farOff) || silent;
    if (!known) return undefined;
    const variance = BigInt(Math.round(variancePercent));
    if (100n * fitting <= current * (100n + variance)) {
      if (100n * fitting >= current * (100n - variance)) return current;
    }
    const jump = BigInt(Math.round(maxJump));
    const most = current * (100n + jump) / 100n;
    const least = current * 100n / (100n + jump);
    return within(within(fitting, least, most), minDiff, maxDiff);
  }
}

function within(value: bigint, least: bigint, most: bigint): bigint {
  return value < least ? least : value > most ? most : value;
}
