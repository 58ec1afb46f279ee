/** Open payments against the chain: receipts to books, vanished ones out again, displaced ones named. */
import { PoolError, shannonToWei, unixSeconds, type Wei } from "../base/mod.ts";
import type { Receipt } from "../chain/mod.ts";
import type { Lease, Payment } from "../ledger/mod.ts";
import { traced } from "../metrics/mod.ts";
import { fateInBatch, partOfGasWei } from "./batch.ts";
import { bumpWhenStuck } from "./bump.ts";
import { HaltError } from "./halt.ts";
import { adoptMined } from "./node_account.ts";
import { findByNonce } from "./nonces.ts";
import { broadcast } from "./pay.ts";
import type { Payer } from "./payer.ts";
import { readTransactionFields } from "./transactions.ts";

/** Pause between two broadcasts of the same bytes (milliseconds). */
const REBROADCAST_MS = 30_000;

/** Settles open payments; remembers when each was last broadcast. */
export interface Settler {
  /** One pass; gives the payments that are still open. @throws {HaltError} */
  settle(lease: Lease): Promise<Payment[]>;
}

/** A settler of a payer's payments. */
export function createSettler(payer: Payer): Settler {
  const broadcastAtMs = new Map<string, number>();
  const startMs = payer.clock.now();

  async function rebroadcast(lease: Lease, payment: Payment): Promise<void> {
    // What an earlier process sent goes out again at once, what this one sent does not.
    const sentMs = (payment.sentAt ?? 0) * 1000;
    // Payments of one transaction go out with it, once for all of them.
    const name = payment.batch?.id ?? payment.id;
    const lastMs = broadcastAtMs.get(name) ?? (sentMs >= startMs ? sentMs : -Infinity);
    if (payer.clock.now() - lastMs < REBROADCAST_MS) return;
    broadcastAtMs.set(name, payer.clock.now());
    await broadcast(payer, lease, payment);
  }

  return {
    async settle(lease) {
      const open = await payer.payments.open();
      const signed = open.filter((payment) => payment.signed !== undefined)
        .toSorted((a, b) => a.signed!.nonce - b.signed!.nonce);
      for (const payment of signed) {
        const head = await payer.node.blockNumber();
        const receipt = await receiptOf(payer, payment);
        if (receipt !== undefined) {
          await settleMined(payer, lease, payment, receipt, head);
          continue;
        }
        if (payment.mined !== undefined) {
          payer.log.warn("payment.receipt.vanished", { id: payment.id, ...payment.mined });
          await payer.payments.recordReceipt(lease, payment.id, undefined, now(payer));
          broadcastAtMs.delete(payment.batch?.id ?? payment.id);
        }
        const address = payer.signer.address;
        const owner = await payer.payments.ownerOfNonce(address, payment.signed!.nonce);
        if (owner !== (payment.batch?.id ?? payment.id)) {
          throw formerAddress(payment, address);
        }
        const used = await payer.node.getTransactionCount(address, "latest");
        if (used <= payment.signed!.nonce) {
          const next = used === payment.signed!.nonce;
          if (next && await bumpWhenStuck(payer, lease, payment)) {
            broadcastAtMs.set(payment.id, payer.clock.now());
          } else await rebroadcast(lease, payment);
        } else if (!await adoptMined(payer, lease, payment)) {
          await settleDisplaced(payer, lease, payment, head);
        }
      }
      const left = await payer.payments.open();
      const ids = new Set(left.map(({ id, batch }) => batch?.id ?? id));
      for (const id of broadcastAtMs.keys()) if (!ids.has(id)) broadcastAtMs.delete(id);
      return left;
    },
  };
}

function now(payer: Payer): number {
  return unixSeconds(payer.clock);
}

/** Only the nonces of the address that signed it can tell whether it may still be mined. */
function formerAddress({ id, login, signed }: Payment, address: string): HaltError {
  return new HaltError(
    `Payment ${id} to ${login} was signed by another address than ${address} and is not mined yet`,
    "let payouts.address and payouts.signer be the former ones until it is settled",
    { id, login, hash: signed?.hash },
  );
}

/** A receipt of any of its transactions, in a block that the node still has in its chain. */
async function receiptOf(payer: Payer, payment: Payment): Promise<Receipt | undefined> {
  for (const hash of payment.hashes) {
    const receipt = await payer.node.getReceipt(hash);
    if (receipt === undefined) continue;
    const block = await payer.node.getBlock(receipt.blockNumber);
    if (block?.hash === receipt.blockHash) return receipt;
  }
  return undefined;
}

