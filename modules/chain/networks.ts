/** Networks: what describes one, finding one by name or chain id, and private ones from the configuration. */
import { parseDecimal, PoolError, type Wei } from "../base/mod.ts";
import { NETWORKS } from "./network_table.ts";

/** The proof of work of a network from some height on, as the verifier wants it. */
export interface PowRule {
  algorithm: "ethash" | "etchash" | "ubqhash" | "frkhash";
  /** First height of 60,000-block epochs (ECIP-1099); etchash only. */
  ecip1099Height?: number;
  /** First height with BLAKE2b caches (Ubiq's UIP-1), of a whole epoch; ubqhash only. */
  uip1Height?: number;
  /** What replaces it at a height. */
  next?: { fromHeight: number; rule: PowRule };
}

/** How the base block reward follows from the height. */
export type RewardRule =
  | {
    kind: "steps";
    steps: readonly { fromHeight: number; rewardWei: Wei }[];
    /** From a height on a contract's storage says it (wei), as it is after the block. */
    contract?: RewardContract & { fromHeight: number };
  }
  /** ECIP-1017: firstWei · (4/5)^era, era = floor((height − 1) / eraBlocks). */
  | { kind: "eras"; eraBlocks: number; firstWei: Wei };

/** Where a chain keeps its block reward. */
export interface RewardContract {
  address: string;
  /** Storage slot, a quantity. */
  slot: string;
}

/**
 * What an uncle's miner receives: `ethereum` (8 − distance)/8 of the reward; `classic` the same in
 * era 0, a flat 1/32 from era 1; `ubiq` half of it one block later, else nothing; `none` nothing,
 * and including one earns nothing either.
 */
export type UncleRule = "ethereum" | "classic" | "ubiq" | "none";

/**
 * Who gets the base fee (EIP-1559) from a height on. It is `burn`t, the chain `redirect`s it to an
 * address of its own, or the miner gets a part of it (`split`, in thousandths).
 */
export type BaseFeeStep =
  | { fromHeight: number; policy: "burn" | "redirect" }
  | { fromHeight: number; policy: "split"; minerPermille: number };

/** One network. */
export interface Network {
  /** Name in the configuration. */
  name: string;
  /** Name for people. */
  title: string;
  /** Ticker of the coin. */
  currency: string;
  /** EIP-155 chain id. */
  chainId: number;
  /** Whether its coins are worth nothing. */
  testnet?: boolean;
  pow: PowRule;
  /** First height without proof of work. */
  powEndsHeight?: number;
  rewards: RewardRule;
  uncleRule: UncleRule;
  /** Below a height uncles and their including blocks count with this reward, not the block's. */
  uncleBase?: { belowHeight: number; rewardWei: Wei };
  /** In order of height; empty or before the first: there is no base fee. */
  baseFee: readonly BaseFeeStep[];
  /** Link patterns with `{}` for the height, hash or address. */
  explorer?: { block: string; transaction: string; address: string };
  /** Sane confirmations (blocks) before a credit matures, and before it is shown as immature. */
  depth: number;
  immatureDepth: number;
  /** Where the numbers come from. */
  source: string;
}

/** A chain of one's own, as the configuration describes it under `network`. */
export interface PrivateNetwork {
  chainId: number;
  name?: string;
  /** @default {false} */
  testnet?: boolean;
  algorithm: PowRule["algorithm"];
  /** First height of 60,000-block epochs; etchash only. */
  ecip1099Height?: number;
  /** First height with BLAKE2b caches, a multiple of 30,000; ubqhash only. */
  uip1Height?: number;
  /** Reward from a height on: in wei, or in coins as decimal text. The first is from height 0. */
  rewards: readonly { fromHeight: number; rewardWei?: Wei; reward?: string }[];
  /** @default {"ethereum"} */
  uncleRule?: UncleRule;
  baseFee: "none" | "burn" | "redirect" | "split";
  /** First height with a base fee, when there is one. @default {0} */
  baseFeeFromHeight?: number;
  /** The miner's thousandths of the base fee; split only. */
  baseFeeMinerPermille?: number;
  /** @default {120} */
  depth?: number;
  /** @default {20} */
  immatureDepth?: number;
}

