/** The search for blocks that reward the pool and that the ledger does not account for. */
import { formatCoins } from "../base/mod.ts";
import type { Block, Node } from "../chain/mod.ts";
import {
  knowledgeOf,
  type Lease,
  type LedgerDeps,
  readScannedHeight,
  recordScan,
  type UnknownBlock,
} from "../ledger/mod.ts";
import type { Match } from "./match.ts";
import { planOf, type SettleRules } from "./settle.ts";

/** Blocks read in one batch, and in one pass: a pass stays short after a long pause. */
const BATCH = 50;
const PASS = 2_000;

/** What a search needs. */
export interface ScanDeps extends LedgerDeps {
  node: Node;
  /** Announces block.unknown and block.returned. */
  announce(name: string, facts: Record<string, unknown>): void;
}

/**
 * Searches from where the last search ended up to a height, at most some thousands of blocks.
 *
 * The first search begins `rules.depth` blocks below: what is older was before quarry's time.
 * Without coinbases there is nothing to search for.
 *
 * @param toHeight deep enough that candidates up to it have been dealt with
 * @throws {NodeError} {@link FencedError} {@link StoreError}
 */
export async function scanBlocks(
  deps: ScanDeps,
  rules: SettleRules & { depth: number },
  lease: Lease,
  where: { toHeight: number; coinbases: ReadonlySet<string> },
  signal?: AbortSignal,
): Promise<void> {
  const { coinbases } = where;
  if (coinbases.size === 0) return;
  const scanned = await readScannedHeight(deps) ?? Math.max(0, where.toHeight - rules.depth);
  const toHeight = Math.min(where.toHeight, scanned + PASS);
  for (let from = scanned + 1; from <= toHeight; from += BATCH) {
    signal?.throwIfAborted();
    const to = Math.min(from + BATCH - 1, toHeight);
    const found: UnknownBlock[] = [];
    for (const block of await deps.node.getBlocks(from, to)) {
      // A gap is a chain that changes: the next pass looks again.
      if (block === undefined) return;
      const ours = await oursIn(deps.node, block, coinbases);
      if (ours === undefined) return;
      for (const match of ours) {
        const unknown = await unknownOf(deps, rules, match);
        if (unknown !== undefined) found.push(unknown);
      }
    }
    if (await recordScan(deps, lease, to, found) > 0) {
      for (const block of found) announceOne(deps, block);
    }
  }
}

type Found = Extract<Match, { kind: "block" | "uncle" }>;

/** Undefined when the node lacks an uncle: whose it is cannot be said. */
async function oursIn(
  node: Node,
  block: Block,
  coinbases: ReadonlySet<string>,
): Promise<Found[] | undefined> {
  const found: Found[] = coinbases.has(block.miner) ? [{ kind: "block", block }] : [];
  if (block.uncles.length === 0) return found;
  for (const uncle of await node.getUncles(block)) {
    if (uncle === undefined) return undefined;
    if (coinbases.has(uncle.miner)) found.push({ kind: "uncle", uncle, including: block });
  }
  return found;
}

async function unknownOf(
  deps: ScanDeps,
  rules: SettleRules,
  match: Found,
): Promise<UnknownBlock | undefined> {
  const { nonce, miner, number } = match.kind === "block" ? match.block : match.uncle;
  const knowledge = await knowledgeOf(deps, { height: number, nonce });
  if (knowledge === "known") return undefined;
  const { height, uncleHeight, hash, rewardWei, extraWei } = await planOf(deps.node, match, rules);
  return {
    kind: knowledge === "lost" ? "returned" : "unknown",
    ...{ height, uncleHeight, nonce, hash, miner, rewardWei: rewardWei + extraWei },
  };
}

function announceOne(deps: ScanDeps, block: UnknownBlock): void {
  const { kind, height, uncleHeight, hash, miner, rewardWei } = block;
  deps.announce(`block.${kind}`, {
    ...{ height, uncleHeight, hash, miner, reward: formatCoins(rewardWei) },
    mend: kind === "unknown"
      ? "nobody was credited: find out who mines to this address, or whether a share was lost"
      : "it was given up as an orphan and its shares were dealt with: its reward is the pool's",
  });
}
