/** One payment: quote → reserve → sign → store in ledger and journal → broadcast. */
import { PoolError, shannonToWei, unixSeconds, type Wei } from "../base/mod.ts";
import { NodeError } from "../chain/mod.ts";
import type { Lease, Payment, Reservation } from "../ledger/mod.ts";
import { traced } from "../metrics/mod.ts";
import { type Fee, gasCostWei, type Quote, quoteFee } from "./fees.ts";
import { HaltError } from "./halt.ts";
import { marketFees } from "./market.ts";
import { sendByNode } from "./node_account.ts";
import { nextNonce } from "./nonces.ts";
import type { Payer } from "./payer.ts";
import { feeRefusal, type PlannedPayment } from "./plan.ts";
import { capLeftShannon } from "./plan_run.ts";
import { committedWei, isSigned } from "./transactions.ts";

/** A node that has the transaction already says so in words of its own. */
const KNOWN = /already known|known transaction|already imported|already in (the )?(mem|tx)?pool/i;

/** What became of a planned payment: `refused` and the reservations leave it to a later run. */
export type PayOutcome =
  | "sent"
  | "signed"
  | "refused"
  | "cap"
  | Exclude<Reservation, "ok" | "again">;

/** What a fee is quoted with. */
type QuoteReader = Pick<Payer, "node" | "options"> & { signer: { readonly address: string } };

/**
 * Makes one payment as far as its broadcast.
 *
 * Whatever throws, and wherever the process dies, leaves a state that the next start carries on.
 */
export function pay(payer: Payer, lease: Lease, planned: PlannedPayment): Promise<PayOutcome> {
  const { login, amountShannon } = planned;
  const facts = { login, amountShannon: amountShannon.toString() };
  return traced("payment.pay", facts, () => payOnce(payer, lease, planned));
}

async function payOnce(
  payer: Payer,
  lease: Lease,
  { login, amountShannon }: PlannedPayment,
): Promise<PayOutcome> {
  const quote = await quoteFor(payer, login, amountShannon);
  if ("refused" in quote) {
    if (quote.refused === "dear") throw new PoolError(`Payments wait: ${quote.reason}`);
    payer.log.warn("payment.refused", { login, amountShannon, reason: quote.reason });
    return "refused";
  }
  if (await feeRefused(payer, login, amountShannon, quote.fee)) return "refused";
  const open = await payer.payments.open();
  const leftShannon = await capLeftShannon(payer, open);
  if (leftShannon !== undefined && amountShannon > leftShannon) return "cap";
  await checkWallet(payer, amountShannon, quote.fee);
  // Before any debit: an address whose nonces are not in order must not pay.
  await nextNonce(payer, lease, open);
  const id = payer.newId();
  payer.moment?.("quoted", id);
  const reservation = await payer.payments.reserve(
    lease,
    { id, login, amountShannon },
    unixSeconds(payer.clock),
  );
  if (reservation === "foreign") throw foreignRow(login, amountShannon);
  if (reservation !== "ok" && reservation !== "again") return reservation;
  payer.moment?.("reserved", id);
  const payment = await payer.payments.payment(id);
  if (payment === undefined) throw new PoolError(`Payment ${id} cannot be read back`);
  return await signAndSend(payer, lease, payment, quote.fee);
}

/** Carries on a payment that was debited and not signed. */
export async function finishReserved(
  payer: Payer,
  lease: Lease,
  payment: Payment,
): Promise<PayOutcome> {
  const known = payer.journal.entries().findLast(({ id }) => id === payment.id);
  if (known?.batch !== undefined) {
    throw new PoolError(`Payment ${payment.id} is of a batch that is booked again as a whole`);
  }
  if (known !== undefined) {
    // Signed before the crash: the same bytes, never others.
    await payer.payments.sign(lease, payment.id, known, unixSeconds(payer.clock));
    return await broadcast(payer, lease, await reread(payer, payment));
  }
  const quote = await quoteFor(payer, payment.login, payment.amountShannon);
  if ("fee" in quote) {
    if (await feeRefused(payer, payment.login, payment.amountShannon, quote.fee)) {
      return await giveBackUnsigned(payer, lease, payment, "its gas costs too much now", false);
    }
    await checkWallet(payer, payment.amountShannon, quote.fee);
    return await signAndSend(payer, lease, payment, quote.fee);
  }
  if (quote.refused === "dear") throw new PoolError(`Payments wait: ${quote.reason}`);
  return await giveBackUnsigned(payer, lease, payment, quote.reason, true);
}

