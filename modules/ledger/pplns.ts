/**
 * How wide the PPLNS window is. It is kept in slices by the scripts that record shares
 * (scripts/pplns.lua): they cost memory by miners and slices, never by shares.
 */
import type { Difficulty } from "../base/mod.ts";
import { StoreError } from "./redis.ts";

/** A slice is closed once it holds this part of the window. */
const SLICES_PER_WINDOW = 64n;
/** Slices at most: the newest one goes on growing while there are so many. */
export const SLICES_MAX = 256;
/** Fields of old slices that one batch subtracts at most, beside one for each of its shares. */
export const DROP_FIELDS = 500;
/** Widest window (hashes): all sums in it stay below the 10^18 that scripts take for an amount. */
const WIDTH_MAX = 4n * 10n ** 17n;

/** Widths of the window and of a slice in it (hashes). */
export interface WindowWidth {
  width: Difficulty;
  slice: Difficulty;
}

/**
 * The window as the difficulty of a share's block makes it; without a pplns share it is not looked
 * at, and 0.
 *
 * @throws {StoreError} "refused" when a pplns share comes without what the window is measured by
 */
export function windowOf(
  share: { blockDifficulty?: Difficulty } | undefined,
  windowMilli: bigint | undefined,
): WindowWidth {
  if (share === undefined) return { width: 0n, slice: 0n };
  if (share.blockDifficulty === undefined || windowMilli === undefined) {
    throw new StoreError("Cannot record a pplns share without window and difficulty", "refused");
  }
  const wanted = ceilDiv(share.blockDifficulty * windowMilli, 1_000n);
  const width = wanted > WIDTH_MAX ? WIDTH_MAX : wanted;
  return { width, slice: ceilDiv(width, SLICES_PER_WINDOW) };
}

function ceilDiv(over: bigint, under: bigint): bigint {
  return (over + under - 1n) / under;
}
