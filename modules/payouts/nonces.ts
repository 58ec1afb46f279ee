/** The paying address's nonces: each one used on the chain is known, or everything halts. */
import { PoolError } from "../base/mod.ts";
import type { Transaction } from "../chain/mod.ts";
import type { Lease, Payment } from "../ledger/mod.ts";
import { HaltError } from "./halt.ts";
import type { Payer } from "./payer.ts";

/** Blocks that are searched for a transaction that nobody knows. */
const SEARCH_BLOCKS = 1_000;

/**
 * Accounts for every nonce that the chain has used, and gives how many those are.
 *
 * @throws {HaltError} when a nonce was used by a transaction that neither ledger nor journal knows
 * @throws {PoolError} when the journal knows it and the ledger forgot: recovery books it again
 */
export async function accountNonces(
  payer: Payer,
  lease: Lease,
  open: readonly Payment[],
): Promise<{ latest: number; checked: number }> {
  const { node, payments, signer } = payer;
  const latest = await node.getTransactionCount(signer.address, "latest");
  let checked = await payments.checkedNonce(signer.address);
  if (checked === undefined) {
    // Before the first payment: whatever the address did earlier is not the pool's business.
    checked = Math.min(latest, ...noncesOf(open), ...payer.journal.entries().map((e) => e.nonce));
    await payments.setCheckedNonce(lease, signer.address, checked);
  }
  for (let nonce = checked; nonce < latest; nonce++) {
    if (await payments.ownerOfNonce(signer.address, nonce) !== undefined) continue;
    if (payer.journal.entries().some((entry) => entry.nonce === nonce)) {
      throw new PoolError(`The ledger lost the payment with nonce ${nonce}: it is booked again`);
    }
    throw await foreignUse(payer, nonce);
  }
  if (latest > checked) await payments.setCheckedNonce(lease, signer.address, latest);
  return { latest, checked: Math.max(latest, checked) };
}

/**
 * The next free nonce.
 *
 * @throws {HaltError} as {@linkcode accountNonces}
 * @throws {PoolError} when the node is behind, or transactions of strangers wait in its pool
 */
export async function nextNonce(
  payer: Payer,
  lease: Lease,
  open: readonly Payment[],
): Promise<number> {
  const { node, signer } = payer;
  const { latest, checked } = await accountNonces(payer, lease, open);
  const own = noncesOf(open);
  const next = Math.max(latest - 1, ...own) + 1;
  if (next < checked) {
    throw new PoolError(
      `Node ${node.name} is behind: it has seen ${latest} transactions of ${signer.address}, ` +
        `${checked} are accounted for`,
    );
  }
  const pending = await node.getTransactionCount(signer.address, "pending");
  if (pending > next) {
    throw new PoolError(
      `Transactions of ${signer.address} that the pool did not sign wait in the node's pool: ` +
        "nothing is sent until they are gone or mined",
    );
  }
  return next;
}

function noncesOf(open: readonly Payment[]): number[] {
  return open.flatMap(({ signed }) => signed === undefined ? [] : [signed.nonce]);
}

async function foreignUse(payer: Payer, nonce: number): Promise<HaltError> {
  const found = await findByNonce(payer, nonce);
  const { address } = payer.signer;
  const name = found === undefined
    ? `a transaction that is not in the last ${SEARCH_BLOCKS} blocks`
    : `transaction ${found.hash} (${found.valueWei} wei to ${found.to ?? "a new contract"})`;
  return new HaltError(
    `Nonce ${nonce} of ${address} was used by ${name}, which neither ledger nor journal knows`,
    "find out who else has the key; when the transaction is yours and no payment, accept it: " +
      `deno task payouts CONFIG accept ${nonce}`,
    { nonce, hash: found?.hash },
  );
}

/** The transaction of the paying address with a nonce, in the latest blocks. */
export async function findByNonce(
  payer: Payer,
  nonce: number,
): Promise<Transaction & { blockNumber: number } | undefined> {
  const { node, signer } = payer;
  const head = await node.blockNumber();
  for (let height = head; height > Math.max(-1, head - SEARCH_BLOCKS); height--) {
    const block = await node.getBlock(height, true);
    const found = block?.transactions.find((transaction) =>
      transaction.from === signer.address && transaction.nonce === nonce
    );
    if (found !== undefined) return { ...found, blockNumber: height };
    // Nonces only fall on the way back: an earlier one means that this one is not below.
    if (block?.transactions.some((one) => one.from === signer.address && one.nonce < nonce)) {
      return undefined;
    }
  }
  return undefined;
}