async function settleMined(
  payer: Payer,
  lease: Lease,
  payment: Payment,
  receipt: Receipt,
  head: number,
): Promise<void> {
  const { id, login, amountShannon } = payment;
  const { transactionHash: hash, blockNumber: height, blockHash } = receipt;
  if (payment.mined?.hash !== hash || payment.mined.blockHash !== blockHash) {
    await payer.payments.recordReceipt(lease, id, { hash, height, blockHash }, now(payer));
    payer.log.info("payment.mined", { id, login, hash, height, succeeded: receipt.succeeded });
  }
  if (head - height < payer.options.confirmations) return;
  if (receipt.succeeded === undefined) {
    throw new HaltError(
      `The receipt of payment ${id} has no status, so that nobody can tell whether it paid`,
      `look at ${hash}, and use a node that gives receipts with a status (EIP-658)`,
    );
  }
  const gasWei = partOfGasWei(payment, await gasSpentWei(payer, receipt));
  const inBatch = payment.batch === undefined || !receipt.succeeded
    ? "paid"
    : fateInBatch(payment, receipt);
  if (receipt.succeeded && inBatch === "paid") {
    const { valueWei } = readTransactionFields(payment.signed!.raw);
    const shareWei = payment.batch === undefined ? shannonToWei(amountShannon) - valueWei : 0n;
    const gas = { spentWei: gasWei, shareWei };
    await traced(
      "payment.confirm",
      { id, hash, height },
      () => payer.payments.confirm(lease, payment, hash, now(payer), gas),
    );
    payer.log.info("payment.confirmed", { id, login, amountShannon, hash, height });
    payer.event("payment.confirmed", { id, login, amountShannon, hash, height });
    return;
  }
  const reason = receipt.succeeded
    ? `Its payee refused it in transaction ${hash}`
    : `Transaction ${hash} failed in block ${height}`;
  const how = { state: "reverted" as const, reason, hold: true, gasWei };
  await payer.payments.giveBack(lease, payment, how, now(payer));
  payer.log.error("payment.reverted", { id, login, amountShannon, hash, height });
  payer.event("payment.reverted", { id, login, amountShannon, hash, reason });
}

/** What a mined transaction cost; nodes without an effective price tell it as the gas price. */
async function gasSpentWei({ node }: Payer, receipt: Receipt): Promise<Wei> {
  const priceWei = receipt.effectiveGasPrice ??
    (await node.getTransaction(receipt.transactionHash))?.gasPrice;
  if (priceWei !== undefined) return receipt.gasUsed * priceWei;
  throw new PoolError(`Node ${node.name} does not tell the price of ${receipt.transactionHash}`);
}

/** Its nonce is used and none of its transactions has a receipt: whose is it? */
async function settleDisplaced(
  payer: Payer,
  lease: Lease,
  payment: Payment,
  head: number,
): Promise<void> {
  const { id, login, amountShannon, signed } = payment;
  const accepted = await payer.payments.isAccepted(payer.signer.address, signed!.nonce);
  const found = await findByNonce(payer, signed!.nonce);
  if ((found === undefined && !accepted) || payment.hashes.includes(found?.hash ?? "")) {
    throw new PoolError(
      `Payment ${id} has no receipt although nonce ${signed!.nonce} is used: the node lags behind`,
    );
  }
  const facts = { id, login, amountShannon, nonce: signed!.nonce, by: found?.hash };
  if (!accepted && !payer.journal.entries().some((entry) => entry.hash === found?.hash)) {
    throw new HaltError(
      `Nonce ${signed!.nonce} of payment ${id} was used by ${found?.hash}, which nobody knows`,
      "find out who else has the key; when that transaction did not pay this miner, accept it: " +
        `deno task payouts CONFIG accept ${signed!.nonce}`,
      facts,
    );
  }
  // An accepted one that the search no longer reaches is deep enough.
  if (found !== undefined && head - found.blockNumber < payer.options.confirmations) return;
  const reason = `Nonce ${signed!.nonce} was used by ${found?.hash ?? "an accepted transaction"}`;
  const how = { state: "displaced" as const, reason, hold: false };
  await payer.payments.giveBack(lease, payment, how, now(payer));
  payer.log.error("payment.displaced", facts);
  payer.event("payment.displaced", facts);
}
