/** What became of a payment that the old pool left pending: the chain's word, looked up block by block. */
import { shannonToWei } from "../base/mod.ts";
import type { Block, Node } from "../chain/mod.ts";
import type { OldPayment } from "../ledger/mod.ts";

/** Blocks read at once, and at most: two weeks of a chain with a block each 13 s. */
const BATCH = 20;
const BLOCKS_MAX = 100_000;
/** Clocks of a pool and its chain may differ (seconds). */
const SLACK_SECONDS = 600;

/** The calls that a search makes. */
export type SearchNode = Pick<
  Node,
  "name" | "getBlock" | "getReceipt" | "getTransactionCount" | "syncing"
>;

/** What the chain says. */
export type OldFate =
  | { kind: "paid"; hash: string; height: number }
  | { kind: "unsent"; blocks: number }
  /** Nothing can be said yet. */
  | { kind: "unknown"; reason: string };

/**
 * Searches every block since the debit for the transfer: the paying address's, to the miner, of
 * exactly that value. Only when none is there, and none waits in the node's pool, was it not sent:
 * a node that has seen nothing since the debit, or another address's transfer, decides nothing.
 *
 * @param confirmations depth that a transfer must have, or the debit without one (blocks)
 * @param progress told of blocks read and blocks in all, as far as known
 * @throws {NodeError} when the node gives no answer
 */
export async function fateOfOldPayment(
  node: SearchNode,
  from: string,
  payment: OldPayment,
  confirmations: number,
  progress: (read: number) => void = () => {},
): Promise<OldFate> {
  if (await node.syncing()) return unknown(`node ${node.name} is still syncing`);
  const head = await node.getBlock("latest");
  if (head === undefined) return unknown(`node ${node.name} has no head`);
  const waiting = await node.getTransactionCount(from, "pending") -
    await node.getTransactionCount(from, "latest");
  if (waiting > 0) return unknown(`${waiting} transactions of ${from} wait in the node's pool`);
  const since = (payment.sinceSeconds ?? head.timestamp) - SLACK_SECONDS;
  const valueWei = shannonToWei(payment.amountShannon);
  let read = 0, younger = 0;
  let foreign: string | undefined;
  for (let height = head.number; height >= 0; height -= BATCH) {
    const blocks = await readBlocks(node, Math.max(0, height - BATCH + 1), height);
    if (typeof blocks === "string") return unknown(blocks);
    for (const block of blocks) {
      for (const { hash, from: sender, to, valueWei: value } of block.transactions) {
        if (to !== payment.login || value !== valueWei) continue;
        if (payment.knownHashes.includes(hash)) continue;
        if (sender === from) return await fateOf(node, hash, head.number, confirmations);
        // The old pool may have paid from an address that is not payouts.address any more.
        foreign ??= `${hash} has this value and is of ${sender}, not of ${from}: if that was the ` +
          "old pool's address, let payouts.address be it for this command";
      }
    }
    read += blocks.length;
    younger += blocks.filter(({ timestamp }) => timestamp >= (payment.sinceSeconds ?? 0)).length;
    progress(read);
    if (blocks[0]!.timestamp < since) break;
    if (read >= BLOCKS_MAX) {
      return unknown(`it is older than ${BLOCKS_MAX} blocks: look for it with an explorer`);
    }
  }
  if (foreign !== undefined) return unknown(foreign);
  return payment.sinceSeconds !== undefined && younger < confirmations
    ? unknown(`${younger} blocks are younger than it, ${confirmations} are wanted: try again later`)
    : { kind: "unsent", blocks: read };
}

async function fateOf(
  node: SearchNode,
  hash: string,
  head: number,
  confirmations: number,
): Promise<OldFate> {
  const receipt = await node.getReceipt(hash);
  if (receipt === undefined) return unknown(`the node has no receipt of ${hash}`);
  if (receipt.succeeded === false) return unknown(`transaction ${hash} failed: return it by hand`);
  const depth = head - receipt.blockNumber;
  return depth < confirmations
    ? unknown(`${hash} is ${depth} blocks deep, ${confirmations} are wanted: try again later`)
    : { kind: "paid", hash, height: receipt.blockNumber };
}

async function readBlocks(node: SearchNode, from: number, to: number): Promise<Block[] | string> {
  const heights = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const blocks: Block[] = [];
  for (const block of await Promise.all(heights.map((height) => node.getBlock(height, true)))) {
    if (block === undefined) return `node ${node.name} lacks a block between ${from} and ${to}`;
    blocks.push(block);
  }
  return blocks;
}

function unknown(reason: string): OldFate {
  return { kind: "unknown", reason };
}
