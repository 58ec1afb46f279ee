/** Pure: balances and thresholds to the payments of this run, in order, as far as the wallet goes. */
import { type Shannon, shannonToWei, type Wei } from "../base/mod.ts";

/** What a run is planned from. */
export interface PlanFacts {
  balances: readonly { login: string; balanceShannon: Shannon }[];
  /** A balance is paid when it is at least this. */
  thresholdShannon: Shannon;
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

/** The payments of a run, and why others are left out. */
export interface Plan {
  payments: PlannedPayment[];
  /** `wallet`: the wallet does not reach. */
  skipped: { login: string; reason: "held" | "open" | "self" | "zero address" | "wallet" }[];
  /** What the wallet lacks to pay everybody. */
  shortWei: Wei;
}

/** The largest balances come first; equal ones in the order of their addresses. */
export function planPayments(facts: PlanFacts): Plan {
  const plan: Plan = { payments: [], skipped: [], shortWei: 0n };
  const least = facts.thresholdShannon > 0n ? facts.thresholdShannon : 1n;
  const due = facts.balances.filter(({ balanceShannon }) => balanceShannon >= least)
    .toSorted((a, b) =>
      a.balanceShannon === b.balanceShannon
        ? (a.login < b.login ? -1 : 1)
        : (a.balanceShannon > b.balanceShannon ? -1 : 1)
    );
  let leftWei = facts.walletWei - shannonToWei(facts.reserveShannon);
  for (const { login, balanceShannon } of due) {
    const reason = refusal(login, facts);
    const costWei = shannonToWei(balanceShannon) + facts.gasCostWei;
    if (reason !== null) {
      plan.skipped.push({ login, reason });
    } else if (costWei > leftWei) {
      plan.skipped.push({ login, reason: "wallet" });
      plan.shortWei += costWei;
    } else {
      leftWei -= costWei;
      plan.payments.push({ login, amountShannon: balanceShannon });
    }
  }
  if (plan.shortWei > 0n) plan.shortWei -= leftWei > 0n ? leftWei : 0n;
  return plan;
}

function refusal(
  login: string,
  facts: PlanFacts,
): "held" | "open" | "self" | "zero address" | null {
  if (facts.held.has(login)) return "held";
  if (facts.open.has(login)) return "open";
  if (login.toLowerCase() === facts.from.toLowerCase()) return "self";
  return /^0x0{40}$/.test(login) ? "zero address" : null;
}
