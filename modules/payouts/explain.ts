/** Every payment that is not final, explained: what the chain says, and what comes next. Reads only. */
import { type LoopStatus, type Payment, type Payments } from "../ledger/mod.ts";
import { findByNonce } from "./nonces.ts";
import type { PayerNode } from "./payer.ts";
import { isSigned } from "./transactions.ts";

/** What explanations are read with. */
export interface ExplainReader {
  node: PayerNode;
  payments: Payments;
  signer: { readonly address: string };
  options: { readonly confirmations: number };
  /** What the payer says of itself; undefined when it never ran. */
  status(): Promise<LoopStatus | undefined>;
}

/** One payment, explained. */
export interface Explanation {
  payment: Payment;
  /** What the chain says of each of its transactions, and of its nonce. */
  chain: string[];
  /** What happens next, or what the operator can do. */
  next: string;
  /** Whether the payer carries on by itself. */
  well: boolean;
}

/** All that is not final, and all else that waits for a human. */
export interface Explained {
  payments: Explanation[];
  /** In sentences. */
  troubles: string[];
}

/** Explains what is open, who is held and what stands in the way. */
export async function explainOpen(reader: ExplainReader): Promise<Explained> {
  const { payments, node, signer } = reader;
  const troubles: string[] = [];
  const status = await reader.status();
  if (status !== undefined && (status.state === "halted" || status.state === "retrying")) {
    const mend = status.mend === "" ? "" : ` (${status.mend})`;
    troubles.push(`the payer is ${status.state}: ${status.reason}${mend}`);
  }
  for (const row of await payments.foreignRows()) {
    troubles.push(
      `the old pool left ${row} unfinished: deno task payouts CONFIG resolve ${row} looks for it ` +
        "on the chain, and books or returns it",
    );
  }
  for (const login of (await payments.held()).toSorted()) {
    troubles.push(`${login} is held: deno task payouts CONFIG release ${login}`);
  }
  const latest = await node.getTransactionCount(signer.address, "latest");
  const checked = await payments.checkedNonce(signer.address) ?? latest;
  for (let nonce = checked; nonce < latest; nonce++) {
    if (await payments.ownerOfNonce(signer.address, nonce) !== undefined) continue;
    troubles.push(
      `nonce ${nonce} was used by a transaction that the ledger does not know; when it is yours ` +
        `and no payment: deno task payouts CONFIG accept ${nonce}`,
    );
  }
  const explained: Explanation[] = [];
  for (const payment of await payments.open()) {
    explained.push(await explain(reader, payment, latest));
  }
  return { payments: explained, troubles };
}

async function explain(
  reader: ExplainReader,
  payment: Payment,
  latest: number,
): Promise<Explanation> {
  const { signed } = payment;
  if (signed === undefined) {
    const next = "it was debited and not signed: the payer quotes, signs and sends it";
    return { payment, chain: ["nothing was sent for it"], next, well: true };
  }
  const { chain, mined, pending } = await lookAt(reader, payment);
  if (mined !== undefined) return { payment, chain, ...mined };
  if (latest <= signed.nonce) {
    chain.push(`nonce ${signed.nonce} is free, ${latest} is next on the chain`);
    if (pending) return { payment, chain, next: "it waits for a block", well: true };
    const next =
      "the payer sends the same bytes again: see that it runs, and that its node takes " +
      "them (payment.broadcast.failed in its log says why not)";
    return { payment, chain, next, well: false };
  }
  return { payment, chain, ...await nonceUsed(reader, payment, chain) };
}

async function lookAt({ node, options }: ExplainReader, payment: Payment) {
  const chain: string[] = [];
  let mined: { next: string; well: boolean } | undefined, pending = false;
  const head = await node.blockNumber();
  const asked = isSigned(payment.signed!.raw) ? undefined : payment.hashes[0];
  if (asked !== undefined) chain.push("the node was asked to sign and send it");
  for (const hash of payment.hashes.filter((one) => one !== asked)) {
    const receipt = await node.getReceipt(hash);
    if (receipt === undefined) {
      const waits = await node.getTransaction(hash) !== undefined;
      pending ||= waits;
      chain.push(`${hash} ${waits ? "waits in the node's pool" : "is not known to the node"}`);
      continue;
    }
    const depth = head - receipt.blockNumber;
    const what = receipt.succeeded === false ? "failed" : "was mined";
    chain.push(`${hash} ${what} in block ${receipt.blockNumber}, ${depth} blocks deep`);
    const left = options.confirmations - depth;
    const when = left > 0 ? `in ${left} blocks` : "in the payer's next step";
    mined = receipt.succeeded === false
      ? { next: `the debit returns and the miner is held ${when}`, well: false }
      : { next: `it is booked as paid ${when}`, well: true };
  }
  return { chain, mined, pending };
}

async function nonceUsed(
  reader: ExplainReader,
  payment: Payment,
  chain: string[],
): Promise<{ next: string; well: boolean }> {
  const nonce = payment.signed!.nonce;
  const found = await findByNonce(reader, nonce);
  if (found !== undefined && payment.hashes.includes(found.hash)) {
    return { next: "its receipt is on its way: the node lags behind itself", well: true };
  }
  chain.push(`nonce ${nonce} was used by ${found?.hash ?? "a transaction of older blocks"}`);
  const next = await reader.payments.isAccepted(reader.signer.address, nonce)
    ? "that one is accepted: the debit returns once it is deep enough"
    : "the payer adopts it when its node's account sent it, and halts otherwise; when it did not " +
      `pay this miner: deno task payouts CONFIG accept ${nonce}, and the debit returns`;
  return { next, well: false };
}
