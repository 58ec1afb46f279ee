/** Reward schedules on both sides of every step, uncles, and fees with and without a burn. */
import assert from "node:assert/strict";
import { formatCoins } from "../base/mod.ts";
import { networkByChainId, networkByName, networkOf, NETWORKS } from "./networks.ts";
import { blockRewardWei, minerFeesWei, nephewRewardWei, uncleRewardWei } from "./reward.ts";

const BLOCK_REWARDS: [network: string, height: number, coins: string][] = [
  ["expanse", 0, "8"],
  ["expanse", 799_999, "8"],
  ["expanse", 800_000, "4"],
  ["expanse", 1_860_000, "4"],
  ["ethereum", 4_369_999, "5"],
  ["ethereum", 4_370_000, "3"],
  ["ethereum", 7_279_999, "3"],
  ["ethereum", 7_280_000, "2"],
  ["classic", 1, "5"],
  ["classic", 5_000_000, "5"],
  ["classic", 5_000_001, "4"],
  ["classic", 10_000_000, "4"],
  ["classic", 10_000_001, "3.2"],
  ["classic", 20_000_000, "2.56"],
  ["classic", 20_000_001, "2.048"],
  ["classic", 25_000_000, "2.048"],
  ["classic", 25_000_001, "1.6384"],
  ["mordor", 2_000_000, "5"],
  ["mordor", 2_000_001, "4"],
  ["mordor", 4_000_001, "3.2"],
];

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
  assert.throws(() => minerFeesWei(classic, 20_000_000, spent, 12n), /network\.baseFee/);
  assert.throws(() => minerFeesWei(ethereum, 12_965_000, spent, undefined), /base fee/);
  assert.throws(() => minerFeesWei(classic, 1, [{ gasUsed: 1n }], undefined), /gas price/);
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
