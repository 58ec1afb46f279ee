/** One pass: candidates that are deep enough become immature, immature blocks matured or orphaned. */
import {
  type Clock,
  errorText,
  type Facts,
  formatCoins,
  InvariantError,
  type Logger,
} from "../base/mod.ts";
import type { Block, Node } from "../chain/mod.ts";
import {
  type BlockDeps,
  type BlockRow,
  type Candidate,
  creditImmature,
  FencedError,
  holdsLease,
  type Keys,
  type Lease,
  matureBlock,
  orphanBlock,
  orphanCandidate,
  readBlockAccount,
  readCandidates,
  readImmature,
  readPlan,
  readRoundScheme,
  readRoundShares,
  type Store,
} from "../ledger/mod.ts";
import { traced } from "../metrics/mod.ts";
import { crossCheck } from "./cross_check.ts";
import { agreesOnOrphan, type Match, matchBlock, type Sought } from "./match.ts";
import { scanBlocks } from "./scan.ts";
import { parsePlan, planOf, settlementOf, type SettlePlan, type SettleRules } from "./settle.ts";

/** How the pool unlocks. */
export interface UnlockRules extends SettleRules {
  /** Blocks until matured. */
  depth: number;
  /** Blocks until credited as immature. */
  immatureDepth: number;
  /** Lower-case addresses that receive our rewards; empty: any. */
  coinbases: readonly string[];
  /** Whether the shares of a final orphan's "prop" round join the current round; no others do. */
  returnShares: boolean;
  /**
   * Whether each reward is compared with the change of its miner's balance before it is credited;
   * when it matures nodes have no such old states any more.
   */
  crossCheck?: boolean;
  /** Age of the head from which on the node counts as stuck (milliseconds). */
  headAgeMsMax: number;
}

/** What a pass needs. */
export interface UnlockDeps {
  store: Store;
  keys: Keys;
  clock: Clock;
  log: Logger;
  node: Node;
  /** A second node that must agree before a block is called an orphan. */
  confirmWith?: Node;
  /** Announces a milestone (block.immature, block.matured, block.orphaned, block.lost). */
  event?: (name: string, facts: Facts) => void;
  /** Miners per script. @default {1000} */
  chunk?: number;
}

/** What a pass did; `waiting` says why it did nothing or not all. */
export interface UnlockReport {
  immature: number;
  matured: number;
  orphaned: number;
  lost: number;
  /** Reasons why blocks or the whole pass wait, with the mend where there is one. */
  waiting: string[];
}

/** What a pass over many blocks carries along. */
interface Pass {
  deps: UnlockDeps;
  ledger: BlockDeps;
  rules: UnlockRules;
  lease: Lease;
  head: Block;
  coinbases: ReadonlySet<string>;
  report: UnlockReport;
}

/**
 * Runs one pass. Every step is finished or untouched, so that a pass may be repeated at any time.
 *
 * @throws {NodeError} {@link StoreError} when something below fails: try again later
 * @throws {FencedError} when another process is the unlocker now
 * @throws {InvariantError} when the books or the chain contradict the rules: a human must look
 */
export async function unlockPass(
  deps: UnlockDeps,
  rules: UnlockRules,
  lease: Lease,
  signal?: AbortSignal,
): Promise<UnlockReport> {
  try {
    return await passOnce(deps, rules, lease, signal);
  } catch (error) {
    // What another unlocker did meanwhile contradicts what this one read before: no broken books.
    if (!(error instanceof InvariantError) || await holdsLease(deps, lease)) throw error;
    throw new FencedError("Another process is the unlocker now", { cause: error });
  }
}

async function passOnce(
  deps: UnlockDeps,
  rules: UnlockRules,
  lease: Lease,
  signal?: AbortSignal,
): Promise<UnlockReport> {
  const report: UnlockReport = { immature: 0, matured: 0, orphaned: 0, lost: 0, waiting: [] };
  const head = await usableHead(deps, rules);
  if (typeof head === "string") {
    report.waiting.push(head);
    return report;
  }
  const coinbases = new Set(rules.coinbases.map((address) => address.toLowerCase()));
  const pass = { deps, ledger: deps, rules, lease, head, coinbases, report };
  const young = head.number - rules.immatureDepth;
  if (young >= 0) {
    for (const candidate of await readCandidates(deps, young)) {
      signal?.throwIfAborted();
      const { height, nonce } = candidate;
      await traced(
        "block.credit",
        { height: Number(height), nonce },
        () => unlockCandidate(pass, candidate),
      );
    }
  }
  const old = head.number - rules.depth;
  if (old >= 0) {
    for (const row of await readImmature(deps, old)) {
      signal?.throwIfAborted();
      const { height, nonce } = row;
      await traced(
        "block.mature",
        { height: Number(height), nonce },
        () => unlockImmature(pass, row),
      );
    }
  }
  if (young >= 0) {
    const scan = { ...deps, announce: (name: string, facts: Facts) => announce(deps, name, facts) };
    await scanBlocks(scan, rules, lease, { toHeight: young, coinbases }, signal);
  }
  return report;
}

/** The node's head, or why the node's word does not count now. */
async function usableHead(deps: UnlockDeps, rules: UnlockRules): Promise<Block | string> {
  const { node, clock } = deps;
  const chainId = await node.chainId();
  if (chainId !== rules.network.chainId) {
    throw new InvariantError(
      `Node ${node.name} is on chain ${chainId}, network ${rules.network.name} is chain ` +
        `${rules.network.chainId}: set network or unlocker.daemon`,
    );
  }
  if (await node.syncing()) return `node ${node.name} is syncing`;
  const head = await node.getBlock("latest");
  if (head === undefined) return `node ${node.name} has no head`;
  const ageMs = clock.now() - head.timestamp * 1000;
  if (ageMs > rules.headAgeMsMax) {
    return `the head of node ${node.name} is ${Math.round(ageMs / 60_000)} minutes old`;
  }
  return head;
}

