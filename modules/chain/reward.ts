/** Rewards of a block in wei, from a network's rules: base reward, uncles and transaction fees. */
import { InvariantError, type Wei } from "../base/mod.ts";
import type { Network } from "./networks.ts";

/** What a fee needs of a transaction and its receipt. */
export interface GasSpent {
  gasUsed: bigint;
  /** Price paid (wei per gas); nodes older than EIP-1559 do not tell. */
  effectiveGasPrice?: Wei;
  /** Price offered (wei per gas), the price paid on legacy transactions. */
  gasPrice?: Wei;
}

/** The base reward (wei) of the block at a height, without uncles and fees. */
export function blockRewardWei(network: Network, height: number): Wei {
  checkHeight(height);
  const rule = network.rewards;
  if (rule.kind === "eras") {
    const era = eraOf(rule.eraBlocks, height);
    return rule.firstWei * 4n ** era / 5n ** era;
  }
  let rewardWei: Wei | undefined;
  for (const step of rule.steps) if (step.fromHeight <= height) rewardWei = step.rewardWei;
  if (rewardWei === undefined) {
    throw new InvariantError(`Cannot tell the reward at height ${height} of ${network.name}`);
  }
  return rewardWei;
}

/**
 * What the miner of an uncle receives (wei). The base is the reward at the including height.
 *
 * @throws {InvariantError} when no chain could include that uncle there.
 */
export function uncleRewardWei(
  network: Network,
  includingHeight: number,
  uncleHeight: number,
): Wei {
  const distance = includingHeight - uncleHeight;
  if (distance < 1 || distance > 7) {
    throw new InvariantError("Cannot reward an uncle so far from its block", {
      facts: { includingHeight, uncleHeight },
    });
  }
  if (network.uncleRule === "none") return 0n;
  const baseWei = blockRewardWei(network, includingHeight);
  const flat = network.uncleRule === "classic" && network.rewards.kind === "eras" &&
    eraOf(network.rewards.eraBlocks, includingHeight) >= 1n;
  return flat ? baseWei / 32n : baseWei * BigInt(8 - distance) / 8n;
}

/** What the including block's miner receives for one uncle (wei): 1/32 of the base reward. */
export function nephewRewardWei(network: Network, includingHeight: number): Wei {
  if (network.uncleRule === "none") return 0n;
  return blockRewardWei(network, includingHeight) / 32n;
}

/**
 * The transaction fees (wei) that a block's miner keeps: what was paid, less what is burnt.
 *
 * @param baseFeeWei the block's base fee per gas, undefined when its header has none
 * @throws {InvariantError} when a price is missing or the block contradicts the network's rule.
 */
export function minerFeesWei(
  network: Network,
  height: number,
  spent: readonly GasSpent[],
  baseFeeWei: Wei | undefined,
): Wei {
  const burns = network.baseFee.policy === "burn" && height >= network.baseFee.fromHeight;
  if (!burns && baseFeeWei !== undefined && baseFeeWei > 0n) {
    throw new InvariantError(
      `Cannot tell who gets the base fee on ${network.name}: set network.baseFee`,
      { facts: { height, baseFeeWei } },
    );
  }
  if (burns && baseFeeWei === undefined) {
    throw new InvariantError("Cannot subtract the base fee: the block's header has none", {
      facts: { height },
    });
  }
  const burntPerGas = burns ? baseFeeWei ?? 0n : 0n;
  let feesWei = 0n;
  for (const { gasUsed, effectiveGasPrice, gasPrice } of spent) {
    const paidPerGas = effectiveGasPrice ?? gasPrice;
    if (paidPerGas === undefined || paidPerGas < burntPerGas) {
      throw new InvariantError("Cannot tell the fee of a transaction: its gas price is missing", {
        facts: { height, gasUsed, paidPerGas, burntPerGas },
      });
    }
    feesWei += gasUsed * (paidPerGas - burntPerGas);
  }
  return feesWei;
}

function eraOf(eraBlocks: number, height: number): bigint {
  return height === 0 ? 0n : BigInt(Math.floor((height - 1) / eraBlocks));
}

function checkHeight(height: number): void {
  if (!Number.isSafeInteger(height) || height < 0) {
    throw new InvariantError(`Cannot use height: current value is ${height}`);
  }
}