/** The network of a name, or undefined. */
export function networkByName(name: string): Network | undefined {
  return NETWORKS.find((network) => network.name === name.toLowerCase());
}

/** The network of an EIP-155 chain id, or undefined. */
export function networkByChainId(chainId: number): Network | undefined {
  return NETWORKS.find((network) => network.chainId === chainId);
}

/**
 * The network that the configuration's `network` value means: a name or a private chain.
 *
 * @throws {PoolError} when there is no such network or the description contradicts itself.
 */
export function networkOf(value: string | PrivateNetwork): Network {
  if (typeof value !== "string") return privateNetwork(value);
  const network = networkByName(value);
  if (network !== undefined) return network;
  const known = NETWORKS.map((row) => row.name).join(", ");
  throw new PoolError(
    `Cannot use network "${value}": known networks are ${known}; describe any other as an object`,
  );
}

function privateNetwork(chain: PrivateNetwork): Network {
  const sorted = chain.rewards.every((step, i) =>
    i === 0 ? step.fromHeight === 0 : step.fromHeight > chain.rewards[i - 1]!.fromHeight
  );
  if (chain.rewards.length === 0 || !sorted) {
    throw new PoolError("Cannot use network.rewards: begin with fromHeight 0, then ascend");
  }
  return {
    name: "private",
    title: chain.name ?? "Private chain",
    currency: "coins",
    chainId: chain.chainId,
    testnet: chain.testnet === true,
    pow: privatePow(chain),
    rewards: {
      kind: "steps",
      steps: chain.rewards.map((step, i) => ({
        fromHeight: step.fromHeight,
        rewardWei: rewardOf(step, i),
      })),
    },
    uncleRule: chain.uncleRule ?? "ethereum",
    baseFee: privateBaseFee(chain),
    depth: chain.depth ?? 120,
    immatureDepth: chain.immatureDepth ?? 20,
    source: "configuration",
  };
}

function privatePow({ algorithm, ecip1099Height, uip1Height }: PrivateNetwork): PowRule {
  if (algorithm === "etchash" && ecip1099Height === undefined) {
    throw new PoolError("Cannot use network.algorithm etchash: add network.ecip1099Height");
  }
  if (algorithm === "ubqhash" && (uip1Height === undefined || uip1Height % 30_000 !== 0)) {
    throw new PoolError(
      "Cannot use network.algorithm ubqhash: network.uip1Height must be a multiple of 30000",
    );
  }
  return {
    algorithm,
    ...(algorithm === "etchash" ? { ecip1099Height: ecip1099Height! } : {}),
    ...(algorithm === "ubqhash" ? { uip1Height: uip1Height! } : {}),
  };
}

function privateBaseFee(chain: PrivateNetwork): BaseFeeStep[] {
  const { baseFee, baseFeeFromHeight: fromHeight = 0, baseFeeMinerPermille } = chain;
  if (baseFee === "none") return [];
  if (baseFee !== "split") return [{ fromHeight, policy: baseFee }];
  if (baseFeeMinerPermille === undefined) {
    throw new PoolError("Cannot use network.baseFee split: add network.baseFeeMinerPermille");
  }
  return [{ fromHeight, policy: "split", minerPermille: baseFeeMinerPermille }];
}

function rewardOf(step: PrivateNetwork["rewards"][number], index: number): Wei {
  if ((step.rewardWei === undefined) === (step.reward === undefined)) {
    throw new PoolError(
      `Cannot use network.rewards[${index}]: give either rewardWei or reward (coins)`,
    );
  }
  const rewardWei = step.rewardWei ?? parseDecimal(step.reward!, 18);
  if (rewardWei < 0n) {
    throw new PoolError(`Cannot use network.rewards[${index}]: current value is ${rewardWei} wei`);
  }
  return rewardWei;
}
