/**
 * Blocks in the chain that reward the pool and that no row accounts for: found by nobody's share, or
 * orphaned for good and back again. What they pay is in the wallet and nobody's credit.
 */
import type { Wei } from "../base/mod.ts";
import { parseBlockRow, parseCandidate } from "./block_rows.ts";
import { type Lease, type LedgerDeps, moneyScript, runFenced } from "./leases.ts";
import { recordOf } from "./redis.ts";
import { pairsOf } from "./scan.ts";
import recordScanLua from "./scripts/record_scan.lua" with { type: "text" };

const RECORD_SCAN = moneyScript("record_scan", recordScanLua);

/** A row names the height that was recorded; the block itself may be this far away (blocks). */
const WINDOW = 16;

/** A block that rewards the pool without a row that says so. */
export interface UnknownBlock {
  /** `returned`: the ledger had given it up as an orphan and its shares were dealt with. */
  kind: "unknown" | "returned";
  /** Of the block, for an uncle of the block that includes it. */
  height: number;
  /** The uncle's own height; 0 when it is no uncle. */
  uncleHeight: number;
  nonce: string;
  hash: string;
  miner: string;
  /** What it paid the coinbase, transaction fees included (wei). */
  rewardWei: Wei;
}

/** What the ledger knows of a nonce near a height. */
export type BlockKnowledge = "known" | "lost" | "unknown";

/** The height up to which the chain was searched; undefined before the first search. */
export async function readScannedHeight(deps: LedgerDeps): Promise<number | undefined> {
  const text = await deps.store.command("GET", deps.keys.own.blocksScanned());
  return text === null ? undefined : Number(text);
}

/** Whether a block has a row: as candidate, immature or matured, or as a final orphan. */
export async function knowledgeOf(
  deps: LedgerDeps,
  block: { height: number; nonce: string },
): Promise<BlockKnowledge> {
  const { keys } = deps;
  const nonce = block.nonce.toLowerCase();
  const near = (key: string) => rowsNear(deps, key, block.height);
  for (const [member, score] of await near(keys.candidates())) {
    if (parseCandidate(member, score).nonce.toLowerCase() === nonce) return "known";
  }
  for (const [key, final] of [[keys.immature(), false], [keys.matured(), true]] as const) {
    for (const [member, score] of await near(key)) {
      const row = parseBlockRow(member, score);
      if (row.nonce.toLowerCase() === nonce) return row.orphan && final ? "lost" : "known";
    }
  }
  return "unknown";
}

/**
 * Notes a search up to a height and what it found; a block that was noted before stays as it was.
 *
 * @returns how many blocks are new
 * @throws {FencedError} {@link InvariantError} {@link StoreError} as runFenced does
 */
export async function recordScan(
  deps: LedgerDeps,
  lease: Lease,
  height: number,
  blocks: readonly UnknownBlock[],
): Promise<number> {
  const { own } = deps.keys;
  const reply = await runFenced(deps, lease, RECORD_SCAN, [
    ...[own.blocksScanned(), own.blocksUnknown()],
  ], [
    String(height),
    ...blocks.flatMap((block) => [
      `${block.height}:${block.nonce}`,
      JSON.stringify({ ...block, rewardWei: String(block.rewardWei) }),
    ]),
  ]);
  return Number(reply);
}

/** Every block that was found without a row, lowest first. */
export async function readUnknownBlocks(deps: LedgerDeps): Promise<UnknownBlock[]> {
  const fields = recordOf(await deps.store.command("HGETALL", deps.keys.own.blocksUnknown()));
  return Object.values(fields)
    .map((text) => {
      const block = JSON.parse(text);
      return { ...block, rewardWei: BigInt(block.rewardWei) } as UnknownBlock;
    })
    .sort((one, other) => one.height - other.height);
}

async function rowsNear(
  deps: LedgerDeps,
  key: string,
  height: number,
): Promise<[member: string, score: string][]> {
  const range = [String(Math.max(0, height - WINDOW)), String(height + WINDOW)];
  return pairsOf(await deps.store.command("ZRANGE", key, ...range, "BYSCORE", "WITHSCORES"));
}