/** Returns the debit of a payment for which no transaction was ever made. */
async function giveBackUnsigned(
  payer: Payer,
  lease: Lease,
  payment: Payment,
  why: string,
  hold: boolean,
): Promise<"refused"> {
  const reason = `It could not be signed: ${why}`;
  const how = { state: "reverted" as const, reason, hold };
  await payer.payments.giveBack(lease, payment, how, unixSeconds(payer.clock));
  const facts = { id: payment.id, login: payment.login, reason };
  payer.log.error("payment.reverted", facts);
  payer.event("payment.reverted", facts);
  return "refused";
}

async function signAndSend(
  payer: Payer,
  lease: Lease,
  payment: Payment,
  fee: Fee,
): Promise<PayOutcome> {
  const nonce = await nextNonce(payer, lease, await payer.payments.open());
  const amountWei = shannonToWei(payment.amountShannon);
  const valueWei = minerPays(payer) ? amountWei - gasCostWei(fee) : amountWei;
  const stored = await signAndStore(payer, lease, payment, { nonce, valueWei, fee });
  return await broadcast(payer, lease, stored);
}

/** Signs a payment and stores the bytes in the ledger; gives it as the ledger then has it. */
export async function signAndStore(
  payer: Payer,
  lease: Lease,
  payment: Payment,
  what: { nonce: number; valueWei: Wei; fee: Fee },
): Promise<Payment> {
  const { signer, chainId, payments } = payer;
  const { raw, hash } = await traced(
    "payment.sign",
    { id: payment.id, nonce: what.nonce },
    () => signer.sign({ chainId, to: payment.login, ...what }),
  );
  payer.moment?.("built", payment.id);
  const transaction = { nonce: what.nonce, raw, hash, from: signer.address };
  await payments.sign(lease, payment.id, transaction, unixSeconds(payer.clock));
  payer.moment?.("signed", payment.id);
  return await reread(payer, payment);
}

/**
 * Sends a signed payment's bytes, journalled first; sending them again is always safe.
 *
 * Any error of the node leaves it signed: the same bytes go out again later.
 */
export async function broadcast(
  payer: Payer,
  lease: Lease,
  payment: Payment,
): Promise<"sent" | "signed"> {
  const { id, login, signed } = payment;
  if (signed === undefined) throw new PoolError(`Payment ${id} is not signed`);
  const from = payer.signer.address;
  const together = await togetherWith(payer, payment);
  await payer.journal.addTogether(together.map((one) => ({
    ...{ id: one.id, login: one.login, amountShannon: one.amountShannon, from, ...signed },
    ...(one.batch === undefined ? {} : { batch: one.batch }),
  })));
  payer.moment?.("journalled", id);
  checkCustody(payer, payment);
  await payer.payments.persist(lease, id, unixSeconds(payer.clock));
  if (payer.signer.byNode) {
    if (await sendByNode(payer, lease, payment) === "signed") return "signed";
    return await noteSent(payer, lease, await reread(payer, payment), payment.state);
  }
  try {
    const hash = await traced(
      "payment.send",
      { id, hash: signed.hash },
      () => payer.node.sendRawTransaction(signed.raw),
    );
    if (hash !== signed.hash) {
      throw new HaltError(
        `Node ${payer.node.name} says that payment ${id} has hash ${hash}, not ${signed.hash}`,
        "check that payouts.daemon is a node of this chain",
      );
    }
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    if (!KNOWN.test(error.reason)) {
      payer.log.warn("payment.broadcast.failed", { id, login, hash: signed.hash, error });
      await sendEarlier(payer, payment);
      return "signed";
    }
  }
  payer.moment?.("broadcast", id);
  for (const one of together) await noteSent(payer, lease, one, one.state);
  return "sent";
}

/** All payments of a payment's transaction that are open: it alone, or its batch. */
async function togetherWith(payer: Payer, payment: Payment): Promise<Payment[]> {
  const { batch } = payment;
  if (batch === undefined) return [payment];
  const all = (await payer.payments.open()).filter((one) => one.batch?.id === batch.id);
  return all.toSorted((a, b) => a.batch!.index - b.batch!.index);
}

