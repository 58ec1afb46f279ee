/** What stands between a miner and its next payment (pure). */
import type { LoopStatus, OpenPayment, Overview } from "../../ledger/mod.ts";
import type { Miner } from "./schemas.ts";

/** What it is judged by; amounts in Shannon. */
export interface PayoutFacts {
  balance: bigint;
  immature: bigint;
  threshold: bigint;
  held: boolean;
  /** State of the open payment, if there is one. */
  open: OpenPayment["state"] | undefined;
  /** What the payer says of itself; undefined: it never ran. */
  payer: LoopStatus | undefined;
  overview: Overview | undefined;
  /** Of the miner, over the long window. */
  hashrateHps: bigint;
  feePercent: number;
}

const OPEN_REASONS = {
  reserved: "A payment is being prepared",
  signed: "A payment is signed and about to be sent",
  sent: "A payment is sent and waits for confirmations",
};

/** State, reason and the time that is left at the present hashrate. */
export function payoutOf(facts: PayoutFacts): Miner["payout"] {
  const { balance, threshold, held, open, payer } = facts;
  const say = (state: Miner["payout"]["state"], reason: string, etaMs: number | null = null) => ({
    ...{ state, reason, nextRunAtMs: payer?.nextRunAtMs ?? null, etaMs },
  });
  if (open !== undefined) return say("underWay", OPEN_REASONS[open]);
  if (held) return say("held", "A payment failed; the operator has to look at it");
  if (payer?.state === "halted") return say("halted", "Payments are halted; balances are safe");
  if (balance >= threshold && balance > 0n) return say("due", "Paid with the next run");
  return say("below", "Below the threshold", etaOf(facts));
}

/** Time (milliseconds) until credits reach the threshold; null when that cannot be told. */
function etaOf({ balance, immature, threshold, overview, hashrateHps, feePercent }: PayoutFacts) {
  const difficulty = overview?.difficulty ?? null;
  const reward = overview?.lastRewardWei ?? null;
  if (difficulty === null || reward === null || hashrateHps === 0n) return null;
  const missing = threshold - balance - immature;
  if (missing <= 0n) return null;
  // Expected income: a share of work is worth its part of a block's difficulty.
  const shannonPerSecond = Number(reward) / 1e9 * (1 - feePercent / 100) *
    Number(hashrateHps) / Number(difficulty);
  const etaMs = Math.ceil(Number(missing) / shannonPerSecond * 1000);
  return Number.isSafeInteger(etaMs) ? etaMs : null;
}
