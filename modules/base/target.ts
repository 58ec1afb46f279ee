/**
 * Difficulty and target (boundary): target = floor(2^256 / difficulty), as go-ethereum and
 * open-ethereum-pool compute it. A result satisfies a difficulty when result <= target.
 */
import type { Difficulty } from "./units.ts";

/** 2^256, the number of possible results. */
export const TWO_256 = 1n << 256n;
const MAX_TARGET = TWO_256 - 1n;

/**
 * The largest result that satisfies a difficulty (hashes).
 *
 * @throws {RangeError} when the difficulty is below 1.
 */
export function targetOf(difficulty: Difficulty): bigint {
  if (difficulty < 1n) {
    throw new RangeError(`Cannot make a target: current difficulty is ${difficulty}`);
  }
  const target = TWO_256 / difficulty;
  return target > MAX_TARGET ? MAX_TARGET : target;
}

/** The difficulty (hashes) of a target; the inverse of {@linkcode targetOf} up to flooring. */
export function difficultyOf(target: bigint): Difficulty {
  if (target < 1n) throw new RangeError(`Cannot make a difficulty: current target is ${target}`);
  return TWO_256 / target;
}
