/**
 * The payment state machine: reserved → signed → sent → confirmed, reverted or displaced.
 *
 * Each transition is one script that moves the money and the row together, changes nothing when it
 * comes twice, and refuses a payer whose fencing token is no longer the current one.
 */
import { InvariantError, type Shannon, type Wei, WEI_PER_SHANNON } from "../base/mod.ts";
import type { Keys } from "./keys.ts";
import { type Lease, moneyScript, runFenced } from "./leases.ts";
import { createPersist } from "./persist.ts";
import { integerOf, listOf, recordOf, type Reply, type Store } from "./redis.ts";
import confirmSource from "./scripts/confirm_payment.lua" with { type: "text" };
import offerSource from "./scripts/offer_payment.lua" with { type: "text" };
import receiptSource from "./scripts/record_receipt.lua" with { type: "text" };
import reserveSource from "./scripts/reserve_payment.lua" with { type: "text" };
import revertSource from "./scripts/revert_payment.lua" with { type: "text" };
import sentSource from "./scripts/mark_sent.lua" with { type: "text" };
import batchSource from "./scripts/sign_batch.lua" with { type: "text" };
import signSource from "./scripts/sign_payment.lua" with { type: "text" };
import watchSource from "./scripts/watch_nonces.lua" with { type: "text" };

const CONFIRM = moneyScript("confirm_payment", confirmSource);
const OFFER = moneyScript("offer_payment", offerSource);
const RECEIPT = moneyScript("record_receipt", receiptSource);
const RESERVE = moneyScript("reserve_payment", reserveSource);
const REVERT = moneyScript("revert_payment", revertSource);
const SENT = moneyScript("mark_sent", sentSource);
const SIGN_BATCH = moneyScript("sign_batch", batchSource);
const SIGN = moneyScript("sign_payment", signSource);
const WATCH = moneyScript("watch_nonces", watchSource);

const STATES_PER_BATCH = 500;

/** Where a payment stands; the last three are final. */
export type PaymentState =
  | "reserved"
  | "signed"
  | "sent"
  | "confirmed"
  | "reverted"
  | "displaced";

/** One payment as the ledger has it. */
export interface Payment {
  id: string;
  /** In the order in which they were opened. */
  number: number;
  login: string;
  amountShannon: Shannon;
  state: PaymentState;
  /** Unix seconds. */
  reservedAt: number;
  /** When its last transaction was signed (unix seconds). */
  signedAt?: number;
  /** When a node first took it (unix seconds). */
  sentAt?: number;
  /** Defined from `signed` on. */
  signed?: SignedTransaction;
  /** Every transaction that was signed for it, oldest first. */
  hashes: string[];
  /** Its place in a transaction that pays many. */
  batch?: BatchPlace;
  /** Where it was last seen mined. */
  mined?: { hash: string; height: number; blockHash: string };
  /** Why it was returned. */
  reason?: string;
}

/** A payment's place in a transaction that pays many. */
export interface BatchPlace {
  /** Name that all of them share. */
  id: string;
  /** From 0, in the order of the transaction's payees. */
  index: number;
  /** Payments in the transaction. */
  size: number;
}

/** A signed transaction. */
export interface SignedTransaction {
  nonce: number;
  /** 0x hex, as eth_sendRawTransaction takes it. */
  raw: string;
  hash: string;
}

/** What a reservation came to; `foreign`: rows or the lock of the old pool stand in the way. */
export type Reservation = "ok" | "again" | "paused" | "held" | "open" | "poor" | "foreign";

