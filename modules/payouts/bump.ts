/** A payment that waits too long is signed again at its own nonce, for a higher fee. */
import { unixSeconds } from "../base/mod.ts";
import type { Lease, Payment } from "../ledger/mod.ts";
import { gasCostWei, raisedFee } from "./fees.ts";
import { marketFees } from "./market.ts";
import { broadcast, signAndStore } from "./pay.ts";
import type { Payer } from "./payer.ts";
import { committedWei, readTransactionFields } from "./transactions.ts";

/**
 * Replaces the transaction of a sent payment when it has waited for `payouts.bumpAfter` and the
 * market asks more than it offers; true when it did. Only the payment that is next on the chain
 * gains by it. Amount, payee and nonce stay, so that no more than one of them can ever be mined.
 */
export async function bumpWhenStuck(
  payer: Payer,
  lease: Lease,
  payment: Payment,
): Promise<boolean> {
  const { options, node, signer, log } = payer;
  const { id, state, signed, sentAt = 0, signedAt = 0 } = payment;
  if (options.bumpAfterMs === undefined || !options.autoGas || signer.byNode) return false;
  // All of a batch would have to be signed again at once; it waits instead.
  if (state !== "sent" || signed === undefined || payment.batch !== undefined) return false;
  const waitedMs = (unixSeconds(payer.clock) - Math.max(sentAt, signedAt)) * 1000;
  if (waitedMs < options.bumpAfterMs) return false;
  const { fee, valueWei } = readTransactionFields(signed.raw);
  const raised = raisedFee(fee, await marketFees(payer), options.maxFeeWei);
  if (raised === "enough") return false;
  if (raised === "ceiling") {
    log.warn("payment.bump.ceiling", { id, hash: signed.hash, maxFeeWei: options.maxFeeWei });
    return false;
  }
  const needWei = committedWei(await payer.payments.open()) - gasCostWei(fee) + gasCostWei(raised);
  if (await node.getBalance(signer.address) < needWei) {
    log.warn("payment.bump.wallet", { id, address: signer.address, needWei });
    return false;
  }
  const again = await signAndStore(payer, lease, payment, {
    nonce: signed.nonce,
    valueWei,
    fee: raised,
  });
  log.info("payment.bumped", { id, from: signed.hash, to: again.signed!.hash });
  payer.event("payment.bumped", { id, from: signed.hash, to: again.signed!.hash });
  await broadcast(payer, lease, again);
  return true;
}
