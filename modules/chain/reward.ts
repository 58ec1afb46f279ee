/** Rewards of a block in wei, from a network's rules: base reward, uncles and transaction fees. */
import { InvariantError, type Wei } from "../base/mod.ts";
import type { BaseFeeStep, Network, RewardContract } from "./networks.ts";

/** What a fee needs of a transaction and its receipt. */
export interface GasSpent {
  gasUsed: bigint;
  /** Price paid (wei per gas); nodes older than EIP-1559 do not tell. */
  effectiveGasPrice?: Wei;
  /** Price offered (wei per gas), the price paid on legacy transactions. */
  gasPrice?: Wei;
}

/** Where the base reward at a height has to be read, when the chain keeps it in a contract. */
export function rewardContractOf(network: Network, height: number): RewardContract | undefined {
  const rule = network.rewards;
  if (rule.kind === "eras" || rule.contract === undefined) return undefined;
  return height >= rule.contract.fromHeight ? rule.contract : undefined;
}

/**
 * The base reward (wei) of the block at a height, without uncles and fees.
 *
 * @param readWei what the storage that {@linkcode rewardContractOf} names holds after that block
 * @throws {InvariantError} when it must be read and was not.
 */
export function blockRewardWei(network: Network, height: number, readWei?: Wei): Wei {
  checkHeight(height);
  const rule = network.rewards;
  if (rule.kind === "eras") {
    const era = eraOf(rule.eraBlocks, height);
    return rule.firstWei * 4n ** era / 5n ** era;
  }
  const contract = rewardContractOf(network, height);
  if (contract !== undefined) {
    if (readWei !== undefined) return readWei;
    throw new InvariantError(
      `Cannot tell the reward at height ${height} of ${network.name}: it is in ${contract.address}`,
    );
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
 * @param readWei as in {@linkcode blockRewardWei}, at the including height
 * @throws {InvariantError} when no chain could include that uncle there.
 */
export function uncleRewardWei(
  network: Network,
  includingHeight: number,
  uncleHeight: number,
  readWei?: Wei,
): Wei {
  const distance = includingHeight - uncleHeight;
  if (distance < 1 || distance > 7) {
    throw new InvariantError("Cannot reward an uncle so far from its block", {
      facts: { includingHeight, uncleHeight },
    });
  }
  const baseWei = uncleBaseWei(network, includingHeight, readWei);
  switch (network.uncleRule) {
    case "none":
      return 0n;
    case "ubiq":
      return distance === 1 ? baseWei / 2n : 0n;
    case "ethereum":
      return baseWei * BigInt(8 - distance) / 8n;
    case "classic": {
      const flat = network.rewards.kind === "eras" &&
        eraOf(network.rewards.eraBlocks, includingHeight) >= 1n;
      return flat ? baseWei / 32n : baseWei * BigInt(8 - distance) / 8n;
    }
  }
}

/** What the including block's miner receives for one uncle (wei): 1/32 of the base reward. */
export function nephewRewardWei(network: Network, includingHeight: number, readWei?: Wei): Wei {
  if (network.uncleRule === "none") return 0n;
  return uncleBaseWei(network, includingHeight, readWei) / 32n;
}

/**
 * The transaction fees (wei) that a block's miner receives: what was paid, less the base fee where
 * the network has one, and with the miner's part of it where it is split.
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
  let rule: BaseFeeStep | undefined;
  for (const step of network.baseFee) if (step.fromHeight <= height) rule = step;
  if (rule === undefined && baseFeeWei !== undefined && baseFeeWei > 0n) {
    throw new InvariantError(
      `Cannot tell who gets the base fee on ${network.name}: set network.baseFee`,
      { facts: { height, baseFeeWei } },
    );
  }
  if (rule !== undefined && baseFeeWei === undefined) {
    throw new InvariantError("Cannot subtract the base fee: the block's header has none", {
      facts: { height },
    });
  }
  const basePerGas = rule === undefined ? 0n : baseFeeWei ?? 0n;
  let tipsWei = 0n, baseWei = 0n;
  for (const { gasUsed, effectiveGasPrice, gasPrice } of spent) {
    const paidPerGas = effectiveGasPrice ?? gasPrice;
    if (paidPerGas === undefined || paidPerGas < basePerGas) {
      throw new InvariantError("Cannot tell the fee of a transaction: its gas price is missing", {
        facts: { height, gasUsed, paidPerGas, basePerGas },
      });
    }
    tipsWei += gasUsed * (paidPerGas - basePerGas);
    baseWei += gasUsed * basePerGas;
  }
  return rule?.policy === "split"
    ? tipsWei + baseWei * BigInt(rule.minerPermille) / 1000n
    : tipsWei;
}

function uncleBaseWei(network: Network, includingHeight: number, readWei: Wei | undefined): Wei {
  const { uncleBase } = network;
  return uncleBase !== undefined && includingHeight < uncleBase.belowHeight
    ? uncleBase.rewardWei
    : blockRewardWei(network, includingHeight, readWei);
}

function eraOf(eraBlocks: number, height: number): bigint {
  return height === 0 ? 0n : BigInt(Math.floor((height - 1) / eraBlocks));
}

function checkHeight(height: number): void {
  if (!Number.isSafeInteger(height) || height < 0) {
    throw new InvariantError(`Cannot use height: current value is ${height}`);
  }
}