/** A node has it; said once. */
async function noteSent(
  payer: Payer,
  lease: Lease,
  { id, login, amountShannon, signed }: Payment,
  before: Payment["state"],
): Promise<"sent"> {
  await payer.payments.markSent(lease, id, unixSeconds(payer.clock));
  payer.moment?.("sent", id);
  if (before === "sent") return "sent";
  payer.log.info("payment.sent", { id, login, amountShannon, hash: signed?.hash });
  payer.event("payment.sent", { id, login, amountShannon, hash: signed?.hash });
  return "sent";
}

/** What one kind of signer has begun another cannot carry on. */
function checkCustody({ signer }: Payer, { id, signed }: Payment): void {
  if (isSigned(signed!.raw) !== (signer.byNode === true)) return;
  throw new HaltError(
    `Payment ${id} was begun by ${signer.byNode ? "a key" : "the node's own account"}`,
    "let payouts.signer be what it was until it is settled",
    { id },
  );
}

/** What an earlier fee was signed for may be mined as well: it stays out while the last is refused. */
async function sendEarlier(payer: Payer, { id, signed }: Payment): Promise<void> {
  for (const entry of payer.journal.entries()) {
    if (entry.id !== id || entry.hash === signed?.hash) continue;
    try {
      await payer.node.sendRawTransaction(entry.raw);
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      payer.log.debug("payment.earlier.refused", { id, hash: entry.hash, error });
    }
  }
}

/** The fee of one payment now, or why there is none. @throws {PoolError} when the wallet is short */
export async function quoteFor(
  payer: QuoteReader,
  login: string,
  amountShannon: bigint,
): Promise<Quote> {
  const { node, options, signer } = payer;
  const valueWei = shannonToWei(amountShannon);
  let estimatedGas: bigint;
  try {
    estimatedGas = await node.estimateGas({ from: signer.address, to: login, valueWei });
  } catch (error) {
    if (!(error instanceof NodeError) || error.kind !== "refused") throw error;
    if (/insufficient|funds|exceeds balance/i.test(error.reason)) throw walletShort(payer, error);
    return { refused: "gas", reason: `the node says: ${error.reason}` };
  }
  return quoteFee({ ...await marketFees(payer), estimatedGas }, options);
}

function minerPays({ options }: Payer): boolean {
  return options.feePaidBy === "miner";
}

/** Whether the gas is more than a miner who bears it can or wants to pay; says so in the log. */
async function feeRefused(
  payer: Payer,
  login: string,
  amountShannon: bigint,
  fee: Fee,
): Promise<boolean> {
  if (!minerPays(payer)) return false;
  const settings = (await payer.settings.read([login])).get(login);
  const reason = feeRefusal(shannonToWei(amountShannon), gasCostWei(fee), settings);
  if (reason === null) return false;
  payer.log.info("payment.refused", { login, amountShannon, reason, gasWei: gasCostWei(fee) });
  return true;
}

/** @throws {PoolError} when the wallet does not reach */
export async function checkWallet(payer: Payer, amountShannon: bigint, fee: Fee): Promise<void> {
  const gasWei = minerPays(payer) ? 0n : gasCostWei(fee);
  const needWei = shannonToWei(amountShannon + payer.options.reserveShannon) + gasWei +
    committedWei(await payer.payments.open());
  const haveWei = await payer.node.getBalance(payer.signer.address);
  if (haveWei < needWei) throw walletShort(payer, undefined, { haveWei, needWei });
}

function walletShort(payer: QuoteReader, cause?: unknown, facts = {}): PoolError {
  return new PoolError(
    `The wallet ${payer.signer.address} does not cover the payment and its gas: fund it`,
    { cause, facts },
  );
}

/** Something of the old pool stands in the way. */
export function foreignRow(login: string, amountShannon: bigint): HaltError {
  return new HaltError(
    `payments:pending or payments:lock has a row that is not ours (paying ${login} ` +
      `${amountShannon} Shannon)`,
    "deno task payouts CONFIG resolve says what became of it, and settles it",
  );
}

async function reread(payer: Payer, { id }: Payment): Promise<Payment> {
  const payment = await payer.payments.payment(id);
  if (payment?.signed === undefined) throw new PoolError(`Payment ${id} cannot be read back`);
  return payment;
}
