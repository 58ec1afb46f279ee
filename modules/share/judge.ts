/**
 * Judges a submission: cheap checks first, one hash last.
 *
 * The order keeps an attacker's cost above ours: an unknown job costs a map lookup, junk two
 * keccaks, and only a claim that could be a share costs a full verification. The hash is computed
 * for the job's own height, never the current one.
 */
import { bytesToBigInt, bytesToHex, hexToBytes, toHash } from "../base/mod.ts";
import type { JobBook } from "../work/mod.ts";
import type { SeenNonces } from "./seen.ts";
import type { Submission } from "./submission.ts";
import type { Verdict } from "./verdict.ts";

/** The proof of work of a header and nonce. */
export interface ProofOfWork {
  mix: Uint8Array;
  result: bigint;
}

/** What a miner claims: its mix digest, and the largest result that counts, 32 bytes each. */
export interface MixClaim {
  mix: Uint8Array;
  target: Uint8Array;
}

/** What judging needs of the verifier; both throw an error for which `isBusy` holds when full. */
export interface ShareHasher {
  /** The full proof of work. */
  hash(height: number, headerHash: Uint8Array, nonce: bigint): Promise<ProofOfWork>;
  /**
   * The same, unless two keccaks show that the claim's result is above its target: then undefined.
   */
  hashClaim(
    height: number,
    headerHash: Uint8Array,
    nonce: bigint,
    claim: MixClaim,
  ): Promise<ProofOfWork | undefined>;
  isBusy(error: unknown): boolean;
}

/** What judging needs. */
export interface JudgeDeps {
  jobs: JobBook;
  seen: SeenNonces;
  hasher: ShareHasher;
}

/**
 * Gives the verdict on a submission for a share target.
 *
 * @param shareTarget the largest result that counts, from the difficulty the job was sent with
 */
export async function judge(
  deps: JudgeDeps,
  submission: Submission,
  shareTarget: bigint,
): Promise<Verdict> {
  const found = deps.jobs.find(submission.headerHash);
  if (found.kind === "unknown") return { kind: "unknownJob" };
  if (found.kind === "stale") return { kind: "stale" };
  const { job } = found;
  if (deps.seen.has(submission.headerHash, submission.nonce)) return { kind: "duplicate" };

  const header = hexToBytes(submission.headerHash);
  const nonce = bytesToBigInt(hexToBytes(submission.nonce));
  const target = shareTarget > job.target ? shareTarget : job.target;
  // Remembered while it is hashed, so that its twin is called a duplicate meanwhile.
  deps.seen.add(submission.headerHash, submission.nonce);
  const forget = () => deps.seen.forget(submission.headerHash, submission.nonce);
  let proof: ProofOfWork | undefined;
  try {
    if (submission.mix === undefined) {
      proof = await deps.hasher.hash(job.height, header, nonce);
    } else {
      const claim = { mix: hexToBytes(submission.mix), target: hexToBytes(toHash(target)) };
      proof = await deps.hasher.hashClaim(job.height, header, nonce, claim);
    }
  } catch (error) {
    forget();
    if (deps.hasher.isBusy(error)) return { kind: "busy" };
    throw error;
  }
  if (proof === undefined) {
    // Junk is not remembered: it costs an attacker nothing, and would take all the room.
    forget();
    return { kind: "lowDifficulty" };
  }
  const mix = bytesToHex(proof.mix);
  if (submission.mix !== undefined && submission.mix !== mix) return { kind: "badMix" };
  if (proof.result > target) return { kind: "lowDifficulty" };
  const candidate = proof.result <= job.target;
  return { kind: "valid", share: { submission, job, mix, result: proof.result, candidate } };
}
