/** From a block's place in the chain to a settlement: its reward, its round and the plan of both. */
import { InvariantError, type Wei } from "../base/mod.ts";
import {
  blockRewardWei,
  type GasSpent,
  minerFeesWei,
  nephewRewardWei,
  type Network,
  type Node,
  NodeError,
  rewardContractOf,
  uncleRewardWei,
} from "../chain/mod.ts";
import type { Settlement } from "../ledger/mod.ts";
import type { Match } from "./match.ts";
import { splitReward } from "./split.ts";

/** Rules of the pool that decide what a block pays to whom. */
export interface SettleRules {
  network: Network;
  /** Millionths of a percent. */
  feeMillionths: bigint;
  /** Lower-case address, or empty: the fee stays uncredited. */
  feeAddress: string;
  /** Whether transaction fees go to the pool. */
  keepTxFees: boolean;
  rounding: "floor" | "legacy";
}

/** Everything a settlement follows from, beside the round's shares; kept while a step is open. */
export interface SettlePlan {
  height: number;
  uncleHeight: number;
  hash: string;
  rewardWei: Wei;
  extraWei: Wei;
  feeMillionths: bigint;
  feeAddress: string;
  rounding: "floor" | "legacy";
}

/** What a block or an uncle that was found in the chain pays. @throws {NodeError} */
export async function planOf(
  node: Node,
  match: Extract<Match, { kind: "block" | "uncle" }>,
  rules: SettleRules,
): Promise<SettlePlan> {
  const { network, feeMillionths, feeAddress, rounding } = rules;
  const pool = { feeMillionths, feeAddress, rounding };
  const { number } = match.kind === "uncle" ? match.including : match.block;
  const { readWei } = await rewardReadOf(node, network, number);
  if (match.kind === "uncle") {
    const { uncle, including } = match;
    return {
      height: including.number,
      uncleHeight: uncle.number,
      hash: uncle.hash,
      rewardWei: uncleRewardWei(network, including.number, uncle.number, readWei),
      extraWei: 0n,
      ...pool,
    };
  }
  const { block } = match;
  const feesWei = minerFeesWei(
    network,
    block.number,
    await gasSpent(node, block.hash),
    block.baseFeePerGas,
  );
  const rewardWei = blockRewardWei(network, block.number, readWei) +
    BigInt(block.uncles.length) * nephewRewardWei(network, block.number, readWei);
  return {
    height: block.number,
    uncleHeight: 0,
    hash: block.hash,
    rewardWei: rewardWei + (rules.keepTxFees ? 0n : feesWei),
    extraWei: rules.keepTxFees ? feesWei : 0n,
    ...pool,
  };
}

/** The base reward after a block, where the network keeps it in a contract. @throws {NodeError} */
export async function rewardReadOf(
  node: Pick<Node, "getStorage">,
  network: Network,
  height: number,
): Promise<{ readWei?: Wei }> {
  const contract = rewardContractOf(network, height);
  if (contract === undefined) return {};
  return { readWei: await node.getStorage(contract.address, contract.slot, height) };
}

/** Splits what a plan pays among the shares of the round. */
export function settlementOf(plan: SettlePlan, shares: ReadonlyMap<string, bigint>): Settlement {
  const { height, uncleHeight, hash, rewardWei, extraWei } = plan;
  const split = splitReward({ ...plan, shares });
  return { height, uncleHeight, hash, rewardWei, extraWei, ...split, plan: planText(plan) };
}

/** The plan as text, the same for the same plan. */
export function planText(plan: SettlePlan): string {
  const { height, uncleHeight, hash, rewardWei, extraWei, feeMillionths, feeAddress, rounding } =
    plan;
  return JSON.stringify({
    height,
    uncleHeight,
    hash,
    rewardWei: String(rewardWei),
    extraWei: String(extraWei),
    feeMillionths: String(feeMillionths),
    feeAddress,
    rounding,
  });
}

/** A plan from its text. @throws {InvariantError} when it is no plan */
export function parsePlan(text: string): SettlePlan {
  try {
    const plan = JSON.parse(text);
    return {
      ...plan,
      rewardWei: BigInt(plan.rewardWei),
      extraWei: BigInt(plan.extraWei),
      feeMillionths: BigInt(plan.feeMillionths),
    };
  } catch (cause) {
    throw new InvariantError("Cannot read the plan of a step that was cut", { cause });
  }
}

/** Gas and price of each transaction; old nodes tell the price in the transaction alone. */
async function gasSpent(node: Node, hash: string): Promise<GasSpent[]> {
  const block = await node.getBlock(hash, true);
  if (block === undefined) {
    const where = { node: node.name, method: "eth_getBlockByHash" };
    throw new NodeError(where, "garbage", `no block ${hash}, which it just gave`);
  }
  const receipts = await node.getBlockReceipts(block);
  return receipts.map((receipt, i) => {
    const { gasPrice } = block.transactions[i]!;
    return { ...receipt, ...(gasPrice === undefined ? {} : { gasPrice }) };
  });
}
