/**
 * Moves a found block: candidate → immature → matured, or orphaned; never backwards, each step once.
 *
 * A step over many miners goes in chunks. The first chunk writes the plan down, and a step that has
 * begun is finished with that plan, whatever the chain says meanwhile; the block's own row moves
 * last, in the script of the last chunk. A step that fits one chunk is one script.
 */
import {
  type Clock,
  InvariantError,
  type Shannon,
  unixSeconds,
  type Wei,
  WEI_PER_SHANNON,
  weiToShannonFloor,
} from "../base/mod.ts";
import type { Scheme } from "../config/mod.ts";
import { blockMember, type BlockRow, type Candidate } from "./block_rows.ts";
import { parseBlockRow, parseCandidate } from "./block_rows.ts";
import { type Lease, type LedgerDeps, moneyScript, runFenced } from "./leases.ts";
import { integerOf, recordOf } from "./redis.ts";
import { pairsOf } from "./scan.ts";
import creditLua from "./scripts/credit_immature.lua" with { type: "text" };
import matureLua from "./scripts/mature_block.lua" with { type: "text" };
import orphanBlockLua from "./scripts/orphan_block.lua" with { type: "text" };
import orphanCandidateLua from "./scripts/orphan_candidate.lua" with { type: "text" };

/** Miners per script: a thousand keep Redis busy for a few milliseconds. */
const CHUNK = 1_000;
const NO_HASH = "0x0";

const CREDIT_IMMATURE = moneyScript("credit_immature", creditLua);
const MATURE_BLOCK = moneyScript("mature_block", matureLua);
const ORPHAN_CANDIDATE = moneyScript("orphan_candidate", orphanCandidateLua);
const ORPHAN_BLOCK = moneyScript("orphan_block", orphanBlockLua);

/** What block transitions need. */
export interface BlockDeps extends LedgerDeps {
  clock: Clock;
  /** Miners per script. @default {1000} */
  chunk?: number;
}

/** The steps that can be interrupted between chunks. */
export type TransitionKind = "credit" | "mature" | "orphan";

/** Where a block is in the chain, what it pays, and to whom. */
export interface Settlement {
  /** Height of the block, for an uncle of the block that includes it. */
  height: number;
  /** The uncle's own height; 0 when it is no uncle. */
  uncleHeight: number;
  hash: string;
  rewardWei: Wei;
  /** Transaction fees beside the reward that the pool keeps (wei). */
  extraWei: Wei;
  /** Login → credit (Shannon); only amounts above zero. */
  credits: ReadonlyMap<string, Shannon>;
  /** The pool's fee that is nobody's credit (wei). */
  uncreditedFeeWei: Wei;
  /** What rounding left over (wei); below zero only with legacy rounding. */
  dustWei: Wei;
  /** Text from which the same settlement can be made again. */
  plan: string;
}

/** What is kept of each block beside its row; amounts are decimal text. */
export interface BlockAccount {
  state: "immature" | "matured" | "orphaned" | "lost";
  headerHash?: string;
  mixHash?: string;
  hash?: string;
  rewardWei?: string;
  extraWei?: string;
  uncreditedFeeWei?: string;
  dustWei?: string;
  creditedShannon?: string;
}

/** Candidates up to a height, oldest first. */
export async function readCandidates(deps: LedgerDeps, maxHeight: number): Promise<Candidate[]> {
  return (await readRows(deps, deps.keys.candidates(), maxHeight))
    .map(([member, score]) => parseCandidate(member, score));
}

/** Immature blocks and pending orphans up to a height, oldest first. */
export async function readImmature(deps: LedgerDeps, maxHeight: number): Promise<BlockRow[]> {
  return (await readRows(deps, deps.keys.immature(), maxHeight))
    .map(([member, score]) => parseBlockRow(member, score));
}

/** The shares of a closed round: login → sum of difficulty. */
export async function readRoundShares(
  deps: LedgerDeps,
  height: number,
  nonce: string,
): Promise<Map<string, bigint>> {
  return await readAmounts(deps, deps.keys.round(height, nonce));
}

/**
 * By which scheme a block's round was made; a round of which nothing is kept is "prop", as all of the
 * old pool's are.
 *
 * @throws {InvariantError} when something else than a scheme is kept
 */
export async function readRoundScheme(
  deps: LedgerDeps,
  block: Place & { nonce: string },
): Promise<Scheme> {
  const scheme = await deps.store.command("HGET", deps.keys.own.roundSchemes(), ownFieldOf(block));
  if (scheme === null) return "prop";
  if (scheme === "prop" || scheme === "pplns" || scheme === "solo") return scheme;
  throw new InvariantError(`Cannot read the scheme of a round: current value is "${scheme}"`);
}

/** What is kept of a block beside its row, if anything. */
export async function readBlockAccount(
  deps: LedgerDeps,
  block: { height: number; nonce: string },
): Promise<BlockAccount | undefined> {
  const text = await deps.store.command("HGET", deps.keys.own.blockAccounts(), fieldOf(block));
  return typeof text === "string" ? JSON.parse(text) : undefined;
}

