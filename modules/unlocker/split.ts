/** Splits a reward among the shares of a round: credits, fee and dust that sum to the reward. */
import {
  InvariantError,
  type Shannon,
  shannonToWei,
  type Wei,
  WEI_PER_SHANNON,
} from "../base/mod.ts";
import { WHOLE_IN_MILLIONTHS } from "../config/mod.ts";

/** What is split, and how. */
export interface SplitInput {
  /** The chain's reward (wei). */
  rewardWei: Wei;
  /** Fees beside the reward that the pool keeps (wei). */
  extraWei: Wei;
  /** Login → shares (difficulty) of the round. */
  shares: ReadonlyMap<string, bigint>;
  /** The pool's fee in millionths of a percent: 1 percent is 1_000_000n. */
  feeMillionths: bigint;
  /** Who is credited with the fee and the extra; empty: they stay uncredited. */
  feeAddress: string;
  /**
   * `floor` rounds down and names the dust; `legacy` rounds each credit half away from zero with a
   * floating-point fee, as open-ethereum-pool does, for checks at a migration only.
   */
  rounding: "floor" | "legacy";
}

/** Who gets what; Σ credits · 10^9 + uncreditedFeeWei + dustWei = rewardWei + extraWei. */
export interface Split {
  /** Login → credit (Shannon), above zero. */
  credits: Map<string, Shannon>;
  /** Fee and extra that nobody is credited with (wei). */
  uncreditedFeeWei: Wei;
  /** What rounding left over (wei); below zero only with legacy rounding. */
  dustWei: Wei;
}

/** A number as numerator and denominator. */
interface Fraction {
  over: bigint;
  under: bigint;
}

/**
 * Splits a reward.
 *
 * @throws {InvariantError} when the round is empty or a number is out of range.
 */
export function splitReward(input: SplitInput): Split {
  const { rewardWei, extraWei, shares, feeMillionths, feeAddress } = input;
  if (
    rewardWei < 0n || extraWei < 0n || feeMillionths < 0n || feeMillionths > WHOLE_IN_MILLIONTHS
  ) {
    throw new InvariantError("Cannot split a reward: an amount is out of range", {
      facts: { rewardWei, extraWei, feeMillionths },
    });
  }
  let total = 0n;
  for (const [login, share] of shares) {
    if (share <= 0n) {
      throw new InvariantError("Cannot split a reward: a share is not above zero", {
        facts: { login, share },
      });
    }
    total += share;
  }
  if (total === 0n) throw new InvariantError("Cannot split a reward: the round has no shares");
  const legacy = input.rounding === "legacy";
  const fee = legacy ? legacyFee(feeMillionths) : exactFee(feeMillionths);
  // The fee is cut to whole wei: the fraction is the miners'.
  const feeWei = rewardWei * fee.over / fee.under;
  const miners = legacy
    ? { over: rewardWei * (fee.under - fee.over), under: fee.under }
    : { over: rewardWei - feeWei, under: 1n };
  const round = legacy ? roundHalfAway : floor;

  const credits = new Map<string, Shannon>();
  const credit = (login: string, amountShannon: Shannon) => {
    if (amountShannon > 0n) credits.set(login, (credits.get(login) ?? 0n) + amountShannon);
  };
  for (const [login, share] of shares) {
    credit(login, round(miners.over * share, miners.under * total * WEI_PER_SHANNON));
  }
  const poolWei = feeWei + extraWei;
  if (feeAddress !== "") credit(feeAddress, round(poolWei, WEI_PER_SHANNON));
  const uncreditedFeeWei = feeAddress === "" ? poolWei : 0n;
  let creditedShannon = 0n;
  for (const amount of credits.values()) creditedShannon += amount;
  const dustWei = rewardWei + extraWei - uncreditedFeeWei - shannonToWei(creditedShannon);
  return { credits, uncreditedFeeWei, dustWei };
}

function exactFee(feeMillionths: bigint): Fraction {
  return { over: feeMillionths, under: WHOLE_IN_MILLIONTHS };
}

/** The exact value of the double that open-ethereum-pool computes: 1 % is 0.01000000000000000020…. */
function legacyFee(feeMillionths: bigint): Fraction {
  const part = Number(feeMillionths) / 1e6 / 100;
  if (part === 0) return { over: 0n, under: 1n };
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, part);
  const exponent = Number(bits.getBigUint64(0) >> 52n) - 1075;
  const mantissa = (bits.getBigUint64(0) & ((1n << 52n) - 1n)) | (1n << 52n);
  return exponent >= 0
    ? { over: mantissa << BigInt(exponent), under: 1n }
    : { over: mantissa, under: 1n << BigInt(-exponent) };
}

function floor(over: bigint, under: bigint): bigint {
  return over / under;
}

function roundHalfAway(over: bigint, under: bigint): bigint {
  return (over * 2n + under) / (under * 2n);
}
