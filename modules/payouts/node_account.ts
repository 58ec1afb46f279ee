/**
 * The node's own account: the node signs and sends, and its reply, which names the hash, may be lost.
 *
 * What is stored before it is asked are the unsigned bytes with their nonce, under the hash that is
 * signed (no transaction has that one). Asking again for the same nonce can never pay twice; the
 * hash it got is looked for by address and nonce, in the pool and in the blocks.
 */
import { type Hex, keccak256, serializeTransaction } from "viem";
import { unixSeconds } from "../base/mod.ts";
import { NodeError, type Transaction } from "../chain/mod.ts";
import type { Lease, Payment } from "../ledger/mod.ts";
import { HaltError } from "./halt.ts";
import { findByNonce } from "./nonces.ts";
import type { Payer } from "./payer.ts";
import { requestOf } from "./remote_signer.ts";
import type { Signer } from "./signer.ts";
import { readTransactionFields } from "./transactions.ts";

/** The signer of an account that the node of `payouts.daemon` has unlocked. */
export function openNodeAccount(address: string): Signer {
  return {
    address,
    byNode: true,
    sign({ chainId, nonce, to, valueWei, fee }) {
      const raw = serializeTransaction({ chainId, nonce, to: to as Hex, value: valueWei, ...fee });
      return Promise.resolve({ raw, hash: keccak256(raw) });
    },
  };
}

/** Has the node send a journalled payment, unless it has it already. */
export async function sendByNode(
  payer: Payer,
  lease: Lease,
  payment: Payment,
): Promise<"sent" | "signed"> {
  const { node, signer, log } = payer;
  const { id, login, signed, hashes } = payment;
  const { nonce, raw, hash } = signed!;
  if (hashes.length > 1 && await node.getTransaction(hash) !== undefined) return "sent";
  const waiting = (await node.pendingTransactions())
    ?.find((one) => one.from === signer.address && one.nonce === nonce);
  let sentHash = waiting?.hash;
  if (sentHash === undefined) {
    const { chainId: _, data: __, ...fields } = readTransactionFields(raw);
    try {
      sentHash = await node.sendTransaction({
        from: signer.address,
        ...requestOf({ ...fields, chainId: payer.chainId }),
      });
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      log.warn("payment.broadcast.failed", { id, login, nonce, error });
      return "signed";
    }
  }
  payer.moment?.("broadcast", id);
  const transaction = waiting ?? await node.getTransaction(sentHash);
  if (transaction === undefined) return "signed";
  if (!isOf(payment, transaction, signer.address)) {
    throw new HaltError(
      `Node ${node.name} has another transaction, ${sentHash}, at nonce ${nonce} of payment ${id}`,
      "find out who else uses the account; nothing is sent until that nonce is used or free",
      { id, login, nonce, hash: sentHash },
    );
  }
  await adopt(payer, lease, payment, sentHash);
  return "sent";
}

/** Finds, in the blocks, the transaction whose hash was lost with the reply; true when it is there. */
export async function adoptMined(payer: Payer, lease: Lease, payment: Payment): Promise<boolean> {
  if (!payer.signer.byNode) return false;
  const found = await findByNonce(payer, payment.signed!.nonce);
  if (found === undefined || payment.hashes.includes(found.hash)) return false;
  if (!isOf(payment, found, payer.signer.address)) return false;
  await adopt(payer, lease, payment, found.hash);
  return true;
}

/** Whether a transaction is the one that was asked for. */
function isOf({ signed }: Payment, transaction: Transaction, from: string): boolean {
  const { nonce, to, valueWei } = readTransactionFields(signed!.raw);
  return transaction.from === from && transaction.nonce === nonce &&
    transaction.to?.toLowerCase() === to && transaction.valueWei === valueWei;
}

/** Keeps the hash that the node gave, in ledger and journal. */
async function adopt(payer: Payer, lease: Lease, payment: Payment, hash: string): Promise<void> {
  const { id, login, amountShannon, signed } = payment;
  const from = payer.signer.address;
  const transaction = { ...signed!, hash, from };
  await payer.payments.sign(lease, id, transaction, unixSeconds(payer.clock));
  await payer.journal.add({ id, login, amountShannon, ...transaction });
}
