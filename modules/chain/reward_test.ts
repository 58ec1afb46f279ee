/** Reward schedules on both sides of every step, uncles, and fees with and without a burn. */
import assert from "node:assert/strict";
import { formatCoins } from "../base/mod.ts";
import { NETWORKS } from "./network_table.ts";
import { networkByChainId, networkByName, networkOf } from "./networks.ts";
import {
  blockRewardWei,
  minerFeesWei,
  nephewRewardWei,
  rewardContractOf,
  uncleRewardWei,
} from "./reward.ts";

const BLOCK_REWARDS: [network: string, height: number, coins: string][] = [
  ["expanse", 0, "8"],
  ["expanse", 799_999, "8"],
  ["expanse", 800_000, "4"],
  ["expanse", 1_860_000, "4"],
  ["expanse", 8_499_999, "4"],
  ["expanse", 8_500_000, "4"],
  ["ethereum", 4_369_999, "5"],
  ["ethereum", 4_370_000, "3"],
  ["ethereum", 7_279_999, "3"],
  ["ethereum", 7_280_000, "2"],
  ["classic", 1, "5"],
  ["classic", 5_000_000, "5"],
  ["classic", 5_000_001, "4"],
  ["classic", 10_000_000, "4"],
  ["classic", 10_000_001, "3.2"],
  ["classic", 15_000_000, "3.2"],
  ["classic", 15_000_001, "2.56"],
  ["classic", 20_000_000, "2.56"],
  ["classic", 20_000_001, "2.048"],
  ["classic", 25_000_000, "2.048"],
  ["classic", 25_000_001, "1.6384"],
  ["classic", 30_000_000, "1.6384"],
  ["classic", 30_000_001, "1.31072"],
  ["classic", 35_000_000, "1.31072"],
  ["classic", 35_000_001, "1.048576"],
  ["classic", 40_000_000, "1.048576"],
  ["mordor", 2_000_000, "5"],
  ["mordor", 2_000_001, "4"],
  ["mordor", 4_000_000, "4"],
  ["mordor", 4_000_001, "3.2"],
  ["ethereumpow", 7_279_999, "3"],
  ["ethereumpow", 15_537_394, "2"],
  ...steps("octaspace", [
    ...[[0, "6.5"], [650_000, "5"], [1_000_000, "4"], [1_500_000, "3.5"]] as Step[],
    ...[[2_000_000, "3"], [2_500_000, "2.8"], [3_000_000, "2.3"], [4_500_000, "1.85"]] as Step[],
    ...[[6_000_000, "1.2"], [8_000_000, "1.1"], [10_000_000, "1"]] as Step[],
  ]),
  ...steps("ubiq", [
    ...[[0, "8"], [358_364, "7"], [716_728, "6"], [1_075_091, "5"]] as Step[],
    ...[[1_433_455, "4"], [1_791_793, "1.5"]] as Step[],
  ]),
  ["ubiq", 2_508_546, "1.5"],
  ...steps("callisto", [
    ...[[0, "420"], [2_900_001, "234"], [4_400_001, "129.6"]] as Step[],
    ...[[5_900_001, "71.28"], [7_400_001, "38.88"]] as Step[],
  ]),
  ["callisto", 15_999_999, "38.88"],
  ["etica", 1, "2"],
  ["etica", 8_700_000, "2"],
];

type Step = [fromHeight: number, coins: string];

/** Both sides of every step. */
function steps(network: string, rows: Step[]): [network: string, height: number, coins: string][] {
  return rows.flatMap(([fromHeight, coins], i) => [
    ...(i === 0 ? [] : [[network, fromHeight - 1, rows[i - 1]![1]] as [string, number, string]]),
    [network, fromHeight, coins] as [string, number, string],
  ]);
}

Deno.test("blockRewardWei() follows each schedule on both sides of its steps", () => {
  for (const [name, height, coins] of BLOCK_REWARDS) {
    assert.equal(formatCoins(blockRewardWei(networkOf(name), height)), coins, `${name} ${height}`);
  }
});