/** The ledger's payments; what changes them needs the payer's lease. @throws {FencedError} */
export interface Payments {
  /** Debits a miner and opens a payment, unless payments are paused; the same id twice is once. */
  reserve(
    lease: Lease,
    payment: { id: string; login: string; amountShannon: Shannon },
    now: number,
  ): Promise<Reservation>;
  /** Stores signed bytes, before they are broadcast. @throws {StoreError} for a taken nonce */
  sign(
    lease: Lease,
    id: string,
    transaction: SignedTransaction & { from: string },
    now: number,
  ): Promise<void>;
  /**
   * The last look before a broadcast: the lease is still held, and the payment is on disk and on as
   * many replicas as are asked for. @throws {PoolError} while it is not
   */
  persist(lease: Lease, id: string, now: number): Promise<void>;
  /** Stores the bytes that pay many, for all of them or none; the same batch twice is once. */
  signBatch(
    lease: Lease,
    batch: string,
    ids: readonly string[],
    transaction: SignedTransaction & { from: string },
    now: number,
  ): Promise<void>;
  markSent(lease: Lease, id: string, now: number): Promise<void>;
  /** Notes where it was mined; undefined: nowhere (any more). */
  recordReceipt(lease: Lease, id: string, mined: Payment["mined"], now: number): Promise<void>;
  /** Books it as paid by one of its transactions, and what its gas cost and who bore it. */
  confirm(
    lease: Lease,
    payment: Payment,
    hash: string,
    now: number,
    gas?: { spentWei: Wei; shareWei: Wei },
  ): Promise<void>;
  /** Returns the debit; `hold` keeps the miner out of further runs until released. */
  giveBack(
    lease: Lease,
    payment: Payment,
    how: { state: "reverted" | "displaced"; reason: string; hold: boolean; gasWei?: Wei },
    now: number,
  ): Promise<void>;
  /** Payments that are not final, in their order. */
  open(): Promise<Payment[]>;
  payment(id: string): Promise<Payment | undefined>;
  /** Amounts of the payments signed since a time (unix seconds, at most two days back). */
  spentSince(seconds: number): Promise<Shannon>;
  /** The state of each payment; undefined for one that the ledger does not know. */
  states(ids: readonly string[]): Promise<(PaymentState | undefined)[]>;
  /** Miners whose payments wait for a human. */
  held(): Promise<string[]>;
  /** Lets a held miner be paid again. */
  release(login: string): Promise<boolean>;
  /** Pending rows and the lock that no open payment explains, as the old pool left them. */
  foreignRows(): Promise<string[]>;
  /** The payment that has a nonce of an address, "accepted" for one that a human accepted. */
  ownerOfNonce(address: string, nonce: number): Promise<string | undefined>;
  /** First nonce that is not accounted for; undefined before the first run. */
  checkedNonce(address: string): Promise<number | undefined>;
  setCheckedNonce(lease: Lease, address: string, nonce: number): Promise<void>;
  /** First nonce that a payer without the former journal need not know; undefined: none was said. */
  adoptedNonce(address: string): Promise<number | undefined>;
  /** A human says that the ledger has every payment below the first nonce not accounted for. */
  adoptJournal(address: string): Promise<number>;
  /** A human has looked at the foreign transaction that used a nonce, and accepts it. */
  acceptNonce(address: string, nonce: number): Promise<void>;
  isAccepted(address: string, nonce: number): Promise<boolean>;
}

