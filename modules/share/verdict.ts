/**
 * The closed union of what can become of a submission, and what each means for miner and policy.
 *
 * A stale share is no offence, a refused one (busy, away) neither: both are counted apart.
 */
import type { Job } from "../work/mod.ts";
import type { Submission } from "./submission.ts";

/** A verified share, not yet recorded. */
export interface VerifiedShare {
  submission: Submission;
  job: Job;
  /** The verified mix digest, which the ledger and the node get. */
  mix: string;
  /** The proof-of-work result as a 256-bit number. */
  result: bigint;
  /** Whether the result meets the block's target too. */
  candidate: boolean;
}

/** The judgement of a submission. */
export type Verdict =
  | { kind: "valid"; share: VerifiedShare }
  | { kind: "stale" }
  | { kind: "unknownJob" }
  | { kind: "duplicate" }
  | { kind: "lowDifficulty" }
  | { kind: "badMix" }
  | { kind: "busy" };

/** Why a submission was not accepted, over the whole share path. */
export type Rejection =
  | Exclude<Verdict["kind"], "valid">
  | "malformed"
  | "notSubscribed"
  | "away";

/** What a miner is told, and what is counted. */
export interface RejectionMeaning {
  /** Stratum error code: 21 stale, 22 duplicate, 23 low difficulty, 25 not subscribed, 20 other. */
  code: number;
  message: string;
  /** Whether it counts as an invalid share for bans. */
  offence: boolean;
}

/** The meaning of each rejection; codes as in the field (20 to 25, -1 for malformed). */
export const REJECTIONS: Readonly<Record<Rejection, RejectionMeaning>> = {
  stale: { code: 21, message: "Stale share: the job is too old", offence: false },
  unknownJob: { code: 21, message: "Job not found", offence: false },
  duplicate: { code: 22, message: "Duplicate share", offence: true },
  lowDifficulty: { code: 23, message: "Low difficulty share", offence: true },
  badMix: { code: 20, message: "Invalid share: wrong mix digest", offence: true },
  malformed: { code: -1, message: "Malformed PoW result", offence: false },
  notSubscribed: { code: 25, message: "Not subscribed", offence: false },
  busy: { code: 20, message: "Pool is busy, share not counted", offence: false },
  away: { code: 20, message: "Pool storage away, share not counted", offence: false },
};
