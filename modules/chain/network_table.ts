/** The table of networks: what each chain pays, burns and hashes, by height; every row with its source. */
import { parseDecimal, type Wei, WEI_PER_COIN } from "../base/mod.ts";
import type { Network, RewardRule } from "./networks.ts";

/** What EthereumPoW inherits of Ethereum. */
const ETHEREUM_REWARDS = steps([0, "5"], [4_370_000, "3"], [7_280_000, "2"]);
const LONDON_HEIGHT = 12_965_000;
const MERGE_HEIGHT = 15_537_394;

/** Every public network that quarry knows. */
export const NETWORKS: readonly Network[] = [
  {
    name: "expanse",
    title: "Expanse",
    currency: "EXP",
    chainId: 2,
    pow: { algorithm: "ethash", next: { fromHeight: 8_500_000, rule: { algorithm: "frkhash" } } },
    rewards: steps([0, "8"], [800_000, "4"]),
    uncleRule: "ethereum",
    baseFee: [],
    explorer: explorer("https://explorer.expanse.tech", "blocks"),
    depth: 120,
    immatureDepth: 20,
    source: "expanse-org/go-expanse ed1f00152 params/config.go (ByzantiumBlock 800000, " +
      "PhoenixBlock 8500000, LondonBlock nil), consensus/ethash/consensus.go accumulateRewards",
  },
  {
    name: "ethereum",
    title: "Ethereum (proof of work)",
    currency: "ETH",
    chainId: 1,
    pow: { algorithm: "ethash" },
    powEndsHeight: MERGE_HEIGHT,
    rewards: ETHEREUM_REWARDS,
    uncleRule: "ethereum",
    baseFee: [{ fromHeight: LONDON_HEIGHT, policy: "burn" }],
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
    baseFee: [],
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
    testnet: true,
    pow: { algorithm: "etchash", ecip1099Height: 2_520_000 },
    rewards: { kind: "eras", eraBlocks: 2_000_000, firstWei: 5n * WEI_PER_COIN },
    uncleRule: "classic",
    baseFee: [],
    explorer: explorer("https://etc-mordor.blockscout.com", "block"),
    depth: 120,
    immatureDepth: 20,
    source: "ECIP-1017, ECIP-1099; etclabscore/core-geth params/config_mordor.go",
  },
  {
    name: "ethereumpow",
    title: "EthereumPoW",
    currency: "ETHW",
    chainId: 10001,
    pow: { algorithm: "ethash" },
    rewards: ETHEREUM_REWARDS,
    uncleRule: "ethereum",
    baseFee: [
      { fromHeight: LONDON_HEIGHT, policy: "burn" },
      { fromHeight: MERGE_HEIGHT, policy: "redirect" },
    ],
    explorer: explorer("https://mainnet.ethwscan.com", "block"),
    depth: 120,
    immatureDepth: 20,
    source: "ethereumpow/go-ethereum f78489ad4 params/config.go (EthPoWForkBlock 15537394, " +
      "ChainID_ALT 10001, MinerDAOAddress), core/state_transition.go",
  },
  {
    name: "octaspace",
    title: "OctaSpace",
    currency: "OCTA",
    chainId: 800001,
    pow: { algorithm: "ethash" },
    rewards: steps(
      ...[[0, "6.5"], [650_000, "5"], [1_000_000, "4"], [1_500_000, "3.5"]] as Step[],
      ...[[2_000_000, "3"], [2_500_000, "2.8"], [3_000_000, "2.3"], [4_500_000, "1.85"]] as Step[],
      ...[[6_000_000, "1.2"], [8_000_000, "1.1"], [10_000_000, "1"]] as Step[],
    ),
    uncleRule: "ethereum",
    baseFee: [],
    explorer: explorer("https://explorer.octa.space", "block"),
    depth: 120,
    immatureDepth: 20,
    source: "octaspace/go-octa f61e2c2 params/config.go (LondonBlock nil), " +
      "consensus/ethash/consensus.go accumulateRewards",
  },
  {
    name: "ubiq",
    title: "Ubiq",
    currency: "UBQ",
    chainId: 8,
    pow: { algorithm: "ubqhash", uip1Height: 660_000 },
    rewards: steps(
      // The node's policy steps hold above their height, Orion's static reward from its height on.
      ...[[0, "8"], [358_364, "7"], [716_728, "6"], [1_075_091, "5"]] as Step[],
      ...[[1_433_455, "4"], [1_791_793, "1.5"]] as Step[],
    ),
    uncleRule: "ubiq",
    uncleBase: { belowHeight: 1_075_090, rewardWei: 8n * WEI_PER_COIN },
    baseFee: [{ fromHeight: 1_791_793, policy: "burn" }],
    explorer: explorer("https://ubiqscan.io", "block"),
    depth: 120,
    immatureDepth: 20,
    source: "ubiq/go-ubiq 29a4ef494 params/config.go (UIP1Epoch 22, MonetaryPolicy, Andromeda " +
      "1075090, Orion 1791793), consensus/ubqhash/consensus.go accumulateRewards",
  },
  {
    name: "callisto",
    title: "Callisto",
    currency: "CLO",
    chainId: 820,
    pow: { algorithm: "ethash" },
    rewards: {
      ...steps(
        ...[[0, "420"], [2_900_001, "234"], [4_400_001, "129.6"]] as Step[],
        ...[[5_900_001, "71.28"], [7_400_001, "38.88"]] as Step[],
      ),
      contract: {
        fromHeight: 16_000_000,
        address: "0x3c0a04ddd9bd580e152e29b1d702000e7460c299",
        slot: "0x0",
      },
    },
    uncleRule: "ethereum",
    baseFee: [{ fromHeight: 13_249_990, policy: "burn" }],
    explorer: explorer("https://explorer.callisto.network", "block"),
    depth: 120,
    immatureDepth: 20,
    source: "EthereumCommonwealth/go-callisto c822f70df params/config.go (LondonBlock 13249990, " +
      "EridanaBlock 16000000), consensus/ethash/callisto_reward.go, consensus.go",
  },
  {
    name: "etica",
    title: "Etica",
    currency: "EGAZ",
    chainId: 61803,
    // HiveOS files it under etchash; the node never activated ECIP-1099.
    pow: { algorithm: "ethash" },
    rewards: steps([0, "2"]),
    uncleRule: "ethereum",
    baseFee: [],
    depth: 120,
    immatureDepth: 20,
    source:
      "etica/core-geth 3f77bbbf8 params/config_etica.go (no ECIP1099FBlock, no EIP1559FBlock), " +
      "params/mutations/rewards_etica.go",
  },
];

/** First height and its reward in coins, decimal text. */
type Step = [fromHeight: number, coins: string];

function steps(...rows: Step[]): Extract<RewardRule, { kind: "steps" }> {
  const rewardOf = (coins: string): Wei => parseDecimal(coins, 18);
  return {
    kind: "steps",
    steps: rows.map(([fromHeight, coins]) => ({ fromHeight, rewardWei: rewardOf(coins) })),
  };
}

function explorer(site: string, block: string) {
  return {
    block: `${site}/${block}/{}`,
    transaction: `${site}/tx/{}`,
    address: `${site}/address/{}`,
  };
}
