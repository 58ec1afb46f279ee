/** The optional second opinion on a reward: the change of the coinbase's balance in its block. */
import type { Wei } from "../base/mod.ts";
import {
  type Block,
  blockRewardWei,
  minerFeesWei,
  nephewRewardWei,
  type Network,
  type Node,
  NodeError,
  type Receipt,
  uncleRewardWei,
} from "../chain/mod.ts";
import type { Match } from "./match.ts";
import { rewardReadOf } from "./settle.ts";

/** A block with everything that moves a coinbase's balance in it, as far as blocks tell. */
export interface BalanceFacts {
  block: Block;
  uncles: readonly Pick<Block, "miner" | "number">[];
  /** One for each of the block's transactions, which are there in full, in order. */
  receipts: readonly Receipt[];
  /** The base reward, where the chain keeps it in a contract. */
  readWei?: Wei;
}

/**
 * By how much a block changes an address's balance (wei): rewards, fees and plain transfers.
 * Transfers inside of contracts are not in it; they only add to an address that has no code.
 */
export function balanceChangeWei(network: Network, facts: BalanceFacts, address: string): Wei {
  const { block, uncles, receipts, readWei } = facts;
  const { number } = block;
  let change = 0n;
  if (block.miner === address) {
    change += blockRewardWei(network, number, readWei) +
      BigInt(uncles.length) * nephewRewardWei(network, number, readWei) +
      minerFeesWei(network, number, spentOf(facts), block.baseFeePerGas);
  }
  for (const uncle of uncles) {
    if (uncle.miner === address) change += uncleRewardWei(network, number, uncle.number, readWei);
  }
  for (const [i, { from, to, valueWei, gasPrice }] of block.transactions.entries()) {
    const { gasUsed, effectiveGasPrice, succeeded } = receipts[i]!;
    const moved = succeeded === false ? 0n : valueWei;
    if (from === address) change -= moved + gasUsed * (effectiveGasPrice ?? gasPrice ?? 0n);
    if (to === address) change += moved;
  }
  return change;
}

/**
 * Compares what the rules say with what the chain did to the balance of a found block's miner.
 *
 * @returns why the credit has to wait, or undefined when the chain paid at least that much
 * @throws {NodeError} when the node is away
 */
export async function crossCheck(
  node: Node,
  network: Network,
  match: Extract<Match, { kind: "block" | "uncle" }>,
): Promise<string | undefined> {
  const { hash, number } = match.kind === "block" ? match.block : match.including;
  const { miner } = match.kind === "block" ? match.block : match.uncle;
  try {
    const block = await node.getBlock(hash, true);
    if (block === undefined) return `the node has no block ${hash} any more`;
    const uncles = await node.getUncles(block);
    if (uncles.includes(undefined)) return `the node lacks an uncle of block ${number}`;
    const facts = {
      block,
      uncles: uncles as Block[],
      receipts: await node.getBlockReceipts(block),
      ...await rewardReadOf(node, network, number),
    };
    const expectedWei = balanceChangeWei(network, facts, miner);
    const before = await node.getBalance(miner, number - 1);
    const paidWei = await node.getBalance(miner, number) - before;
    if (paidWei >= expectedWei) return undefined;
    return `the balance of ${miner} changed by ${paidWei} wei in block ${number}, the rules of ` +
      `${network.name} say ${expectedWei}: compare network with the node's version`;
  } catch (error) {
    if (!(error instanceof NodeError) || error.kind !== "refused") throw error;
    return `unlocker.crossCheck cannot read balances at block ${number} (${error.reason}): use a ` +
      "node that keeps these states, or switch it off";
  }
}

function spentOf({ block, receipts }: BalanceFacts) {
  return receipts.map((receipt, i) => {
    const { gasPrice } = block.transactions[i]!;
    return { ...receipt, ...(gasPrice === undefined ? {} : { gasPrice }) };
  });
}