/** The payments of one pool under the lease of a role. */
export function createPayments(
  deps: { store: Store; keys: Keys; waitReplicas?: number },
): Payments {
  const { store, keys } = deps;
  const persistAfter = createPersist(store, deps.waitReplicas ?? 0);
  const { own } = keys;

  async function payment(id: string): Promise<Payment | undefined> {
    const fields = recordOf(await store.command("HGETALL", own.payment(id)));
    return Object.keys(fields).length === 0 ? undefined : paymentOf(fields);
  }
  async function open(): Promise<Payment[]> {
    const ids = listOf(await store.command("ZRANGE", own.paymentsOpen(), "0", "-1"));
    if (ids.length === 0) return [];
    const rows = await store.multi(ids.map((id) => ["HGETALL", own.payment(id)]));
    return rows.map((row) => paymentOf(recordOf(row)));
  }

  return {
    payment,
    open,
    async reserve(lease, { id, login, amountShannon }, now) {
      const reply = await runFenced(deps, lease, RESERVE, [
        ...[keys.miner(login), keys.finances(), keys.paymentsPending()],
        ...[keys.paymentsLock(), own.payment(id), own.paymentsOpen(), own.paymentNumber()],
        ...[own.paymentsHeld(), own.paymentsOpenByLogin(), own.payoutsPause()],
      ], [id, login, `${amountShannon}`, `${now}`, `${login}:${amountShannon}`]);
      return answer(reply) as Reservation;
    },
    async sign(lease, id, { nonce, raw, hash, from }, now) {
      const keysOf = [own.payment(id), own.paymentNonces(), own.paymentsSpent()];
      const reply = await runFenced(deps, lease, SIGN, keysOf, [
        ...[id, `${nonce}`, raw, hash, `${now}`, nonceField(from, nonce)],
      ]);
      notFinal(answer(reply), id);
    },
    async signBatch(lease, batch, ids, { nonce, raw, hash, from }, now) {
      const reply = await runFenced(deps, lease, SIGN_BATCH, [
        ...[own.paymentNonces(), own.paymentsSpent(), ...ids.map((id) => own.payment(id))],
      ], [batch, `${nonce}`, raw, hash, `${now}`, nonceField(from, nonce), ...ids]);
      answer(reply);
    },
    persist: (lease, id, now) =>
      persistAfter(async () => {
        const keysOf = [own.payment(id)];
        notFinal(answer(await runFenced(deps, lease, OFFER, keysOf, [id, `${now}`])), id);
      }, `payment ${id}`),
    async markSent(lease, id, now) {
      const keysOf = [own.payment(id)];
      notFinal(answer(await runFenced(deps, lease, SENT, keysOf, [id, `${now}`])), id);
    },
    async recordReceipt(lease, id, mined, now) {
      const where = mined === undefined
        ? ["", "", ""]
        : [mined.hash, `${mined.height}`, mined.blockHash];
      const keysOf = [own.payment(id)];
      notFinal(answer(await runFenced(deps, lease, RECEIPT, keysOf, [id, ...where, `${now}`])), id);
    },
    async confirm(lease, { id, login, amountShannon }, hash, now, gas = NO_GAS) {
      const reply = await runFenced(deps, lease, CONFIRM, [
        ...[keys.miner(login), keys.finances(), keys.paymentsPending()],
        ...[keys.paymentsLock(), own.payment(id), own.paymentsOpen(), own.paymentsOpenByLogin()],
        ...[own.paymentsClosed(), keys.paymentsAll(), keys.paymentsOf(login)],
        own.poolAccounts(),
      ], [
        ...[id, login, `${amountShannon}`, `${now}`, `${login}:${amountShannon}`, hash],
        ...[`${hash}:${login}:${amountShannon}`, `${hash}:${amountShannon}`],
        ...[...shannonAndRest(gas.spentWei), ...shannonAndRest(gas.shareWei)],
      ]);
      answer(reply);
    },
    async giveBack(lease, { id, login, amountShannon }, { state, reason, hold, gasWei = 0n }, now) {
      const reply = await runFenced(deps, lease, REVERT, [
        ...[keys.miner(login), keys.finances(), keys.paymentsPending()],
        ...[keys.paymentsLock(), own.payment(id), own.paymentsOpen(), own.paymentsOpenByLogin()],
        ...[own.paymentsClosed(), own.paymentsHeld(), own.paymentsSpent()],
        ...[own.poolAccounts(), own.paymentsFailedOf(login)],
      ], [
        ...[id, login, `${amountShannon}`, `${now}`, `${login}:${amountShannon}`],
        ...[state, reason, hold ? "1" : "0", ...shannonAndRest(gasWei)],
      ]);
      answer(reply);
    },
    async spentSince(seconds) {
      const key = own.paymentsSpent();
      const rows = listOf(await store.command("ZRANGEBYSCORE", key, `(${seconds}`, "+inf"));
      return rows.reduce(
        (sum, row) => sum + integerOf(row.slice(row.lastIndexOf(":") + 1), `amount of ${row}`),
        0n,
      );
    },
    held: async () => listOf(await store.command("SMEMBERS", own.paymentsHeld())),
    release: async (login) => await store.command("SREM", own.paymentsHeld(), login) === 1,
    async foreignRows() {
      const [rows, lock, ids] = await store.multi([
        ["ZRANGE", keys.paymentsPending(), "0", "-1"],
        ["GET", keys.paymentsLock()],
        ["ZRANGE", own.paymentsOpen(), "0", "-1"],
      ]);
      const known = new Set<string>();
      for (const id of listOf(ids!)) {
        const one = await payment(id);
        if (one !== undefined) known.add(`${one.login}:${one.amountShannon}`);
      }
      const all = [...listOf(rows!), ...(typeof lock === "string" ? [lock] : [])];
      return [...new Set(all)].filter((row) => !known.has(row));
    },
    async ownerOfNonce(address, nonce) {
      const field = nonceField(address, nonce);
      const [owner, accepted] = listOrNull(
        await store.command("HMGET", own.paymentNonces(), field, `${field}:accepted`),
      );
      return owner ?? (accepted === null ? undefined : "accepted");
    },
    async checkedNonce(address) {
      const field = `${address.toLowerCase()}:checked`;
      const reply = await store.command("HGET", own.paymentNonces(), field);
      return reply === null ? undefined : Number(integerOf(reply, "checked nonce"));
    },
    async setCheckedNonce(lease, address, nonce) {
      const args = [address.toLowerCase(), `${nonce}`];
      answer(await runFenced(deps, lease, WATCH, [own.paymentNonces()], args));
    },
    async adoptedNonce(address) {
      const field = `${address.toLowerCase()}:adopted`;
      const reply = await store.command("HGET", own.paymentNonces(), field);
      return reply === null ? undefined : Number(integerOf(reply, "adopted nonce"));
    },
    async adoptJournal(address) {
      const nonces = (await open()).flatMap(({ signed }) => signed?.nonce ?? []);
      const next = Math.max(await this.checkedNonce(address) ?? 0, ...nonces.map((one) => one + 1));
      const field = `${address.toLowerCase()}:adopted`;
      await store.command("HSET", own.paymentNonces(), field, `${next}`);
      return next;
    },
    async acceptNonce(address, nonce) {
      const field = `${nonceField(address, nonce)}:accepted`;
      await store.command("HSET", own.paymentNonces(), field, "1");
    },
    async isAccepted(address, nonce) {
      const field = `${nonceField(address, nonce)}:accepted`;
      return await store.command("HEXISTS", own.paymentNonces(), field) === 1;
    },
    async states(ids) {
      const states: (PaymentState | undefined)[] = [];
      for (let start = 0; start < ids.length; start += STATES_PER_BATCH) {
        const chunk = ids.slice(start, start + STATES_PER_BATCH);
        const rows = await store.multi(chunk.map((id) => ["HGET", own.payment(id), "state"]));
        states.push(...listOrNull(rows).map((state) => (state ?? undefined) as PaymentState));
      }
      return states;
    },
  };
}