Deno.test("uncleRewardWei() pays by distance, and flat from the second era of classic", () => {
  const ethereum = networkOf("ethereum"), classic = networkOf("classic");
  assert.equal(formatCoins(uncleRewardWei(ethereum, 7_280_001, 7_280_000)), "1.75");
  assert.equal(formatCoins(uncleRewardWei(ethereum, 7_280_006, 7_280_000)), "0.5");
  assert.equal(formatCoins(uncleRewardWei(ethereum, 7_280_000, 7_279_999)), "1.75");
  assert.equal(formatCoins(uncleRewardWei(classic, 5_000_000, 4_999_999)), "4.375");
  assert.equal(formatCoins(uncleRewardWei(classic, 5_000_001, 5_000_000)), "0.125");
  assert.equal(formatCoins(uncleRewardWei(classic, 20_000_001, 19_999_995)), "0.064");
  assert.equal(formatCoins(uncleRewardWei(networkOf("expanse"), 800_000, 799_998)), "3");
  assert.throws(() => uncleRewardWei(ethereum, 100, 100), /uncle/);
  assert.throws(() => uncleRewardWei(ethereum, 108, 100), /uncle/);
});

Deno.test("uncleRewardWei() follows Ubiq's depth, and its first reward before Andromeda", () => {
  const ubiq = networkOf("ubiq");
  assert.equal(formatCoins(uncleRewardWei(ubiq, 1_791_793, 1_791_792)), "0.75");
  assert.equal(uncleRewardWei(ubiq, 1_791_793, 1_791_791), 0n);
  assert.equal(uncleRewardWei(ubiq, 1_791_793, 1_791_786), 0n);
  // 6 UBQ are paid there, but uncles count with 8 until 1,075,090.
  assert.equal(formatCoins(uncleRewardWei(ubiq, 1_075_089, 1_075_088)), "4");
  assert.equal(formatCoins(nephewRewardWei(ubiq, 1_075_089)), "0.25");
  assert.equal(formatCoins(uncleRewardWei(ubiq, 1_075_090, 1_075_089)), "3");
  assert.equal(formatCoins(nephewRewardWei(ubiq, 1_075_090)), "0.1875");
});

Deno.test("blockRewardWei() takes Callisto's reward from its contract from Eridana on", () => {
  const callisto = networkOf("callisto");
  assert.equal(rewardContractOf(callisto, 15_999_999), undefined);
  const contract = rewardContractOf(callisto, 16_000_000);
  assert.equal(contract?.address, "0x3c0a04ddd9bd580e152e29b1d702000e7460c299");
  assert.throws(() => blockRewardWei(callisto, 16_000_000), /it is in 0x3c0a/);
  assert.equal(blockRewardWei(callisto, 16_000_000, 5n), 5n);
  assert.equal(uncleRewardWei(callisto, 16_000_000, 15_999_999, 800n), 700n);
  assert.equal(nephewRewardWei(callisto, 16_000_000, 640n), 20n);
});

Deno.test("nephewRewardWei() is one 32nd of the including block's reward", () => {
  assert.equal(formatCoins(nephewRewardWei(networkOf("ethereum"), 7_280_000)), "0.0625");
  assert.equal(formatCoins(nephewRewardWei(networkOf("classic"), 20_000_001)), "0.064");
});

Deno.test("minerFeesWei() keeps what was paid less what the network burns", () => {
  const ethereum = networkOf("ethereum"), classic = networkOf("classic");
  const spent = [
    { gasUsed: 21_000n, effectiveGasPrice: 30n, gasPrice: 99n },
    { gasUsed: 50_000n, gasPrice: 20n },
  ];
  assert.equal(minerFeesWei(classic, 20_000_000, spent, undefined), 1_630_000n);
  assert.equal(minerFeesWei(ethereum, 12_965_000, spent, 12n), 21_000n * 18n + 50_000n * 8n);
  assert.equal(minerFeesWei(ethereum, 12_964_999, spent, undefined), 1_630_000n);
  // EthereumPoW sends the base fee to an address of its own, Ubiq and Callisto burn it.
  const burnt = 21_000n * 18n + 50_000n * 8n;
  for (const [name, height] of [["ethereumpow", 15_537_394], ["ubiq", 1_791_793]] as const) {
    assert.equal(minerFeesWei(networkOf(name), height, spent, 12n), burnt, name);
  }
  assert.equal(minerFeesWei(networkOf("callisto"), 13_249_990, spent, 12n), burnt);
  assert.equal(minerFeesWei(networkOf("callisto"), 13_249_989, spent, undefined), 1_630_000n);
  assert.throws(() => minerFeesWei(networkOf("octaspace"), 1, spent, 12n), /network\.baseFee/);
  assert.throws(() => minerFeesWei(classic, 20_000_000, spent, 12n), /network\.baseFee/);
  assert.throws(() => minerFeesWei(ethereum, 12_965_000, spent, undefined), /base fee/);
  assert.throws(() => minerFeesWei(classic, 1, [{ gasUsed: 1n }], undefined), /gas price/);
});

