/** The paying address's nonces: each one used on the chain is known, or everything halts. */
import { PoolError } from "../base/mod.ts";
import type { Transaction } from "../chain/mod.ts";
import type { Lease, Payment } from "../ledger/mod.ts";
import { HaltError } from "./halt.ts";
import type { JournalEntry } from "./journal.ts";
import type { Payer } from "./payer.ts";

/** Blocks that are searched for a transaction that nobody knows. */
const SEARCH_BLOCKS = 1_000;

/**
 * Accounts for every nonce that the chain has used, as far as the ledger has not lost a payment
 * that the journal knows: recovery books that one again.
 *
 * @throws {HaltError} when a nonce was used by a transaction that neither ledger nor journal knows
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
    const journalled = ownEntries(payer).map((entry) => entry.nonce);
    checked = Math.min(latest, ...await noncesOf(payer, open), ...journalled);
    await payments.setCheckedNonce(lease, signer.address, checked);
  }
  let upTo = checked;
  for (; upTo < latest; upTo++) {
    if (await payments.ownerOfNonce(signer.address, upTo) !== undefined) continue;
    if (ownEntries(payer).some((entry) => entry.nonce === upTo)) break;
    throw await foreignUse(payer, upTo);
  }
  if (upTo > checked) await payments.setCheckedNonce(lease, signer.address, upTo);
  return { latest, checked: upTo };
}

/**
 * The next free nonce.
 *
 * @throws {HaltError} as {@linkcode accountNonces}
 * @throws {PoolError} when the node is behind, the ledger has lost a payment that the journal knows,
 *   or transactions of strangers wait in the node's pool
 */
export async function nextNonce(
  payer: Payer,
  lease: Lease,
  open: readonly Payment[],
): Promise<number> {
  const { node, signer } = payer;
  const { latest, checked } = await accountNonces(payer, lease, open);
  const next = Math.max(latest - 1, ...await noncesOf(payer, open)) + 1;
  if (next < checked) {
    throw new PoolError(
      `Node ${node.name} is behind: it has seen ${latest} transactions of ${signer.address}, ` +
        `${checked} are accounted for`,
      { facts: { mend: "wait until it has caught up, or name another in payouts.daemon" } },
    );
  }
  // A signed nonce is its payment's for good, also while the ledger has forgotten the payment.
  const lost = await lostEntry(payer, Math.min(next, checked));
  if (checked < latest || lost !== undefined) {
    throw new PoolError(
      `The ledger lost the payment with nonce ${lost?.nonce ?? checked}: it is booked again first`,
    );
  }
  const pending = await node.getTransactionCount(signer.address, "pending");
  if (pending > next) {
    throw new PoolError(
      `Transactions of ${signer.address} that the pool did not sign wait in the node's pool: ` +
        "nothing is sent until they are gone or mined",
      { facts: { mend: "find out who else signs with this key: it must be the pool's alone" } },
    );
  }
  return next;
}

/** Nonces of the open payments that this address has signed; a former one may have signed others. */
async function noncesOf({ payments, signer }: Payer, open: readonly Payment[]): Promise<number[]> {
  const nonces: number[] = [];
  for (const { id, batch, signed } of open) {
    if (signed === undefined) continue;
    const owner = await payments.ownerOfNonce(signer.address, signed.nonce);
    if (owner === (batch?.id ?? id)) nonces.push(signed.nonce);
  }
  return nonces;
}

/** A journalled payment from a nonce on that the ledger has forgotten. */
async function lostEntry(payer: Payer, nonce: number): Promise<JournalEntry | undefined> {
  const { payments, signer } = payer;
  for (const entry of ownEntries(payer).filter((one) => one.nonce >= nonce)) {
    // The payments of a batch have their nonce together, in its name.
    const name = entry.batch?.id ?? entry.id;
    if (await payments.ownerOfNonce(signer.address, entry.nonce) !== name) return entry;
  }
  return undefined;
}

/** What the journal has of this address; it keeps the entries of a former one. */
function ownEntries({ journal, signer }: Payer): JournalEntry[] {
  return journal.entries().filter(({ from }) => from === signer.address);
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
  payer: { node: Payer["node"]; signer: { readonly address: string } },
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
