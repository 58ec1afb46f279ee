/** A share's numbers and the sentence about it, for people and for programs. */
import { difficultyOf, nonceToHex, targetOf, toHash } from "../../modules/base/mod.ts";
import { Computer, type Proof } from "./compute.ts";
import type { Share } from "./share.ts";
import { type Finding, findReason, nicehash, reasonFromLog } from "./suspects.ts";

/** What was computed and concluded; amounts are decimal text. */
export interface Verdict {
  valid: boolean;
  reason: string;
  /** Short name of the mistake that explains an invalid share. */
  cause?: string;
  algorithm: string;
  height: number;
  epoch: number;
  seed: string;
  cacheBytes: number;
  datasetBytes: number;
  nonce: string;
  mix: string;
  result: string;
  /** Difficulty (hashes) that the result reaches. */
  difficulty: string;
  /** Whether it would have been a block; missing when the block's difficulty was not given. */
  block?: boolean;
}

/** Computes a share and says what is wrong with it. */
export async function verdictOf(share: Share, computer: Computer): Promise<Verdict> {
  const proof = await computer.prove(share);
  const facts = await computer.facts(share);
  const judged = judge(share, proof);
  const finding = judged.valid ? reasonFromLog(share) : await findReason(share, proof, computer);
  return {
    ...judged,
    ...explained(judged, finding),
    ...{ algorithm: share.rule.algorithm, height: share.height, epoch: share.epoch.epoch },
    ...{ seed: facts.seed, cacheBytes: facts.cacheItems * 64 },
    ...{ datasetBytes: facts.datasetItems * 128, nonce: nonceToHex(share.nonce), mix: proof.mix },
    result: toHash(proof.result),
    difficulty: reached(proof.result).toString(),
    ...(share.blockDifficulty === undefined
      ? {}
      : { block: proof.result <= targetOf(share.blockDifficulty) }),
  };
}

interface Judged {
  valid: boolean;
  reason: string;
}

function explained(judged: Judged, finding: Finding | undefined): Partial<Verdict> {
  if (finding === undefined) return {};
  return { reason: `${judged.reason}. ${finding.sentence}`, cause: finding.cause };
}

/** The sentence; checks in the pool's order. */
function judge(share: Share, { mix, result }: Proof): Judged {
  if (share.mix !== undefined && share.mix !== mix) {
    return {
      valid: false,
      reason:
        `The share is invalid: header and nonce give the mix digest ${mix}, not the claimed ` +
        share.mix,
    };
  }
  if (share.difficulty === undefined) {
    const claim = share.mix === undefined ? "no mix digest was claimed" : "the mix digest is right";
    return {
      valid: true,
      reason: `The share hashes to difficulty ${reached(result)}; ${claim} and no difficulty asked`,
    };
  }
  const valid = result <= targetOf(share.difficulty);
  const asked = `difficulty ${reached(result)} of the asked ${share.difficulty}`;
  return {
    valid,
    reason: valid
      ? `The share is valid: it reaches ${asked}`
      : `The share is invalid: it reaches only ${asked}`,
  };
}

function reached(result: bigint): bigint {
  return difficultyOf(result === 0n ? 1n : result);
}

/** The verdict for people: one number a line, then the sentence. */
export function describe(share: Share, verdict: Verdict): string {
  const { epoch } = share;
  const inUnit = (difficulty: bigint) => `${difficulty} hashes (${nicehash(difficulty)} NiceHash)`;
  const rows: [string, string | number][] = [
    ["algorithm", verdict.algorithm],
    ["height", `${verdict.height} (epoch from ${epoch.firstHeight} to ${epoch.nextHeight - 1})`],
    ["epoch", `${verdict.epoch}, seed hashed ${epoch.seedRounds} times`],
    ["seed", verdict.seed],
    ["cache", `${verdict.cacheBytes} bytes`],
    ["dataset", `${verdict.datasetBytes} bytes`],
    ["nonce", verdict.nonce],
    ["mix", verdict.mix],
    ["result", verdict.result],
    ["difficulty", inUnit(BigInt(verdict.difficulty))],
  ];
  if (share.difficulty !== undefined) {
    rows.push(["asked", inUnit(share.difficulty)]);
    rows.push(["target", toHash(targetOf(share.difficulty))]);
  }
  if (verdict.block !== undefined) rows.push(["block", verdict.block ? "yes" : "no"]);
  const lines = rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
  return [...lines, "", `${verdict.reason}.`].join("\n");
}
