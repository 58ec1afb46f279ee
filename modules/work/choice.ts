/**
 * Which work is mined when several nodes give some: pure rules.
 *
 * The highest is; at one height the most preferred node's, so that work changes sides at most once
 * per node and block. A pushed package is believed only when it fits what its node itself says.
 */
import { difficultyOf } from "../base/mod.ts";
import type { Job, WorkPackage } from "./job.ts";
import { JOB_HEIGHTS } from "./job_book.ts";

/** Heights that a push may be above the work that its node itself gave last. */
export const PUSH_AHEAD_MAX = 2;
/** Factor by which a push's difficulty may differ from that work's; Ethash moves by 5 % a block. */
export const PUSH_DIFFICULTY_FACTOR = 2n;

/** What is to be done with work that came. */
export type Choice =
  /** It is mined from now on. */
  | "take"
  /** It is what is mined already. */
  | "same"
  /** What is mined is better. */
  | "keep"
  /** Its shares would be called stale: too far below the highest height seen. */
  | "behind";

/**
 * Chooses between work that came and the job that is mined.
 *
 * @param ranks names of the healthy nodes in order of preference
 * @param highest the highest height seen
 */
export function choose(
  next: { node: string; headerHash: string; height: number },
  current: Pick<Job, "node" | "headerHash" | "height"> | undefined,
  ranks: readonly string[],
  highest: number,
): Choice {
  if (isBehind(next.height, highest)) return "behind";
  if (current === undefined) return "take";
  if (next.headerHash === current.headerHash) return "same";
  // Its own newer word, a lower one too: then it left that branch. A sick node's word is gone.
  if (next.node === current.node || !ranks.includes(current.node)) return "take";
  if (next.height !== current.height) return next.height > current.height ? "take" : "keep";
  return ranks.indexOf(next.node) < ranks.indexOf(current.node) ? "take" : "keep";
}

/** Whether jobs of a height are too old for shares. */
export function isBehind(height: number, highest: number): boolean {
  return height + JOB_HEIGHTS <= highest;
}

/**
 * Why a pushed work package is not mined before its node was asked; undefined when it may be.
 * Whoever can post from a node's address can thus neither lock our shares out by a far height nor
 * make every share a candidate, and the node itself is asked at once in any case.
 *
 * @param said the work that the node itself gave last, over JSON-RPC
 */
export function doubtOf(
  push: WorkPackage,
  said: WorkPackage | undefined,
  current: Pick<Job, "height"> | undefined,
): string | undefined {
  if (said === undefined) return "the node has given no work yet";
  if (push.height < said.height || push.height < (current?.height ?? 0)) return "it is old";
  if (push.height > said.height + PUSH_AHEAD_MAX) return "its height is far above the node's";
  if (push.seedHash.toLowerCase() !== said.seedHash.toLowerCase()) return "its seed is another";
  const [pushed, known] = [difficultyOf(push.target), difficultyOf(said.target)];
  const fits = pushed <= known * PUSH_DIFFICULTY_FACTOR && pushed * PUSH_DIFFICULTY_FACTOR >= known;
  return fits ? undefined : "its difficulty is far from the node's";
}
