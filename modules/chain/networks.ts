/** The table of networks: what each chain pays, burns and hashes, by height; every row with its source. */
import { parseDecimal, PoolError, type Wei, WEI_PER_COIN } from "../base/mod.ts";

/** The proof of work of a network, as the verifier wants it. */
export type PowRule =
  | { algorithm: "ethash" }
  | { algorithm: "etchash"; ecip1099Height: number };

/** How the base block reward follows from the height. */
export type RewardRule =
  | { kind: "steps"; steps: readonly { fromHeight: number; rewardWei: Wei }[] }
  /** ECIP-1017: firstWei · (4/5)^era, era = floor((height − 1) / eraBlocks). */
  | { kind: "eras"; eraBlocks: number; firstWei: Wei };

/**
 * What an uncle's miner receives: `ethereum` (8 − distance)/8 of the reward; `classic` the same in
 * era 0, a flat 1/32 from era 1; `none` nothing, and including one earns nothing either.
 */
export type UncleRule = "ethereum" | "classic" | "none";

/** Who gets the base fee (EIP-1559): there is none, or it is burnt from a height on. */
export type BaseFeeRule = { policy: "none" } | { policy: "burn"; fromHeight: number };

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
  pow: PowRule;
  /** First height that `pow` does not describe, when the chain left this algorithm. */
  powEndsHeight?: number;
  rewards: RewardRule;
  uncleRule: UncleRule;
  baseFee: BaseFeeRule;
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
  algorithm: "ethash" | "etchash";
  /** First height of 60,000-block epochs; etchash only. */
  ecip1099Height?: number;
  /** Reward from a height on: in wei, or in coins as decimal text. The first is from height 0. */
  rewards: readonly { fromHeight: number; rewardWei?: Wei; reward?: string }[];
  /** @default {"ethereum"} */
  uncleRule?: UncleRule;
  baseFee: "none" | "burn";
  /** First height with a base fee, when it burns. @default {0} */
  baseFeeFromHeight?: number;
  /** @default {120} */
  depth?: number;
  /** @default {20} */
  immatureDepth?: number;
}

/** Every public network that quarry knows. */
export const NETWORKS: readonly Network[] = [
  {
    name: "expanse",
    title: "Expanse",
    currency: "EXP",
    chainId: 2,
    pow: { algorithm: "ethash" },
    powEndsHeight: 8_500_000,
    rewards: steps([0, 8n], [800_000, 4n]),
    uncleRule: "ethereum",
    baseFee: { policy: "none" },
    explorer: explorer("https://explorer.expanse.tech", "blocks"),
    depth: 120,
    immatureDepth: 20,
    source:
      "expanse-org/go-expanse params/config.go (ByzantiumBlock 800000, PhoenixBlock 8500000), " +
      "consensus/ethash/consensus.go; expanse-org/open-expanse-pool payouts/unlocker.go",
  },
  {
    name: "ethereum",
    title: "Ethereum (proof of work)",
    currency: "ETH",
    chainId: 1,
    pow: { algorithm: "ethash" },
    powEndsHeight: 15_537_394,
    rewards: steps([0, 5n], [4_370_000, 3n], [7_280_000, 2n]),
    uncleRule: "ethereum",
    baseFee: { policy: "burn", fromHeight: 12_965_000 },
    explorer: explorer("https://etherscan.io", "block"),
    depth: 120,
    immatureDepth: 20,
    source: "EIP-649 (4370000), EIP-1234 (7280000), EIP-1559 (12965000), EIP-3675 (15537394)",
  },
  {
    name: "classic",
    title: "Ethereum Classic",
    currency: "ETC",
    chainId: 61,
    pow: { algorithm: "etchash", ecip1099Height: 11_700_000 },
    rewards: { kind: "eras", eraBlocks: 5_000_000, firstWei: 5n * WEI_PER_COIN },
    uncleRule: "classic",
    baseFee: { policy: "none" },
    explorer: explorer("https://etc.blockscout.com", "block"),
    depth: 240,
    immatureDepth: 30,
    source: "ECIP-1017, ECIP-1099; etclabscore/core-geth params/config_classic.go, " +
      "params/mutations/rewards_classic.go",
  },
  {
    name: "mordor",
    title: "Mordor (Ethereum Classic test network)",
    currency: "METC",
    chainId: 63,
    pow: { algorithm: "etchash", ecip1099Height: 2_520_000 },
    rewards: { kind: "eras", eraBlocks: 2_000_000, firstWei: 5n * WEI_PER_COIN },
    uncleRule: "classic",
    baseFee: { policy: "none" },
    explorer: explorer("https://etc-mordor.blockscout.com", "block"),
    depth: 120,
    immatureDepth: 20,
    source: "ECIP-1017, ECIP-1099; etclabscore/core-geth params/config_mordor.go",
  },
];

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
  if (chain.algorithm === "etchash" && chain.ecip1099Height === undefined) {
    throw new PoolError("Cannot use network.algorithm etchash: add network.ecip1099Height");
  }
  return {
    name: "private",
    title: chain.name ?? "Private chain",
    currency: "coins",
    chainId: chain.chainId,
    pow: chain.algorithm === "etchash"
      ? { algorithm: "etchash", ecip1099Height: chain.ecip1099Height! }
      : { algorithm: "ethash" },
    rewards: {
      kind: "steps",
      steps: chain.rewards.map((step, i) => ({
        fromHeight: step.fromHeight,
        rewardWei: rewardOf(step, i),
      })),
    },
    uncleRule: chain.uncleRule ?? "ethereum",
    baseFee: chain.baseFee === "burn"
      ? { policy: "burn", fromHeight: chain.baseFeeFromHeight ?? 0 }
      : { policy: "none" },
    depth: chain.depth ?? 120,
    immatureDepth: chain.immatureDepth ?? 20,
    source: "configuration",
  };
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

function steps(...rows: [fromHeight: number, coins: bigint][]): RewardRule {
  return {
    kind: "steps",
    steps: rows.map(([fromHeight, coins]) => ({ fromHeight, rewardWei: coins * WEI_PER_COIN })),
  };
}

function explorer(site: string, block: string) {
  return {
    block: `${site}/${block}/{}`,
    transaction: `${site}/tx/{}`,
    address: `${site}/address/{}`,
  };
}