/** The plan of a step that was interrupted between chunks, if any. */
export async function readPlan(
  deps: LedgerDeps,
  kind: TransitionKind,
  block: { height: number; nonce: string },
): Promise<string | undefined> {
  const plan = await deps.store.command("HGET", transitionKey(deps, kind, block), "plan");
  return typeof plan === "string" ? plan : undefined;
}

/**
 * Credits a candidate that is in the chain and moves it to immature; once, however often called.
 *
 * @throws {FencedError} {@link InvariantError} {@link StoreError} as runFenced does
 */
export async function creditImmature(
  deps: BlockDeps,
  lease: Lease,
  candidate: Candidate,
  settled: Settlement,
): Promise<void> {
  const { keys } = deps;
  const { height, hash } = settled;
  const { headerHash, mixHash, nonce } = candidate;
  const account = accountOf("immature", settled, { headerHash, mixHash });
  const total = sum(settled.credits.values());
  for (const { items, last } of chunksOf([...settled.credits], deps.chunk)) {
    await runFenced(deps, lease, CREDIT_IMMATURE, [
      transitionKey(deps, "credit", candidate),
      ...[keys.candidates(), keys.immature(), keys.creditsImmature(height, hash)],
      ...[keys.finances(), keys.own.blockAccounts(), keys.own.scratch()],
      ...[keys.round(candidate.height, nonce), keys.round(height, nonce)],
      keys.own.roundSchemes(),
      ...items.map(([login]) => keys.miner(login)),
    ], [
      ...[settled.plan, last ? "1" : "0", candidate.member],
      ...[blockMember(rowOf(candidate, settled)), String(height)],
      ...[fieldOf({ height, nonce }), JSON.stringify(account)],
      ...[sum(items.map(([, amount]) => amount)), total, settled.credits.size].map(String),
      ...[fieldOf(candidate), ownFieldOf({ ...settled, nonce })],
      ...items.flatMap(([login, amount]) => [login, String(amount)]),
    ]);
  }
}

/** Turns a block's credits into balance and moves it to matured; once, however often called. */
export async function matureBlock(
  deps: BlockDeps,
  lease: Lease,
  row: BlockRow,
  settled: Settlement,
): Promise<void> {
  const { keys } = deps;
  const { height, hash, credits } = settled;
  const old = await readAmounts(deps, keys.creditsImmature(row.height, row.hash));
  const logins = [...new Set([...credits.keys(), ...old.keys()])];
  const before = await readBlockAccount(deps, row);
  const account = accountOf("matured", settled, before ?? {});
  const poolAccounts = poolAccountsOf(settled);
  const total = sum(credits.values());
  const now = unixSeconds(deps.clock);
  for (const { items, last } of chunksOf(logins, deps.chunk)) {
    const amounts = items.map((login) => credits.get(login) ?? 0n);
    await runFenced(deps, lease, MATURE_BLOCK, [
      ...[transitionKey(deps, "mature", row), keys.immature(), keys.matured()],
      ...[keys.creditsImmature(row.height, row.hash), keys.credits(height, hash)],
      ...[keys.creditsAll(), keys.finances(), keys.own.blockAccounts()],
      ...[keys.own.poolAccounts(), keys.own.scratch(), keys.round(row.height, row.nonce)],
      ...items.map((login) => keys.miner(login)),
    ], [
      ...[settled.plan, last ? "1" : "0", row.member, blockMember(rowOf(row, settled))],
      ...[String(height), `${hash}:${now}:${settled.rewardWei}`, hash],
      ...[String(weiToShannonFloor(settled.rewardWei)), fieldOf(row)],
      ...[fieldOf({ height, nonce: row.nonce }), JSON.stringify(account)],
      ...[sum(amounts), total, credits.size, poolAccounts.length].map(String),
      ...poolAccounts.flatMap(([field, change]) => [field, String(change)]),
      ...items.flatMap((login, i) => [login, String(amounts[i])]),
    ]);
  }
}

/** Moves a candidate that is not in the chain to immature as a pending orphan. */
export async function orphanCandidate(
  deps: BlockDeps,
  lease: Lease,
  candidate: Candidate,
): Promise<void> {
  const { keys } = deps;
  const { headerHash, mixHash } = candidate;
  const account: BlockAccount = { state: "orphaned", headerHash, mixHash };
  await runFenced(deps, lease, ORPHAN_CANDIDATE, [
    ...[keys.candidates(), keys.immature(), keys.own.blockAccounts()],
  ], [
    ...[candidate.member, blockMember(orphanOf(candidate)), String(candidate.height)],
    ...[fieldOf(candidate), JSON.stringify(account)],
  ]);
}

/**
 * Writes a final orphan: its immature credits go back, it moves to matured, and with `returnShares`
 * (for a "prop" round alone) the shares of its round join the current one; its round goes.
 */
