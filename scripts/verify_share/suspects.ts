/**
 * Finds why a share is invalid: hashes it again under each mistake that miners and pools make.
 *
 * A mistake is named only when it explains the share: the claimed mix digest comes out, or, where
 * none was claimed, a difficulty that luck would not reach.
 */
import { targetOf, TWO_256 } from "../../modules/base/mod.ts";
import { EPOCH_MAX, epochOf } from "../../modules/ethash/mod.ts";
import type { Attempt, Computer, Proof } from "./compute.ts";
import { NICEHASH_UNIT, type Share } from "./share.ts";

/** A mistake that explains the share. */
export interface Finding {
  /** Short name for programs. */
  cause: string;
  /** One sentence. */
  sentence: string;
}

/** Without a claimed mix digest a reached difficulty below this may be luck. */
const LUCK_DIFFICULTY = 100_000n;
/** Nonces around the share's that are tried for a foreign mix digest. */
const NEIGHBOURS = 64;
const TWO_32 = 1n << 32n;
const MASK_64 = (1n << 64n) - 1n;

/** The first mistake that explains the share, or undefined. */
export async function findReason(
  share: Share,
  proof: Proof,
  computer: Computer,
): Promise<Finding | undefined> {
  const mixIsRight = share.mix === undefined || share.mix === proof.mix;
  if (mixIsRight) {
    const unit = unitMistake(share, proof);
    if (unit !== undefined) return unit;
  }
  for (const suspect of suspects(share)) {
    let other: Proof;
    try {
      other = await computer.prove(suspect.attempt);
    } catch {
      continue; // an epoch that this machine has no memory for, or that does not exist
    }
    if (explains(share, other)) return suspect.finding;
  }
  return await doubledExtranonce(share, computer) ?? await foreignMix(share, computer) ??
    reasonFromLog(share);
}

interface Suspect {
  attempt: Attempt;
  finding: Finding;
}

function* suspects(share: Share): Generator<Suspect> {
  const attempt: Attempt = share;
  const as = (change: Partial<Attempt>, cause: string, sentence: string): Suspect => ({
    attempt: { ...attempt, ...change },
    finding: { cause, sentence },
  });
  const reversed = reverseBytes(share.nonce);
  yield as({ nonce: reversed }, "nonceReversed", "The nonce's bytes are reversed");
  const header = "0x" + share.header.slice(2).match(/../g)!.reverse().join("");
  yield as({ header }, "headerReversed", "The header hash's bytes are reversed");
  if (share.extranonce !== undefined) {
    const bits = BigInt(64 - 4 * share.extranonce.length);
    const own = share.nonce & ((1n << bits) - 1n);
    const withPrefix = (BigInt("0x" + share.extranonce) << bits) | own;
    const missing = "The extranonce is missing from the nonce";
    if (withPrefix !== share.nonce) yield as({ nonce: withPrefix }, "extranonceMissing", missing);
    const ignored = "The miner hashed without its extranonce";
    yield as({ nonce: own }, "extranonceIgnored", ignored);
  }
  const { rule } = share;
  const other = rule.algorithm === "ethash" ? "etchash" : "ethash";
  const swapped = { ...rule, algorithm: other } as Attempt["rule"];
  const name = other === "ethash" ? "Ethash (30,000-block epochs)" : "Etchash (ECIP-1099)";
  yield as({ rule: swapped }, "otherAlgorithm", `The miner mined ${name}, not ${rule.algorithm}`);
  for (const [offset, word] of [[-1, "before"], [1, "after"]] as const) {
    const height = offset < 0 ? share.epoch.firstHeight - 1 : share.epoch.nextHeight;
    if (height < 0 || epochOf(rule, Math.max(0, height)).epoch > EPOCH_MAX - 1) continue;
    const sentence = `The miner is on epoch ${
      epochOf(rule, height).epoch
    }, the one ${word} the job's`;
    yield as({ height }, "neighbourEpoch", sentence);
  }
}