const NO_GAS = { spentWei: 0n, shareWei: 0n };

/** An amount of wei as HINCRBY takes it: whole Shannon and the rest. */
function shannonAndRest(wei: Wei): [string, string] {
  return [`${wei / WEI_PER_SHANNON}`, `${wei % WEI_PER_SHANNON}`];
}

function listOrNull(reply: Reply): (string | null)[] {
  if (!Array.isArray(reply)) throw new InvariantError("Cannot read the ledger's list");
  return reply.map((one) => one === null ? null : String(one));
}

function nonceField(address: string, nonce: number): string {
  return `${address.toLowerCase()}:${nonce}`;
}

function answer(reply: Reply): string {
  if (typeof reply === "string") return reply;
  throw new InvariantError(`Cannot read the ledger's answer ${JSON.stringify(reply)}`);
}

function notFinal(reply: string, id: string): void {
  if (reply === "final") throw new InvariantError(`Payment ${id} is final and cannot be changed`);
}

function paymentOf(fields: Record<string, string>): Payment {
  const { id, login, state, nonce, raw, hash, hashes, minedHash, minedHeight, minedBlock } = fields;
  const number = (name: string) => {
    const value = fields[name];
    if (value === undefined || !/^\d+$/.test(value)) {
      throw new InvariantError(`Cannot read ${name} of payment ${id}: current value is "${value}"`);
    }
    return Number(value);
  };
  if (id === undefined || login === undefined || state === undefined) {
    throw new InvariantError(`Cannot read payment ${id}: a field is missing`);
  }
  return {
    id,
    login,
    number: number("number"),
    amountShannon: integerOf(fields["amountShannon"], `amount of payment ${id}`, -1n),
    state: state as PaymentState,
    reservedAt: number("reservedAt"),
    hashes: hashes === undefined ? [] : hashes.split(","),
    ...(nonce === undefined || raw === undefined || hash === undefined
      ? {}
      : { signed: { nonce: number("nonce"), raw, hash } }),
    ...(minedHash === undefined || minedHeight === undefined || minedBlock === undefined
      ? {}
      : { mined: { hash: minedHash, height: number("minedHeight"), blockHash: minedBlock } }),
    ...(fields["batch"] === undefined
      ? {}
      : { batch: { id: fields["batch"], index: number("batchIndex"), size: number("batchSize") } }),
    ...(fields["signedAt"] === undefined ? {} : { signedAt: number("signedAt") }),
    ...(fields["sentAt"] === undefined ? {} : { sentAt: number("sentAt") }),
    ...(fields["reason"] === undefined ? {} : { reason: fields["reason"] }),
  };
}