export async function orphanBlock(
  deps: BlockDeps,
  lease: Lease,
  row: BlockRow,
  options: { returnShares: boolean },
): Promise<void> {
  const { keys } = deps;
  const credits = await readAmounts(deps, keys.creditsImmature(row.height, row.hash));
  const shares = await readRoundShares(deps, row.height, row.nonce);
  const logins = [...new Set([...credits.keys(), ...shares.keys()])];
  const { headerHash, mixHash } = await readBlockAccount(deps, row) ?? {};
  const account: BlockAccount = {
    state: "lost",
    ...(headerHash === undefined ? {} : { headerHash }),
    ...(mixHash === undefined ? {} : { mixHash }),
  };
  for (const { items, last } of chunksOf(logins, deps.chunk)) {
    await runFenced(deps, lease, ORPHAN_BLOCK, [
      ...[transitionKey(deps, "orphan", row), keys.immature(), keys.matured()],
      ...[keys.creditsImmature(row.height, row.hash), keys.finances(), keys.own.blockAccounts()],
      ...[keys.round(row.height, row.nonce), keys.roundCurrent(), keys.stats()],
      ...items.map((login) => keys.miner(login)),
    ], [
      ...[orphanPlan(options), last ? "1" : "0", row.member, blockMember(orphanOf(row))],
      ...[String(row.height), fieldOf(row), fieldOf(row), JSON.stringify(account)],
      ...[options.returnShares ? "1" : "0", ...items],
    ]);
  }
}

function orphanPlan(options: { returnShares: boolean }): string {
  return JSON.stringify({ returnShares: options.returnShares });
}

async function readRows(
  deps: LedgerDeps,
  key: string,
  maxHeight: number,
): Promise<[string, string][]> {
  const range = ["ZRANGE", key, "0", String(maxHeight), "BYSCORE", "WITHSCORES"];
  return pairsOf(await deps.store.command(...range));
}

async function readAmounts(deps: LedgerDeps, key: string): Promise<Map<string, bigint>> {
  const record = recordOf(await deps.store.command("HGETALL", key));
  return new Map(
    Object.entries(record).map(([login, text]) => [login, integerOf(text, `${key} ${login}`)]),
  );
}

/** Totals of the pool itself, in Shannon and the wei that are left: both stay far below 2^63. */
function poolAccountsOf(settled: Settlement): [field: string, change: bigint][] {
  const { rewardWei, extraWei, uncreditedFeeWei, dustWei } = settled;
  const named = { reward: rewardWei, extra: extraWei, fee: uncreditedFeeWei, dust: dustWei };
  return Object.entries(named).flatMap(([name, amountWei]) => [
    [`${name}Shannon`, weiToShannonFloor(amountWei)] as [string, bigint],
    [`${name}WeiRest`, amountWei % WEI_PER_SHANNON] as [string, bigint],
  ]);
}

function accountOf(
  state: "immature" | "matured",
  settled: Settlement,
  found: Pick<BlockAccount, "headerHash" | "mixHash">,
): BlockAccount {
  return {
    state,
    ...(found.headerHash === undefined ? {} : { headerHash: found.headerHash }),
    ...(found.mixHash === undefined ? {} : { mixHash: found.mixHash }),
    hash: settled.hash,
    rewardWei: String(settled.rewardWei),
    extraWei: String(settled.extraWei),
    uncreditedFeeWei: String(settled.uncreditedFeeWei),
    dustWei: String(settled.dustWei),
    creditedShannon: String(sum(settled.credits.values())),
  };
}

type Found = Pick<BlockRow, "nonce" | "foundAt" | "difficulty" | "totalShares">;
type Place = Pick<BlockRow, "height" | "uncleHeight">;

function rowOf(found: Found, settled: Settlement): Omit<BlockRow, "height" | "member"> {
  const { uncleHeight, hash, rewardWei } = settled;
  return { ...found, uncleHeight, hash, rewardWei, orphan: false };
}

function orphanOf(found: Found): Omit<BlockRow, "height" | "member"> {
  return { ...found, uncleHeight: 0, hash: NO_HASH, rewardWei: 0n, orphan: true };
}

function fieldOf(block: { height: number; nonce: string }): string {
  return `${block.height}:${block.nonce}`;
}

/** By the height that the block itself has, which an uncle's row names beside its includer's. */
function ownFieldOf(block: Place & { nonce: string }): string {
  const { uncleHeight, height, nonce } = block;
  return fieldOf({ height: uncleHeight > 0 ? uncleHeight : height, nonce });
}

function transitionKey(
  deps: LedgerDeps,
  kind: TransitionKind,
  block: { height: number; nonce: string },
): string {
  return deps.keys.own.transition(`${kind}:${fieldOf(block)}`);
}

/** At least one chunk, so that a step without miners still moves its row. */
function* chunksOf<T>(items: T[], size = CHUNK): Generator<{ items: T[]; last: boolean }> {
  for (let start = 0; start === 0 || start < items.length; start += size) {
    yield { items: items.slice(start, start + size), last: start + size >= items.length };
  }
}

function sum(amounts: Iterable<bigint>): bigint {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}
