/**
 * Judges a submission: cheap checks first, one hash last.
 *
 * The order keeps an attacker's cost above ours: an unknown job costs a map lookup, junk two
 * keccaks, and only a claim that could be a share costs a full verification. The hash is computed
 * for the job's own height, never the current one.
 */
import { bytesToBigInt, bytesToHex, hexToBytes } from "../base/mod.ts";
import type { JobBook } from "../work/mod.ts";
import type { SeenNonces } from "./seen.ts";
import type { Submission } from "./submission.ts";
import type { Verdict } from "./verdict.ts";

/** The proof of work of a header and nonce. */
export interface ProofOfWork {
  mix: Uint8Array;
  result: bigint;
}

/** What judging needs of the verifier. */
export interface ShareHasher {
  /** The full proof of work; throws an error for which `isBusy` holds when the queue is full. */
  hash(height: number, headerHash: Uint8Array, nonce: bigint): Promise<ProofOfWork>;
  /** The result that a claimed mix digest would give: two keccaks; a filter, never an acceptance. */
  finalHash(headerHash: Uint8Array, nonce: bigint, mix: Uint8Array): bigint;
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
  const nonceBytes = hexToBytes(submission.nonce);
  const nonce = bytesToBigInt(nonceBytes);
  const target = shareTarget > job.target ? shareTarget : job.target;
  if (submission.mix !== undefined) {
    const claimed = deps.hasher.finalHash(header, nonce, hexToBytes(submission.mix));
    if (claimed > target) return { kind: "lowDifficulty" };
  }
  // Junk is not remembered: it costs an attacker nothing, and would take all the room.
  deps.seen.add(submission.headerHash, submission.nonce);
  let proof: ProofOfWork;
  try {
    proof = await deps.hasher.hash(job.height, header, nonce);
  } catch (error) {
    deps.seen.forget(submission.headerHash, submission.nonce);
    if (deps.hasher.isBusy(error)) return { kind: "busy" };
    throw error;
  }
  const mix = bytesToHex(proof.mix);
  if (submission.mix !== undefined && submission.mix !== mix) return { kind: "badMix" };
  if (proof.result > target) return { kind: "lowDifficulty" };
  const candidate = proof.result <= job.target;
  return { kind: "valid", share: { submission, job, mix, result: proof.result, candidate } };
}
