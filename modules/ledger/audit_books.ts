/** The whole of the books, read without a lease, and read again when they moved meanwhile. */
import type { Shannon } from "../base/mod.ts";
import { type Account, createAccounts, type Finances, type UnreadableAmount } from "./accounts.ts";
import { type BlockRow, type Candidate, parseBlockRow, parseCandidate } from "./block_rows.ts";
import { type BlockAccount, readBlockAccount, readRoundShares } from "./blocks.ts";
import type { LedgerDeps } from "./leases.ts";
import { parseMinerPayment, parsePoolPayment } from "./legacy_rows.ts";
import { type Opening, readOpening } from "./opening.ts";
import { createPayments, type Payment } from "./payments.ts";
import { integerOf, listOf, recordOf } from "./redis.ts";
import { pairsOf, scanKeys } from "./scan.ts";

/** Members of a sorted set read at once. */
const PAGE = 5_000;
/** Readings of books that move before the audit gives up. */
const TRIES = 5;

/** A block that left the candidates, with what was credited for it. */
export interface AuditedBlock {
  row: BlockRow;
  /** Kept since quarry runs; the old pool kept none. */
  account?: BlockAccount;
  /** Sum of its credits (Shannon); undefined for a matured block without any that is no orphan. */
  creditedShannon: Shannon;
}

/** Everything an audit compares; money in Shannon. */
export interface Books {
  finances: Finances;
  /** Amounts of accounts that no number could be read of; they are 0 in `miners` and `finances`. */
  unreadable: readonly UnreadableAmount[];
  miners: ReadonlyMap<string, Account>;
  candidates: readonly { candidate: Candidate; sharesSum: bigint }[];
  immature: readonly AuditedBlock[];
  matured: readonly AuditedBlock[];
  /** Login → sum of all immature credits, those of a step that was cut included. */
  immatureCredits: ReadonlyMap<string, Shannon>;
  /** Login → sum of all credits that ever matured. */
  maturedCredits: ReadonlyMap<string, Shannon>;
  /** `rewardShannon`, `rewardWeiRest`, … of all matured blocks. */
  poolAccounts: Readonly<Record<string, string>>;
  /** Rows of `payments:pending`. */
  pendingRows: readonly { login: string; amountShannon: Shannon }[];
  openPayments: readonly Payment[];
  /** Login → sum of its rows in `payments:all`. */
  paidInAll: ReadonlyMap<string, Shannon>;
  /** Login → sum of its own rows. */
  paidInOwn: ReadonlyMap<string, Shannon>;
  round: { sharesSum: bigint; stats: bigint };
  /** Steps that were cut between chunks and go on at the next pass. */
  cutSteps: readonly string[];
  opening: Opening;
}

/** The books moved at each reading: the audit says nothing about them. */
export class MovingBooks extends Error {
  override readonly name = "MovingBooks";
}

/**
 * Reads the books; whatever moves money changes `finances` or the number of rows, and then they are
 * read again.
 *
 * @param options.listUnreadable lists accounts' unreadable amounts, for an audit to fail on
 * @throws {MovingBooks} when they never stood still
 * @throws {StoreError} {@link InvariantError} when something else cannot be read
 */
export async function readBooks(
  deps: LedgerDeps,
  options: { listUnreadable?: boolean } = {},
): Promise<Books> {
  for (let i = 0; i < TRIES; i++) {
    const before = await stateOf(deps);
    let books: Books;
    try {
      books = await readOnce(deps, options.listUnreadable ?? false);
    } catch (error) {
      // A row may go while it is read; in books that stand still it is a fault.
      if (await stateOf(deps) !== before) continue;
      throw error;
    }
    if (await stateOf(deps) === before) return books;
  }
  throw new MovingBooks("The books moved each time they were read: try again between two runs");
}

/** What changes whenever money moves. */
export async function stateOf({ store, keys }: LedgerDeps): Promise<string> {
  const counted = [keys.candidates(), keys.immature(), keys.matured(), keys.creditsAll()];
  return JSON.stringify(
    await store.multi([
      ["HGETALL", keys.finances()],
      ...counted.map((key) => ["ZCARD", key]),
      ["ZRANGE", keys.paymentsPending(), "0", "-1"],
      ["ZCARD", keys.own.paymentsClosed()],
      ["HLEN", keys.own.blockAccounts()],
    ]),
  );
}