/** The pool put the extranonce before a nonce that had it already: the last digits fell off. */
async function doubledExtranonce(share: Share, computer: Computer): Promise<Finding | undefined> {
  const { extranonce, difficulty } = share;
  if (extranonce === undefined) return undefined;
  const bits = BigInt(4 * extranonce.length);
  const inner = (share.nonce << bits) & MASK_64;
  if (inner >> (64n - bits) !== BigInt("0x" + extranonce) || bits > 16n) return undefined;
  const attempt = { ...share, nonce: inner };
  const target = targetOf(difficulty ?? LUCK_DIFFICULTY);
  const found = await computer.search(attempt, target, Number(1n << bits));
  if (found === undefined) return undefined;
  return { cause: "extranonceDoubled", sentence: "The extranonce stands in the nonce twice" };
}

/** A mix digest that belongs to a nonce nearby: answers were mixed up. */
async function foreignMix(share: Share, computer: Computer): Promise<Finding | undefined> {
  if (share.mix === undefined) return undefined;
  const nonces = Array.from(
    { length: 2 * NEIGHBOURS + 1 },
    (_, i) => (share.nonce + BigInt(i - NEIGHBOURS)) & MASK_64,
  );
  const proofs = await computer.proveAll(share, nonces);
  const at = proofs.findIndex((proof) => proof.mix === share.mix);
  if (at === -1 || nonces[at] === share.nonce) return undefined;
  const nonce = "0x" + nonces[at]!.toString(16).padStart(16, "0");
  return { cause: "mixOfOtherNonce", sentence: `The mix digest belongs to the nonce ${nonce}` };
}

function explains(share: Share, proof: Proof): boolean {
  if (share.mix !== undefined) return proof.mix === share.mix;
  const { difficulty } = share;
  return difficulty !== undefined && difficulty >= LUCK_DIFFICULTY &&
    proof.result <= targetOf(difficulty);
}

/** The share misses the difficulty by about the factor between two units of it. */
function unitMistake(share: Share, proof: Proof): Finding | undefined {
  const { difficulty } = share;
  if (difficulty === undefined || proof.result <= targetOf(difficulty)) return undefined;
  const reached = TWO_256 / (proof.result === 0n ? 1n : proof.result);
  // A miner with the wrong unit sends shares of any difficulty above a tiny one: up to some
  // thousand times it is what luck gives.
  const fits = (unit: bigint) =>
    reached * unit >= difficulty && reached * unit < difficulty * 4_096n;
  if (difficulty > TWO_32 && (fits(NICEHASH_UNIT) || fits(TWO_32))) {
    return {
      cause: "difficultyUnit",
      sentence: `The miner took the difficulty in another unit: its shares are about 2^32 times ` +
        `too easy (${difficulty} hashes are ${nicehash(difficulty)} in NiceHash's unit)`,
    };
  }
  if (reached * 65_536n >= difficulty * 65_535n) {
    return {
      cause: "difficultyUnit",
      sentence: "The miner rounds the difficulty by 65535/65536 (2^32 against NiceHash's unit)",
    };
  }
  return undefined;
}

/** What only the pool could know, from its log. */
export function reasonFromLog(share: Share): Finding | undefined {
  switch (share.rejection) {
    case "stale":
      return { cause: "stale", sentence: "The pool called it stale: its job was too old" };
    case "unknownJob":
      return {
        cause: "unknownJob",
        sentence: "The pool did not know the header: no job of its own",
      };
    case "duplicate":
      return { cause: "duplicate", sentence: "The pool had counted this header and nonce before" };
    default:
      return undefined;
  }
}

/** A difficulty (hashes) in NiceHash's unit, as text for people. */
export function nicehash(difficulty: bigint): string {
  return (Number(difficulty * 1_000_000n / NICEHASH_UNIT) / 1_000_000).toString();
}

function reverseBytes(nonce: bigint): bigint {
  const digits = nonce.toString(16).padStart(16, "0").match(/../g)!;
  return BigInt("0x" + digits.reverse().join(""));
}
