/** What the next run would pay, to whom and for what fee; reads only. */
import { PoolError, type Shannon, shannonToWei, type Wei } from "../base/mod.ts";
import type { Payment } from "../ledger/mod.ts";
import { batchFee, partOf } from "./batch.ts";
import { type Fee, gasCostWei } from "./fees.ts";
import { quoteFor } from "./pay.ts";
import type { Payer } from "./payer.ts";
import { feeRefusal, type PlannedPayment, type SkipReason, thresholdOf } from "./plan.ts";
import { type PlanReader, planRun } from "./plan_run.ts";
import { checkNode } from "./run.ts";

/** What a preview reads with. */
export type PreviewReader = PlanReader & Pick<Payer, "chainId">;

/** One payment as it would be signed now. */
export interface PreviewedPayment {
  login: string;
  /** Debited from the balance. */
  amountShannon: Shannon;
  /** Sent; less than the amount when the miner bears the gas. */
  valueWei: Wei;
  nonce: number;
  fee: Fee;
  /** Most that its gas costs. */
  gasCostWei: Wei;
}

/** The next run, as it would be now. */
export interface Preview {
  from: string;
  chainId: number;
  payments: PreviewedPayment[];
  skipped: { login: string; reason: SkipReason | "below threshold" | string }[];
  /** What keeps the run from beginning, or holds it up, in sentences. */
  obstacles: string[];
  /** Σ of the amounts. */
  totalShannon: Shannon;
  /** Most that leaves the wallet, gas included. */
  totalWei: Wei;
}

/** The next run as it would be now; what would only be waited for is named as an obstacle. */
export async function previewRun(reader: PreviewReader): Promise<Preview> {
  const { chainId, payments, signer } = reader;
  const preview: Preview = {
    ...{ from: signer.address, chainId, payments: [], skipped: [], obstacles: [] },
    ...{ totalShannon: 0n, totalWei: 0n },
  };
  const open = await payments.open();
  await note(preview, () => checkNode(reader));
  const rows = await payments.foreignRows();
  if (rows.length > 0) {
    preview.obstacles.push(`rows of the old pool are pending: ${rows.join(", ")}`);
  }
  for (const { id, state, login } of open.filter((one) => one.mined === undefined)) {
    preview.obstacles.push(`payment ${id} to ${login} is ${state} and not mined yet`);
  }
  await note(preview, () => fill(preview, reader, open));
  return preview;
}

async function fill(
  preview: Preview,
  reader: PreviewReader,
  open: readonly Payment[],
): Promise<void> {
  const { plan, facts } = await planRun(reader, open);
  preview.skipped.push(...plan.skipped);
  if (plan.shortWei > 0n) preview.obstacles.push(`the wallet lacks ${plan.shortWei} wei`);
  let nonce = await firstNonce(reader, open);
  const { batch } = reader.options;
  const single = [...plan.payments];
  while (batch !== undefined && single.length > 1) {
    await fillBatch(preview, reader, single.splice(0, batch.size), nonce++);
  }
  for (const { login, amountShannon } of single) {
    const quote = await quoteFor(reader, login, amountShannon);
    if ("refused" in quote) {
      preview.skipped.push({ login, reason: quote.reason });
      continue;
    }
    const gasWei = gasCostWei(quote.fee), amountWei = shannonToWei(amountShannon);
    const refused = facts.minerPaysGas
      ? feeRefusal(amountWei, gasWei, facts.settings.get(login))
      : null;
    if (refused !== null) {
      preview.skipped.push({ login, reason: refused });
      continue;
    }
    const valueWei = facts.minerPaysGas ? amountWei - gasWei : amountWei;
    preview.payments.push({
      ...{ login, amountShannon, valueWei, nonce: nonce++, fee: quote.fee, gasCostWei: gasWei },
    });
    preview.totalShannon += amountShannon;
    preview.totalWei += valueWei + gasWei;
  }
  for await (const page of reader.accounts.all()) {
    for (const { login, balanceShannon } of page) {
      if (balanceShannon > 0n && balanceShannon < thresholdOf(login, facts)) {
        preview.skipped.push({ login, reason: "below threshold" });
      }
    }
  }
}

/** Payments of one transaction: one nonce, and each its part of the gas. */
async function fillBatch(
  preview: Preview,
  reader: PreviewReader,
  together: readonly PlannedPayment[],
  nonce: number,
): Promise<void> {
  const fee = await batchFee(reader, together);
  const size = together.length;
  for (const [index, { login, amountShannon }] of together.entries()) {
    const valueWei = shannonToWei(amountShannon);
    const gasWei = partOf(gasCostWei(fee), index, size);
    preview.payments.push({ login, amountShannon, valueWei, nonce, fee, gasCostWei: gasWei });
    preview.totalShannon += amountShannon;
    preview.totalWei += valueWei + gasWei;
  }
}

async function firstNonce(
  { node, signer }: PreviewReader,
  open: readonly Payment[],
): Promise<number> {
  const latest = await node.getTransactionCount(signer.address, "latest");
  return Math.max(latest, ...open.map(({ signed }) => (signed?.nonce ?? -1) + 1));
}

/** What the payer would only retry is an obstacle here. */
async function note(preview: Preview, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof PoolError)) throw error;
    preview.obstacles.push(error.message);
  }
}