async function readOnce(deps: LedgerDeps, listUnreadable: boolean): Promise<Books> {
  const { store, keys } = deps;
  const unreadable: UnreadableAmount[] = [];
  const onUnreadable = (amount: UnreadableAmount) => void unreadable.push(amount);
  const accounts = createAccounts({ store, keys, ...(listUnreadable ? { onUnreadable } : {}) });
  const miners = new Map<string, Account>();
  for await (const page of accounts.all()) for (const one of page) miners.set(one.login, one);
  const candidates = [];
  for (const [member, score] of await rowsOf(deps, keys.candidates())) {
    const candidate = parseCandidate(member, score);
    const shares = await readRoundShares(deps, candidate.height, candidate.nonce);
    candidates.push({ candidate, sharesSum: sumOf(shares.values()) });
  }
  const immatureCredits = new Map<string, Shannon>(), maturedCredits = new Map<string, Shannon>();
  const immature = await blocksOf(deps, keys.immature(), "creditsImmature", immatureCredits);
  const matured = await blocksOf(deps, keys.matured(), "credits", maturedCredits);
  const cutSteps = await cutStepsOf(deps, immatureCredits, maturedCredits);
  const paidInAll = new Map<string, Shannon>(), paidInOwn = new Map<string, Shannon>();
  for (const [member, score] of await rowsOf(deps, keys.paymentsAll())) {
    const row = parsePoolPayment(member, score);
    if (row === undefined) throw new TypeError(`Cannot read a row of payments:all: "${member}"`);
    add(paidInAll, row.login, row.amountShannon);
  }
  for (const login of new Set([...miners.keys(), ...paidInAll.keys()])) {
    for (const [member, score] of await rowsOf(deps, keys.paymentsOf(login))) {
      const row = parseMinerPayment(member, score);
      if (row === undefined) throw new TypeError(`Cannot read a payment of ${login}: "${member}"`);
      add(paidInOwn, login, row.amountShannon);
    }
  }
  const [current, roundShares] = await store.multi([
    ["HVALS", keys.roundCurrent()],
    ["HGET", keys.stats(), "roundShares"],
  ]);
  return {
    finances: await accounts.finances(),
    ...{ unreadable, miners, candidates, immature, matured, immatureCredits, maturedCredits },
    poolAccounts: recordOf(await store.command("HGETALL", keys.own.poolAccounts())),
    pendingRows: (await rowsOf(deps, keys.paymentsPending())).map(([member]) => {
      const [login, amount] = member.split(":");
      return { login: login!, amountShannon: integerOf(amount ?? null, `payment of ${login}`) };
    }),
    openPayments: await createPayments(deps).open(),
    ...{ paidInAll, paidInOwn },
    round: {
      sharesSum: sumOf(listOf(current!).map((text) => integerOf(text, "share of the round"))),
      stats: integerOf(roundShares!, "roundShares of stats"),
    },
    cutSteps,
    opening: await readOpening(deps),
  };
}

async function blocksOf(
  deps: LedgerDeps,
  key: string,
  kind: "credits" | "creditsImmature",
  into: Map<string, Shannon>,
): Promise<AuditedBlock[]> {
  const blocks: AuditedBlock[] = [];
  for (const [member, score] of await rowsOf(deps, key)) {
    const row = parseBlockRow(member, score);
    const account = await readBlockAccount(deps, row);
    const creditedShannon = await addCredits(deps, deps.keys[kind](row.height, row.hash), into);
    blocks.push({ row, creditedShannon, ...(account === undefined ? {} : { account }) });
  }
  return blocks;
}

/** Credits that a cut step has written already, though its block's row has not moved yet. */
async function cutStepsOf(
  deps: LedgerDeps,
  immature: Map<string, Shannon>,
  matured: Map<string, Shannon>,
): Promise<string[]> {
  const { store, keys } = deps;
  const prefix = keys.own.transition("");
  const names = (await Array.fromAsync(scanKeys(store, `${prefix}*`))).flat();
  for (const name of names) {
    const plan = await store.command("HGET", name, "plan");
    if (typeof plan !== "string") continue;
    const kind = name.slice(prefix.length).split(":")[0];
    const { height, hash } = JSON.parse(plan);
    if (kind === "credit") await addCredits(deps, keys.creditsImmature(height, hash), immature);
    if (kind === "mature") await addCredits(deps, keys.credits(height, hash), matured);
  }
  return names.map((name) => name.slice(prefix.length)).toSorted();
}

async function addCredits(
  deps: LedgerDeps,
  key: string,
  into: Map<string, Shannon>,
): Promise<Shannon> {
  let total = 0n;
  for (const [login, text] of Object.entries(recordOf(await deps.store.command("HGETALL", key)))) {
    const amount = integerOf(text, `${key} ${login}`);
    add(into, login, amount);
    total += amount;
  }
  return total;
}

async function rowsOf(
  { store }: LedgerDeps,
  key: string,
): Promise<[member: string, score: string][]> {
  const rows: [string, string][] = [];
  for (let start = 0;; start += PAGE) {
    const range = [String(start), String(start + PAGE - 1), "WITHSCORES"];
    const page = pairsOf(await store.command("ZRANGE", key, ...range));
    rows.push(...page);
    if (page.length < PAGE) return rows;
  }
}

function add(into: Map<string, Shannon>, login: string, amount: Shannon): void {
  into.set(login, (into.get(login) ?? 0n) + amount);
}

function sumOf(amounts: Iterable<bigint>): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}
