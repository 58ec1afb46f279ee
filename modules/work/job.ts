/** A job: a header to mine, as one node gave it. */
import { type Difficulty, difficultyOf } from "../base/mod.ts";

/** Plain data, so that it can be posted to Deno workers. */
export interface Job {
  /** Keccak-256 of the header without seal: 0x and 64 lower-case digits; names the job. */
  headerHash: string;
  /** Seed hash of the epoch, as the node gave it. */
  seedHash: string;
  /** Number of the block that the header would become. */
  height: number;
  /** Target (boundary) of the block. */
  target: bigint;
  /** Difficulty (hashes) of the block. */
  difficulty: Difficulty;
  /** When it was first seen (milliseconds since 1970). */
  receivedAtMs: number;
  /** The node that gave it. */
  node: string;
}

/** What a node's eth_getWork says, before it is a job. */
export interface WorkPackage {
  headerHash: string;
  seedHash: string;
  target: bigint;
  height: number;
}

/** Makes a job of a node's work. */
export function jobOf(work: WorkPackage, node: string, receivedAtMs: number): Job {
  return {
    headerHash: work.headerHash.toLowerCase(),
    seedHash: work.seedHash.toLowerCase(),
    height: work.height,
    target: work.target,
    difficulty: difficultyOf(work.target),
    receivedAtMs,
    node,
  };
}