async function unlockCandidate(pass: Pass, candidate: Candidate): Promise<void> {
  const { deps, ledger, lease, report } = pass;
  const { height, nonce, mixHash } = candidate;
  const begun = await readPlan(deps, "credit", candidate);
  const plan = begun === undefined
    ? await placeOf(pass, candidate, { height, nonce, mixHash }, { check: pass.rules.crossCheck })
    : parsePlan(begun);
  if (plan === undefined) return;
  if (plan === "orphan") {
    await orphanCandidate(ledger, lease, candidate);
    report.orphaned++;
    announce(deps, "block.orphaned", { height, nonce });
    return;
  }
  const shares = await readRoundShares(deps, height, nonce);
  noteSum(deps, candidate, shares);
  const settled = settlementOf(plan, shares);
  await creditImmature(ledger, lease, candidate, settled);
  report.immature++;
  announce(deps, "block.immature", {
    ...{ height: plan.height, uncleHeight: plan.uncleHeight, hash: plan.hash },
    ...{ reward: formatCoins(plan.rewardWei), miners: settled.credits.size },
  });
}

async function unlockImmature(pass: Pass, row: BlockRow): Promise<void> {
  const { deps, ledger, rules, lease, report } = pass;
  const lost = await readPlan(deps, "orphan", row);
  const begun = await readPlan(deps, "mature", row);
  const place = lost !== undefined
    ? "orphan"
    : begun !== undefined
    ? parsePlan(begun)
    : await placeOf(pass, row, await soughtOf(deps, row));
  if (place === undefined) return;
  if (place === "orphan") {
    const returnShares = lost === undefined
      ? rules.returnShares && await readRoundScheme(deps, row) === "prop"
      : JSON.parse(lost).returnShares;
    await orphanBlock(ledger, lease, row, { returnShares });
    report.lost++;
    announce(deps, "block.lost", { height: row.height, nonce: row.nonce, returnShares });
    return;
  }
  const settled = settlementOf(place, await readRoundShares(deps, row.height, row.nonce));
  await matureBlock(ledger, lease, row, settled);
  report.matured++;
  announce(deps, "block.matured", {
    ...{ height: place.height, uncleHeight: place.uncleHeight, hash: place.hash },
    ...{ reward: formatCoins(place.rewardWei), miners: settled.credits.size },
  });
}

/** What the block pays, that it is an orphan, or undefined while that cannot be said. */
async function placeOf(
  pass: Pass,
  block: { height: number; nonce: string },
  sought: Sought,
  { check = false }: { check?: boolean | undefined } = {},
): Promise<SettlePlan | "orphan" | undefined> {
  const { deps, rules, head, coinbases, report } = pass;
  const match = await matchBlock(deps.node, sought, head.number, coinbases);
  if (match.kind === "block" || match.kind === "uncle") {
    const doubt = check ? await crossCheck(deps.node, rules.network, match) : undefined;
    if (doubt === undefined) return await planOf(deps.node, match, rules);
    wait(pass, block, doubt);
    return undefined;
  }
  if (match.kind === "orphan") {
    const second = deps.confirmWith === undefined
      ? { agrees: true, reason: "" }
      : await agreesOnOrphan(deps.confirmWith, sought, coinbases);
    if (second.agrees) return "orphan";
    report.waiting.push(`block ${block.height}: ${second.reason}`);
    return undefined;
  }
  wait(pass, block, reasonOf(match));
  return undefined;
}

function wait(
  { deps, report }: Pass,
  { height, nonce }: { height: number; nonce: string },
  reason: string,
): void {
  report.waiting.push(`block ${height}: ${reason}`);
  deps.log.warn("block.waits", { height, nonce, reason });
}

function reasonOf(match: Extract<Match, { kind: "undecided" | "foreign" }>): string {
  return match.kind === "undecided"
    ? match.reason
    : `it rewards ${match.miner}: add that address to coinbases if it is the pool's`;
}

/** What identifies an immature block; a pending orphan has no hash, its mix digest is kept. */
async function soughtOf(deps: UnlockDeps, row: BlockRow): Promise<Sought> {
  const account = await readBlockAccount(deps, row);
  return {
    height: row.uncleHeight > 0 ? row.uncleHeight : row.height,
    nonce: row.nonce,
    ...(row.orphan ? {} : { hash: row.hash }),
    ...(account?.mixHash === undefined ? {} : { mixHash: account.mixHash }),
  };
}

/** The split follows the round itself; a recorded sum that differs is said, as it hints at a bug. */
function noteSum(
  deps: UnlockDeps,
  candidate: Candidate,
  shares: ReadonlyMap<string, bigint>,
): void {
  let total = 0n;
  for (const share of shares.values()) total += share;
  if (total === candidate.totalShares) return;
  const { height, nonce, totalShares } = candidate;
  deps.log.warn("round.sum_differs", { height, nonce, recorded: totalShares, summed: total });
}

function announce(deps: UnlockDeps, name: string, facts: Facts): void {
  deps.log.info(name, facts);
  try {
    deps.event?.(name, facts);
  } catch (error) {
    deps.log.warn("event.failed", { name, error: errorText(error) });
  }
}
