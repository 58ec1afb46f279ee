/**
 * Luck (pure): shares over difficulty, uncles and orphans over the newest blocks, as
 * open-ethereum-pool counts them (storage/redis.go, CollectLuckStats).
 */
import type { LuckRow } from "../ledger/mod.ts";

/** What luck is counted from. */
export interface LuckBlock {
  /** Of the block (hashes). */
  difficulty: bigint;
  /** Difficulty of the shares that its round took (hashes). */
  totalShares: bigint;
  /** Above 0 for an uncle. */
  uncleHeight: number;
  orphan: boolean;
}

/**
 * One row per window (blocks, ascending), up to the first window that has too few blocks.
 *
 * @param blocks immature, then matured ones, each newest first
 */
export function luckOf(blocks: readonly LuckBlock[], windows: readonly number[]): LuckRow[] {
  const rows: LuckRow[] = [];
  for (const window of windows) {
    const counted = blocks.slice(0, window);
    rows.push({
      blocks: counted.length,
      luck: meanOf(counted, effortOf),
      uncleRate: meanOf(counted, (block) => block.uncleHeight > 0 ? 1 : 0),
      orphanRate: meanOf(counted, (block) => block.orphan ? 1 : 0),
    });
    if (counted.length < window) break;
  }
  return rows;
}

/** Shares over difficulty; a block without difficulty adds nothing instead of infinity. */
function effortOf(block: LuckBlock): number {
  return block.difficulty === 0n ? 0 : Number(block.totalShares) / Number(block.difficulty);
}

function meanOf(blocks: readonly LuckBlock[], value: (block: LuckBlock) => number): number {
  if (blocks.length === 0) return 0;
  return blocks.reduce((sum, block) => sum + value(block), 0) / blocks.length;
}
