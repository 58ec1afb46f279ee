/** Many payments in one transaction, through the multisend contract; each keeps its own row and fate. */
import { PoolError, shannonToWei, unixSeconds } from "../base/mod.ts";
import { NodeError, type Receipt } from "../chain/mod.ts";
import type { Lease, Payment } from "../ledger/mod.ts";
import { type Fee, quoteFee } from "./fees.ts";
import { HaltError } from "./halt.ts";
import { marketFees } from "./market.ts";
import { isMultisend, multisendData, payeesOf, wasPaid } from "./multisend.ts";
import { nextNonce } from "./nonces.ts";
import { broadcast, checkWallet, foreignRow, type PayOutcome } from "./pay.ts";
import type { Payer } from "./payer.ts";
import type { PlannedPayment } from "./plan.ts";
import { capLeftShannon } from "./plan_run.ts";
import { readTransactionFields } from "./transactions.ts";

/** Gas that the contract lets each payee use, its PAYEE_GAS. */
const PAYEE_GAS = 50_000n;

/**
 * Makes payments together as far as their broadcast.
 *
 * Payments that are reserved and not signed when the process dies go out one by one: only the script
 * that signs all of them at once ties them together.
 */
export async function payBatch(
  payer: Payer,
  lease: Lease,
  planned: readonly PlannedPayment[],
): Promise<PayOutcome> {
  const contract = contractOf(payer);
  const open = await payer.payments.open();
  const wanted = within(planned, await capLeftShannon(payer, open));
  if (wanted.length === 0) return "cap";
  if (!isMultisend(await payer.node.getCode(contract))) {
    throw new HaltError(
      `${contract} is not the multisend contract that quarry knows`,
      "deploy it (deno task payouts CONFIG multisend) and name it in payouts.batch.contract",
    );
  }
  const fee = await batchFee(payer, wanted);
  await checkWallet(payer, sumOf(wanted), fee);
  // Before any debit: an address whose nonces are not in order must not pay.
  await nextNonce(payer, lease, open);
  const reserved = await reserveAll(payer, lease, wanted);
  if (reserved.length === 0) return "poor";
  const payees = reserved.map(payeeOf);
  const nonce = await nextNonce(payer, lease, await payer.payments.open());
  const valueWei = payees.reduce((sum, payee) => sum + payee.valueWei, 0n);
  const { chainId, signer } = payer;
  const data = multisendData(payees);
  const signed = await signer.sign({ chainId, nonce, to: contract, valueWei, data, fee });
  const id = `batch:${reserved[0]!.id}`;
  payer.moment?.("built", id);
  const transaction = { nonce, ...signed, from: signer.address };
  const ids = reserved.map((one) => one.id);
  await payer.payments.signBatch(lease, id, ids, transaction, unixSeconds(payer.clock));
  payer.moment?.("signed", id);
  const first = await payer.payments.payment(ids[0]!);
  return await broadcast(payer, lease, first!);
}

/** What a mined transaction that pays many came to for one of its payments. */
export function fateInBatch(payment: Payment, receipt: Receipt): "paid" | "refused" {
  const { to, data } = readTransactionFields(payment.signed!.raw);
  const { index } = payment.batch!;
  const payee = payeesOf(data)[index];
  if (payee?.to !== payment.login || payee.valueWei !== shannonToWei(payment.amountShannon)) {
    throw new HaltError(
      `Payment ${payment.id} is not payee ${index} of its transaction`,
      "compare the ledger's row with the transaction; nothing was booked",
    );
  }
  return wasPaid(receipt.logs, to, index, payee) ? "paid" : "refused";
}

/** A payment's part of what its transaction cost (wei); the parts of all are the whole. */
export function partOfGasWei({ batch }: Payment, gasWei: bigint): bigint {
  return batch === undefined ? gasWei : partOf(gasWei, batch.index, batch.size);
}

/** One of several parts that sum to a whole and differ by one wei at most. */
export function partOf(wholeWei: bigint, index: number, size: number): bigint {
  const parts = BigInt(size), n = BigInt(index);
  return wholeWei * (n + 1n) / parts - wholeWei * n / parts;
}

function contractOf({ options, signer }: Payer): string {
  const { batch } = options;
  if (batch === undefined || signer.byNode) throw new PoolError("payouts.batch is not set");
  return batch.contract;
}

/** As many from the front as may be paid today. */
function within(
  planned: readonly PlannedPayment[],
  leftShannon: bigint | undefined,
): PlannedPayment[] {
  if (leftShannon === undefined) return [...planned];
  let left = leftShannon;
  return planned.filter(({ amountShannon }) => {
    if (amountShannon > left) return false;
    left -= amountShannon;
    return true;
  });
}

/**
 * What one transaction for these payments offers. Its gas lasts when every payee takes all that it
 * may, whatever it took when it was estimated: one payee must not make the others fail.
 *
 * @throws {PoolError} while the chain asks more than the operator allows, the contract refuses, or a
 *   block is too small
 */
export async function batchFee(
  payer: Pick<Payer, "node" | "options"> & { signer: { readonly address: string } },
  wanted: readonly PlannedPayment[],
): Promise<Fee> {
  const { node, options, signer } = payer;
  const contract = options.batch!.contract;
  const data = multisendData(wanted.map(payeeOf));
  let estimatedGas: bigint;
  try {
    estimatedGas = await node.estimateGas({
      ...{ from: signer.address, to: contract, valueWei: shannonToWei(sumOf(wanted)), data },
    });
  } catch (error) {
    if (!(error instanceof NodeError) || error.kind !== "refused") throw error;
    throw new PoolError(`The multisend contract cannot be estimated: ${error.reason}`, {
      cause: error,
    });
  }
  const quote = quoteFee({ ...await marketFees(payer), estimatedGas }, {
    ...{ ...options, gasLimit: options.gasLimit * BigInt(wanted.length + 1) },
  });
  const gas = estimatedGas + PAYEE_GAS * BigInt(wanted.length);
  if (!("fee" in quote)) throw new PoolError(`Payments wait: ${quote.reason}`);
  // Once it is signed no node would ever take it, and nothing may be signed in its place.
  const { gasLimit } = await node.getBlock("latest") ?? {};
  if (gasLimit === undefined || gas <= gasLimit) return { ...quote.fee, gas };
  throw new PoolError(
    `Payments wait: ${wanted.length} in one transaction need ${gas} gas, and a block has ` +
      `${gasLimit}: lower payouts.batch.size`,
  );
}

async function reserveAll(
  payer: Payer,
  lease: Lease,
  wanted: readonly PlannedPayment[],
): Promise<Payment[]> {
  const reserved: Payment[] = [];
  for (const { login, amountShannon } of wanted) {
    const id = payer.newId();
    const now = unixSeconds(payer.clock);
    const outcome = await payer.payments.reserve(lease, { id, login, amountShannon }, now);
    if (outcome === "foreign") throw foreignRow(login, amountShannon);
    if (outcome !== "ok" && outcome !== "again") {
      payer.log.info("payment.left", { login, outcome });
      continue;
    }
    payer.moment?.("reserved", id);
    const payment = await payer.payments.payment(id);
    if (payment === undefined) throw new PoolError(`Payment ${id} cannot be read back`);
    reserved.push(payment);
  }
  return reserved;
}

function payeeOf({ login, amountShannon }: PlannedPayment) {
  return { to: login, valueWei: shannonToWei(amountShannon) };
}

function sumOf(planned: readonly PlannedPayment[]): bigint {
  return planned.reduce((sum, { amountShannon }) => sum + amountShannon, 0n);
}
