/** Reads what a run is planned from; writes nothing, so that a preview reads the same. */
import { PoolError, type Shannon, unixSeconds } from "../base/mod.ts";
import type { Payment } from "../ledger/mod.ts";
import { type Fee, gasCostWei, quoteFee, TRANSFER_GAS } from "./fees.ts";
import { marketFees } from "./market.ts";
import type { Payer } from "./payer.ts";
import { type Plan, type PlanFacts, planPayments } from "./plan.ts";
import { committedWei } from "./transactions.ts";

const DAY_SECONDS = 86_400;

/** What planning reads with; a payer has it all. */
export type PlanReader =
  & Pick<Payer, "node" | "payments" | "accounts" | "settings" | "options" | "clock">
  & { signer: { readonly address: string } };

/** A plan, what it was made from, and the fee of a plain transfer now. */
export interface PlannedRun {
  plan: Plan;
  facts: PlanFacts;
  fee: Fee;
}

/**
 * The payments that are due.
 *
 * @throws {PoolError} while the chain asks more than the operator allows
 */
export async function planRun(
  reader: PlanReader,
  open: readonly Payment[],
): Promise<PlannedRun> {
  const { node, options, signer, payments, accounts } = reader;
  const quote = quoteFee({ ...await marketFees(reader), estimatedGas: TRANSFER_GAS }, options);
  if ("refused" in quote) {
    const mend = quote.refused === "dear"
      ? "wait until the chain asks less, or allow more"
      : "allow more gas";
    throw new PoolError(`Payments wait: ${quote.reason}`, { facts: { mend } });
  }
  const { thresholdShannon, minThresholdShannon, reserveShannon } = options;
  const least = minThresholdShannon < thresholdShannon ? minThresholdShannon : thresholdShannon;
  const balances = [];
  for await (const page of accounts.all()) {
    balances.push(
      ...page.filter(({ balanceShannon }) => balanceShannon > 0n && balanceShannon >= least),
    );
  }
  const facts: PlanFacts = {
    ...{ balances, thresholdShannon, minThresholdShannon, reserveShannon },
    settings: await reader.settings.read(balances.map(({ login }) => login)),
    capLeftShannon: await capLeftShannon(reader, open),
    minerPaysGas: options.feePaidBy === "miner",
    held: new Set(await payments.held()),
    open: new Set(open.map(({ login }) => login)),
    from: signer.address,
    walletWei: await node.getBalance(signer.address) - committedWei(open),
    gasCostWei: gasCostWei(quote.fee),
  };
  return { plan: planPayments(facts), facts, fee: quote.fee };
}

/** What may still be paid within 24 hours, debited payments included; undefined without a cap. */
export async function capLeftShannon(
  { payments, options, clock }: Pick<Payer, "payments" | "options" | "clock">,
  open: readonly Payment[],
): Promise<Shannon | undefined> {
  const { dailyCapShannon } = options;
  if (dailyCapShannon === undefined) return undefined;
  const signed = await payments.spentSince(unixSeconds(clock) - DAY_SECONDS);
  const reserved = open.filter((one) => one.signed === undefined)
    .reduce((sum, one) => sum + one.amountShannon, 0n);
  const left = dailyCapShannon - signed - reserved;
  return left > 0n ? left : 0n;
}
