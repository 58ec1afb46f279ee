/** The split's law and its twin, and open-ethereum-pool's rounding on its own example. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { InvariantError } from "../base/mod.ts";
import { naiveSplit } from "../../tests/twins/naive_split.ts";
import { type SplitInput, splitReward } from "./split.ts";

const input = (more: Partial<SplitInput>): SplitInput => ({
  rewardWei: 10n ** 18n,
  extraWei: 0n,
  shares: new Map([["a", 1n]]),
  feeMillionths: 1_000_000n,
  feeAddress: "",
  rounding: "floor",
  ...more,
});

const anyShares = fc.uniqueArray(
  fc.tuple(fc.string({ minLength: 1, maxLength: 3 }), fc.bigInt(1n, 10n ** 20n)),
  { minLength: 1, maxLength: 40, selector: ([login]) => login },
);
const anyInput = fc.record({
  rewardWei: fc.bigInt(0n, 10n ** 20n),
  extraWei: fc.bigInt(0n, 10n ** 19n),
  shares: anyShares.map((rows) => new Map(rows)),
  feeMillionths: fc.bigInt(0n, 100_000_000n),
  feeAddress: fc.constantFrom("", "a", "fee address"),
});

Deno.test("splitReward() credits, leaves and loses nothing of the reward", () => {
  fc.assert(fc.property(anyInput, fc.constantFrom("floor", "legacy"), (given, rounding) => {
    const { credits, uncreditedFeeWei, dustWei } = splitReward({
      ...given,
      rounding: rounding as "floor" | "legacy",
    });
    let total = uncreditedFeeWei + dustWei;
    for (const amount of credits.values()) {
      assert.ok(amount > 0n);
      total += amount * 1_000_000_000n;
    }
    assert.equal(total, given.rewardWei + given.extraWei);
    const bound = BigInt(given.shares.size + 1) * 1_000_000_000n;
    assert.ok(dustWei < bound && (rounding === "legacy" ? -dustWei < bound : dustWei >= 0n));
  }));
});

Deno.test("splitReward() agrees with its naive twin", () => {
  fc.assert(fc.property(anyInput, (given) => {
    const split = splitReward({ ...given, extraWei: 0n, feeAddress: "", rounding: "floor" });
    const twin = naiveSplit(given.rewardWei, [...given.shares], given.feeMillionths);
    const positive = Object.entries(twin.credits).filter(([, amount]) => amount > 0n);
    assert.deepEqual(new Map(positive), split.credits);
    assert.equal(split.uncreditedFeeWei, twin.feeWei);
    assert.equal(split.dustWei, twin.dustWei);
  }));
});

Deno.test("splitReward() gives what open-ethereum-pool gave, with legacy rounding", () => {
  // 3 coins, one uncle included, 21000 gas at 20 Gwei; two thirds and one third of the shares.
  const rewardWei = 3n * 10n ** 18n + 3n * 10n ** 18n / 32n + 21_000n * 20n * 10n ** 9n;
  const split = splitReward(input({
    rewardWei,
    shares: new Map([["0xaa", 200n], ["0xbb", 100n]]),
    feeAddress: "0xfee",
    rounding: "legacy",
  }));
  assert.equal(rewardWei, 3_094_170_000_000_000_000n);
  assert.deepEqual(
    split.credits,
    new Map([["0xaa", 2_042_152_200n], ["0xbb", 1_021_076_100n], ["0xfee", 30_941_700n]]),
  );
  const half = splitReward(input({
    rewardWei: 5_000_000_000n,
    shares: new Map([["a", 1n], ["b", 1n]]),
    feeMillionths: 0n,
    rounding: "legacy",
  }));
  assert.deepEqual(half.credits, new Map([["a", 3n], ["b", 3n]]));
  assert.equal(half.dustWei, -1_000_000_000n);
});

Deno.test("splitReward() credits fee and kept transaction fees to the pool's address", () => {
  const split = splitReward(input({ extraWei: 2_000_000_001n, feeAddress: "0xfee" }));
  assert.equal(split.credits.get("0xfee"), 10_000_002n);
  assert.equal(split.credits.get("a"), 990_000_000n);
  assert.equal(split.dustWei, 1n);
  const alone = splitReward(input({ extraWei: 2_000_000_001n }));
  assert.equal(alone.uncreditedFeeWei, 10n ** 16n + 2_000_000_001n);
  const miner = splitReward(input({ feeAddress: "a" }));
  assert.equal(miner.credits.get("a"), 10n ** 9n);
});

Deno.test("splitReward() refuses an empty round and numbers out of range", () => {
  for (
    const bad of [
      { shares: new Map() },
      { shares: new Map([["a", 0n]]) },
      { rewardWei: -1n },
      { extraWei: -1n },
      { feeMillionths: 100_000_001n },
    ]
  ) assert.throws(() => splitReward(input(bad)), InvariantError);
});
