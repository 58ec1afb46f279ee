/** Pure: balances and thresholds to the payments of this run, in order, as far as the wallet goes. */
import { type Shannon, shannonToWei, type Wei } from "../base/mod.ts";
import type { MinerSettings } from "../ledger/mod.ts";

/** What a run is planned from. */
export interface PlanFacts {
  balances: readonly { login: string; balanceShannon: Shannon }[];
  /** A balance is paid when it is at least this, or what its miner has set instead. */
  thresholdShannon: Shannon;
  /** Least that a miner may set. */
  minThresholdShannon: Shannon;
  /** What miners have set. */
  settings: ReadonlyMap<string, Pick<MinerSettings, "thresholdShannon" | "feeCeilingWei">>;
  /** What may still be paid today; undefined: no limit. */
  capLeftShannon: Shannon | undefined;
  /** Whether gas is taken from the amount. */
  minerPaysGas: boolean;
  /** Miners whose payments wait for a human. */
  held: ReadonlySet<string>;
  /** Miners who have an open payment. */
  open: ReadonlySet<string>;
  /** The paying address; nothing is paid to it. */
  from: string;
  /** What the wallet has. */
  walletWei: Wei;
  /** What stays in the wallet. */
  reserveShannon: Shannon;
  /** Most that the gas of one payment costs. */
  gasCostWei: Wei;
}

/** One payment to make. */
export interface PlannedPayment {
  login: string;
  amountShannon: Shannon;
}

/**
 * Why a balance that is due is left out. `fee`: gas would cost all of it; `fee ceiling`: more than
 * its miner allows; `cap`: more than may be paid today; `wallet`: the wallet does not reach.
 */
export type SkipReason =
  | "held"
  | "open"
  | "self"
  | "zero address"
  | "fee"
  | "fee ceiling"
  | "cap"
  | "wallet";

/** The payments of a run, and why others are left out. */
export interface Plan {
  payments: PlannedPayment[];
  skipped: { login: string; reason: SkipReason }[];
  /** What the wallet lacks to pay everybody. */
  shortWei: Wei;
}

/** The largest balances come first; equal ones in the order of their addresses. */
export function planPayments(facts: PlanFacts): Plan {
  const plan: Plan = { payments: [], skipped: [], shortWei: 0n };
  const due = facts.balances
    .filter(({ login, balanceShannon }) => balanceShannon >= thresholdOf(login, facts))
    .toSorted((a, b) =>
      a.balanceShannon === b.balanceShannon
        ? (a.login < b.login ? -1 : 1)
        : (a.balanceShannon > b.balanceShannon ? -1 : 1)
    );
  let capShannon = facts.capLeftShannon;
  let leftWei = facts.walletWei - shannonToWei(facts.reserveShannon);
  for (const { login, balanceShannon } of due) {
    const reason = refusal(login, balanceShannon, facts);
    const costWei = shannonToWei(balanceShannon) + (facts.minerPaysGas ? 0n : facts.gasCostWei);
    if (reason !== null) {
      plan.skipped.push({ login, reason });
    } else if (capShannon !== undefined && balanceShannon > capShannon) {
      plan.skipped.push({ login, reason: "cap" });
    } else if (costWei > leftWei) {
      plan.skipped.push({ login, reason: "wallet" });
      plan.shortWei += costWei;
    } else {
      leftWei -= costWei;
      if (capShannon !== undefined) capShannon -= balanceShannon;
      plan.payments.push({ login, amountShannon: balanceShannon });
    }
  }
  if (plan.shortWei > 0n) plan.shortWei -= leftWei > 0n ? leftWei : 0n;
  return plan;
}

/** What a balance must reach: the miner's own threshold within the operator's bounds. */
export function thresholdOf(
  login: string,
  facts: Pick<PlanFacts, "thresholdShannon" | "minThresholdShannon" | "settings">,
): Shannon {
  const own = facts.settings.get(login)?.thresholdShannon;
  const wanted = own === undefined
    ? facts.thresholdShannon
    : own > facts.minThresholdShannon
    ? own
    : facts.minThresholdShannon;
  return wanted > 0n ? wanted : 1n;
}

function refusal(login: string, amountShannon: Shannon, facts: PlanFacts): SkipReason | null {
  if (facts.held.has(login)) return "held";
  if (facts.open.has(login)) return "open";
  if (login.toLowerCase() === facts.from.toLowerCase()) return "self";
  if (/^0x0{40}$/.test(login)) return "zero address";
  return facts.minerPaysGas
    ? feeRefusal(shannonToWei(amountShannon), facts.gasCostWei, facts.settings.get(login))
    : null;
}

/** Why a miner who bears the gas is not paid now: it would cost all, or more than allowed. */
export function feeRefusal(
  amountWei: Wei,
  gasCostWei: Wei,
  settings: Pick<MinerSettings, "feeCeilingWei"> | undefined,
): "fee" | "fee ceiling" | null {
  if (gasCostWei >= amountWei) return "fee";
  const ceiling = settings?.feeCeilingWei;
  return ceiling !== undefined && gasCostWei > ceiling ? "fee ceiling" : null;
}
