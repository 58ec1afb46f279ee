/** The first pass of every start and before every run: ledger, journal and chain must agree. */
import { unixSeconds } from "../base/mod.ts";
import type { Lease } from "../ledger/mod.ts";
import type { JournalEntry } from "./journal.ts";
import { HaltError } from "./halt.ts";
import { accountNonces } from "./nonces.ts";
import type { Payer } from "./payer.ts";

/** Nonces below the newest in which a payment of the ledger's is looked for. */
const NONCES_LOOKED_AT = 20;

/**
 * Compares ledger, journal and chain, and books again what Redis has lost.
 *
 * Payments that were left in between are settled by their own bytes afterwards.
 *
 * @throws {HaltError} when they contradict each other
 */
export async function recover(payer: Payer, lease: Lease): Promise<void> {
  const rows = await payer.payments.foreignRows();
  if (rows.length > 0) {
    throw new HaltError(
      `payments:pending and payments:lock hold ${rows.length} rows of the old pool: ` +
        rows.slice(0, 5).join(", "),
      "deno task payouts CONFIG resolve ROW looks for each on the chain, and books or returns it",
    );
  }
  if (!payer.ledgerKeepsAll) await checkJournal(payer);
  const entries = payer.journal.entries().filter(({ from }) => from === payer.signer.address);
  const states = await payer.payments.states(entries.map(({ id }) => id));
  const open = new Map((await payer.payments.open()).map((one) => [one.id, one]));
  for (const [i, entry] of entries.entries()) {
    if (entry.batch !== undefined) {
      if (states[i] !== undefined && states[i] !== "reserved") continue;
      const batch = entries.filter(({ hash }) => hash === entry.hash);
      // What comes after it must not debit a miner whom it still waits for.
      if (!await recoverBatch(payer, lease, batch)) break;
    } else if (states[i] === undefined) await bookAgain(payer, lease, entry);
    else if (open.get(entry.id)?.hashes.includes(entry.hash) === false) {
      // Signed before the crash, or forgotten by the ledger: the same bytes, never others.
      await payer.payments.sign(lease, entry.id, entry, unixSeconds(payer.clock));
    }
  }
  await accountNonces(payer, lease, await payer.payments.open());
}

/**
 * The journal must be the one that payments were made with: what Redis loses is in it alone. A spare
 * on another host without it, or a journal that was thrown away, waits for a human.
 *
 * @throws {HaltError} when the newest payment that the ledger knows is not in it
 */
async function checkJournal({ payments, journal, signer }: Payer): Promise<void> {
  const { address } = signer;
  const open = (await payments.open()).flatMap(({ signed }) => signed?.nonce ?? []);
  const newest = Math.max(await payments.checkedNonce(address) ?? 0, ...open.map((one) => one + 1));
  const adopted = await payments.adoptedNonce(address) ?? 0;
  for (let nonce = newest - 1; nonce >= Math.max(adopted, newest - NONCES_LOOKED_AT); nonce--) {
    const owner = await payments.ownerOfNonce(address, nonce);
    if (owner === undefined || owner === "accepted") continue;
    if (journal.entries().some(({ id, batch }) => id === owner || batch?.id === owner)) return;
    // The ledger hears of a signature before the journal does; its bytes were not sent yet.
    if ((await payments.states([owner.replace(/^batch:/, "")]))[0] === "signed") continue;
    throw new HaltError(
      `The journal here does not have payment ${owner} with nonce ${nonce}, which the ledger knows: ` +
        "it is not the journal that payments were made with",
      "copy payments.journal from where the payer ran before, or set redis.waitReplicas; when it is " +
        "gone for good and Redis lost nothing since: deno task payouts CONFIG adopt-journal",
      { nonce, id: owner },
    );
  }
}

/** A signed payment that the ledger forgot (a failover, an old backup) may be on the chain. */
async function bookAgain(payer: Payer, lease: Lease, entry: JournalEntry): Promise<void> {
  const { id, login, amountShannon, hash } = entry;
  const now = unixSeconds(payer.clock);
  const reservation = await payer.payments.reserve(lease, { id, login, amountShannon }, now);
  if (reservation === "open") {
    // An earlier payment of this miner was lost too: once it is settled, this one's turn comes.
    payer.log.warn("payment.booked.later", { id, login, amountShannon, hash });
    return;
  }
  if (reservation !== "ok" && reservation !== "again") {
    throw new HaltError(
      `The ledger lost payment ${id} of ${amountShannon} Shannon to ${login}, and it cannot be ` +
        `booked again: ${reservation}`,
      `compare ${hash} on the chain with the balance of ${login}; when Redis was emptied on ` +
        "purpose, move the journal in dataDir aside",
      { id, login, amountShannon, hash },
    );
  }
  await payer.payments.sign(lease, id, entry, now);
  payer.log.error("payment.booked.again", { id, login, amountShannon, hash });
}

/**
 * A batch that the ledger forgot, in whole or in its signature: every payment is debited again, then
 * all are tied to the one transaction. Until the last of them can be, none goes out by itself.
 *
 * @returns false while an earlier payment of one of its miners is open: it is settled first
 */
async function recoverBatch(
  payer: Payer,
  lease: Lease,
  entries: readonly JournalEntry[],
): Promise<boolean> {
  const [first] = entries;
  const states = await payer.payments.states(entries.map(({ id }) => id));
  if (states.every((state) => state !== undefined && state !== "reserved")) return true;
  const now = unixSeconds(payer.clock);
  for (const { id, login, amountShannon, hash } of entries) {
    const outcome = await payer.payments.reserve(lease, { id, login, amountShannon }, now);
    if (outcome === "ok" || outcome === "again") continue;
    if (outcome === "open") {
      payer.log.warn("batch.booked.later", { batch: first!.batch!.id, id, login, hash });
      return false;
    }
    throw new HaltError(
      `The ledger lost payment ${id} of ${amountShannon} Shannon to ${login}, one of the batch ` +
        `${hash}, and it cannot be booked again: ${outcome}`,
      `compare ${hash} on the chain with the balance of ${login}`,
      { id, login, amountShannon, hash },
    );
  }
  const ids = entries.map(({ id }) => id);
  await payer.payments.signBatch(lease, first!.batch!.id, ids, first!, now);
  payer.log.error("batch.booked.again", { batch: first!.batch!.id, payments: ids.length });
  return true;
}