Deno.test("minerFeesWei() gives the miner its part of a base fee that is split", () => {
  const rewards = [{ fromHeight: 0, reward: "2" }];
  const split = networkOf({
    ...{ chainId: 7, algorithm: "ethash", rewards, baseFee: "split" },
    ...{ baseFeeFromHeight: 10, baseFeeMinerPermille: 950 },
  });
  const spent = [{ gasUsed: 21_001n, effectiveGasPrice: 30n }];
  // 21,001 · 18 in tips, and 95 % of 21,001 · 12, rounded down once a block.
  assert.equal(minerFeesWei(split, 10, spent, 12n), 378_018n + 239_411n);
  assert.equal(minerFeesWei(split, 9, spent, undefined), 630_030n);
  assert.throws(
    () => networkOf({ chainId: 7, algorithm: "ethash", rewards, baseFee: "split" }),
    /baseFeeMinerPermille/,
  );
});

Deno.test("NETWORKS name the proof of work that each height has", () => {
  assert.deepEqual(networkOf("expanse").pow, {
    algorithm: "ethash",
    next: { fromHeight: 8_500_000, rule: { algorithm: "frkhash" } },
  });
  assert.deepEqual(networkOf("ubiq").pow, { algorithm: "ubqhash", uip1Height: 660_000 });
  assert.deepEqual(networkOf("etica").pow, { algorithm: "ethash" });
});

Deno.test("networkOf() finds every row by name and chain id and refuses unknown names", () => {
  for (const row of NETWORKS) {
    assert.equal(networkByName(row.name.toUpperCase()), row);
    assert.equal(networkByChainId(row.chainId), row);
    assert.ok(row.depth > row.immatureDepth && row.source !== "");
  }
  assert.equal(networkByChainId(424_242), undefined);
  assert.throws(() => networkOf("nowhere"), /known networks are expanse/);
});

Deno.test("networkOf() builds a private chain and refuses one that contradicts itself", () => {
  const chain = networkOf({
    chainId: 1337,
    algorithm: "etchash",
    ecip1099Height: 60_000,
    rewards: [{ fromHeight: 0, reward: "2.5" }, { fromHeight: 10, rewardWei: 7n }],
    uncleRule: "none",
    baseFee: "burn",
  });
  assert.equal(formatCoins(blockRewardWei(chain, 9)), "2.5");
  assert.equal(blockRewardWei(chain, 10), 7n);
  assert.equal(uncleRewardWei(chain, 11, 10), 0n);
  assert.equal(nephewRewardWei(chain, 11), 0n);
  assert.deepEqual(chain.pow, { algorithm: "etchash", ecip1099Height: 60_000 });
  assert.equal(minerFeesWei(chain, 5, [{ gasUsed: 2n, gasPrice: 9n }], 4n), 10n);
  const bad = { chainId: 1, algorithm: "ethash", baseFee: "none" } as const;
  assert.throws(() => networkOf({ ...bad, rewards: [] }), /network\.rewards/);
  assert.throws(() => networkOf({ ...bad, rewards: [{ fromHeight: 1, reward: "1" }] }), /0/);
  assert.throws(() => networkOf({ ...bad, rewards: [{ fromHeight: 0 }] }), /either/);
  assert.throws(
    () => networkOf({ ...bad, algorithm: "etchash", rewards: [{ fromHeight: 0, reward: "1" }] }),
    /ecip1099Height/,
  );
});
