/** A found block against the chain: a block, an uncle, an orphan, or too early to say. */
import { errorText } from "../base/mod.ts";
import type { Block, Node } from "../chain/mod.ts";

/** Blocks around the recorded height that are searched (open-ethereum-pool's window). */
const BEFORE = 16;
const AFTER = 15;
/** An uncle is included at most this many blocks later. */
const UNCLE_BLOCKS = 7;

/** What is known of a found block. */
export interface Sought {
  /** Its own height as recorded, for a known uncle the uncle's. */
  height: number;
  nonce: string;
  /** Absent or "0x0" when it was never seen in the chain. */
  hash?: string;
  mixHash?: string;
}

/** Where it is. */
export type Match =
  | { kind: "block"; block: Block }
  | { kind: "uncle"; uncle: Block; including: Block }
  | { kind: "orphan" }
  /** No answer yet; the reason is for the log. */
  | { kind: "undecided"; reason: string }
  /** Ours by nonce and mix digest, but it rewards an address that is not among our coinbases. */
  | { kind: "foreign"; miner: string; height: number };

type Reader = Pick<Node, "getBlocks" | "getUncles">;

/**
 * Looks for a found block in the chain of one node.
 *
 * The recorded height and the uncles of the seven blocks after it come first; only when it is not
 * there are the other heights of the window searched. It never says orphan while a block of the
 * window is missing or the blocks read do not follow each other.
 *
 * @param headHeight the node's head
 * @param coinbases lower-case addresses that receive our rewards; empty: any
 * @throws {NodeError} when the node gives no answer
 */
export async function matchBlock(
  node: Reader,
  sought: Sought,
  headHeight: number,
  coinbases: ReadonlySet<string>,
): Promise<Match> {
  const { height } = sought;
  if (height > headHeight) return { kind: "undecided", reason: "the chain is not that high yet" };
  const first = await readChain(node, height, Math.min(height + UNCLE_BLOCKS, headHeight));
  if (typeof first === "string") return { kind: "undecided", reason: first };
  const found = await search(node, first, sought, coinbases);
  if (found !== undefined) return found;
  if (headHeight < height + UNCLE_BLOCKS) {
    return { kind: "undecided", reason: "a later block may still include it as an uncle" };
  }
  const low = Math.max(1, height - BEFORE), high = Math.min(height + AFTER, headHeight);
  const before = await readChain(node, low, height - 1);
  const after = await readChain(node, height + UNCLE_BLOCKS + 1, high);
  if (typeof before === "string") return { kind: "undecided", reason: before };
  if (typeof after === "string") return { kind: "undecided", reason: after };
  const gap = gapIn([...before, ...first, ...after]);
  if (gap !== undefined) return { kind: "undecided", reason: gap };
  return await search(node, [...before, ...after], sought, coinbases) ?? { kind: "orphan" };
}

/** The blocks of a range, or why they are not to be had. */
async function readChain(node: Reader, from: number, to: number): Promise<Block[] | string> {
  const blocks: Block[] = [];
  for (const [i, block] of (await node.getBlocks(from, to)).entries()) {
    if (block === undefined) return `the node has no block ${from + i}`;
    blocks.push(block);
  }
  return gapIn(blocks) ?? blocks;
}

function gapIn(blocks: Block[]): string | undefined {
  for (let i = 1; i < blocks.length; i++) {
    if (blocks[i]!.parentHash !== blocks[i - 1]!.hash) {
      return `the chain changed at block ${blocks[i]!.number} while it was read`;
    }
  }
  return undefined;
}

async function search(
  node: Reader,
  blocks: Block[],
  sought: Sought,
  coinbases: ReadonlySet<string>,
): Promise<Match | undefined> {
  for (const block of blocks) {
    if (isSame(block, sought, coinbases)) return { kind: "block", block };
  }
  let foreign = blocks.find((block) => isSame(block, sought, new Set()));
  for (const including of blocks) {
    if (including.uncles.length === 0) continue;
    for (const [index, uncle] of (await node.getUncles(including)).entries()) {
      if (uncle === undefined) {
        return { kind: "undecided", reason: `the node has no uncle ${including.uncles[index]}` };
      }
      if (isSame(uncle, sought, coinbases)) return { kind: "uncle", uncle, including };
      if (isSame(uncle, sought, new Set())) foreign ??= uncle;
    }
  }
  return foreign === undefined || sought.mixHash === undefined
    ? undefined
    : { kind: "foreign", miner: foreign.miner, height: foreign.number };
}

/**
 * By hash where it is known; else by nonce and mix digest, which nobody else can have found; rows
 * of a former pool may have the nonce alone.
 */
function isSame(block: Block, sought: Sought, coinbases: ReadonlySet<string>): boolean {
  const hash = sought.hash?.toLowerCase();
  if (hash !== undefined && hash !== "" && hash !== "0x0") return block.hash === hash;
  return block.nonce === sought.nonce.toLowerCase() &&
    (sought.mixHash === undefined || block.mixHash === sought.mixHash.toLowerCase()) &&
    (coinbases.size === 0 || coinbases.has(block.miner));
}

/** Whether a second node agrees that a block is an orphan; a node that fails does not agree. */
export async function agreesOnOrphan(
  node: Reader & Pick<Node, "blockNumber" | "name">,
  sought: Sought,
  coinbases: ReadonlySet<string>,
): Promise<{ agrees: boolean; reason: string }> {
  try {
    const match = await matchBlock(node, sought, await node.blockNumber(), coinbases);
    return match.kind === "orphan"
      ? { agrees: true, reason: "" }
      : { agrees: false, reason: `node ${node.name} says ${match.kind}` };
  } catch (error) {
    return { agrees: false, reason: errorText(error) };
  }
}
