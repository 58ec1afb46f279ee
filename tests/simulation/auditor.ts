/** The auditor: compares the ledger with the chain and with what miners were told. */
import {
  audit,
  createAccounts,
  isClean,
  type Keys,
  readBooks,
  readUnknownBlocks,
  recordOf,
  type Reply,
  type Store,
} from "../../modules/ledger/mod.ts";
import type { Chain } from "../../scripts/dev_chain/chain.ts";
import { creditsOf, type MoneyRules, rewardsOf, transfersOf } from "./chain_books.ts";
import { expectSame, fail } from "./failure.ts";
import { add, type ShareModel, sum } from "./share_model.ts";

const SHANNON = 10n ** 9n;
const FIELDS = ["immature", "balance", "pending", "paid"] as const;

/** What the auditor looks at. */
export interface AuditorDeps {
  store: Store;
  keys: Keys;
  chain: Chain;
  model: ShareModel;
  rules: MoneyRules;
  /** The paying address. */
  wallet: string;
  logins: readonly string[];
}

/** Looks at the books whenever nothing is under way: sums, debts, and the shares of all schemes. */
export async function checkNow(deps: AuditorDeps): Promise<void> {
  const { store, keys, model, logins } = deps;
  const [round, solo, window, stats, finances, ...miners] = await store.multi([
    ...[keys.roundCurrent(), keys.own.solo(), keys.own.pplnsSums()].map((key) => ["HGETALL", key]),
    ["HGET", keys.stats(), "roundShares"],
    ["HMGET", keys.finances(), ...FIELDS],
    ...logins.map((login) => ["HMGET", keys.miner(login), ...FIELDS]),
  ]);
  const { state } = model;
  sameSums("round", state.round, round!);
  sameSums("solo", state.solo, solo!);
  sameSums("window", model.windowSums(), window!);
  expectSame("roundShares of stats", state.roundShares, BigInt(String(stats ?? "0")));
  for (const [i, field] of FIELDS.entries()) {
    let total = 0n;
    for (const [n, reply] of miners.entries()) {
      const amount = BigInt(String((reply as Reply[])[i] ?? "0"));
      if (amount < 0n) fail(`${field} of ${logins[n]} is ${amount}`);
      total += amount;
    }
    expectSame(`${field} of finances`, total, BigInt(String((finances as Reply[])[i] ?? "0")));
  }
}

function sameSums(what: string, expected: ReadonlyMap<string, bigint>, reply: Reply): void {
  const found = recordOf(reply);
  for (const login of new Set([...expected.keys(), ...Object.keys(found)])) {
    expectSame(`${what} share of ${login}`, expected.get(login) ?? 0n, BigInt(found[login] ?? 0));
  }
}

/** The ledger's own audit. */
export async function checkBooks({ store, keys }: AuditorDeps): Promise<void> {
  const report = audit(await readBooks({ store, keys }));
  if (isClean(report)) return;
  const lines = report.findings.map(({ rule, what, expected, found }) =>
    `${rule}: ${what}: ${found}, expected ${expected}`
  );
  fail(`the audit is not clean:\n  ${lines.join("\n  ")}`);
}

/** Looks at everything once the world has settled: to the Shannon. */
export async function checkEnd(deps: AuditorDeps, searched: boolean): Promise<void> {
  await checkNow(deps);
  await checkBooks(deps);
  const { chain, rules, model, store, keys } = deps;
  const rewards = rewardsOf(chain, rules.coinbase);
  for (const { nonce, height, scheme, shares, total, returned } of model.state.rounds.values()) {
    if (rewards.has(nonce)) {
      expectSame(`shares returned of block ${height}:${nonce}, which the chain has`, 0n, returned);
    } else if (scheme === "prop") {
      expectSame(`shares returned of orphan ${height}:${nonce}`, total, returned + sum(shares));
      expectSame(`shares left in the round of orphan ${height}:${nonce}`, 0n, sum(shares));
    }
  }
  const { credits, pool } = creditsOf(model.state.rounds.values(), rewards, rules);
  const received = await checkTransfers(deps);
  const accounts = createAccounts({ store, keys });
  for (const login of new Set([...deps.logins, ...credits.keys(), ...received.keys()])) {
    const account = await accounts.account(login);
    expectSame(`immature of ${login} at the end`, 0n, account.immatureShannon);
    expectSame(`pending of ${login} at the end`, 0n, account.pendingShannon);
    expectSame(`paid of ${login}`, received.get(login) ?? 0n, account.paidShannon);
    expectSame(
      `transfers and balance of ${login}`,
      credits.get(login) ?? 0n,
      (received.get(login) ?? 0n) + account.balanceShannon,
    );
  }
  const own = recordOf(await store.command("HGETALL", keys.own.poolAccounts()));
  for (const field of ["reward", "extra", "fee", "dust"] as const) {
    const found = BigInt(own[`${field}Shannon`] ?? 0) * SHANNON +
      BigInt(own[`${field}WeiRest`] ?? 0);
    expectSame(`${field} of the pool (wei)`, pool[field], found);
  }
  if (searched) await checkUnknown(deps, [...rewards.keys()]);
}

/** Every transfer of the wallet has one row, every row one transfer; gives what everybody got. */
async function checkTransfers(deps: AuditorDeps): Promise<Map<string, bigint>> {
  const { chain, wallet, store, keys } = deps;
  const rows = await store.command("ZRANGE", keys.paymentsAll(), "0", "-1") as string[];
  const unseen = new Set(rows);
  const received = new Map<string, bigint>();
  const transfers = transfersOf(chain, wallet);
  for (const [nonce, { hash, to, valueWei, succeeded, nonce: used }] of transfers.entries()) {
    expectSame("nonce of a transfer", nonce, used);
    if (!succeeded) continue;
    if (valueWei % SHANNON !== 0n) fail(`transfer ${hash} is of ${valueWei} wei`);
    add(received, to, valueWei / SHANNON);
    const row = `${hash}:${to}:${valueWei / SHANNON}`;
    if (!unseen.delete(row)) fail(`transfer ${row} has no row in payments:all`);
  }
  if (unseen.size > 0) fail(`payments without a transfer: ${[...unseen].join(", ")}`);
  return received;
}

/** A block of ours that Redis has forgotten is at least reported. */
async function checkUnknown(deps: AuditorDeps, nonces: readonly string[]): Promise<void> {
  const reported = new Set((await readUnknownBlocks(deps)).map(({ nonce }) => nonce));
  for (const nonce of nonces) {
    if (deps.model.state.rounds.has(nonce) || reported.has(nonce)) continue;
    fail(`block ${nonce} rewards the pool, and no row or report has it`);
  }
}
