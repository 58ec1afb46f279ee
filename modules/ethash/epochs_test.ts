/** Epochs of both algorithms on both sides of every boundary. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { EPOCH_MAX, epochOf, epochOfSeedRounds, type EpochRule, sameContext } from "./epochs.ts";

const ETHASH: EpochRule = { algorithm: "ethash" };
const CLASSIC: EpochRule = { algorithm: "etchash", ecip1099Height: 11_700_000 };
const MORDOR: EpochRule = { algorithm: "etchash", ecip1099Height: 2_520_000 };

Deno.test("epochOf() counts 30,000 blocks under Ethash", () => {
  deepStrictEqual(epochOf(ETHASH, 0), {
    algorithm: "ethash",
    epoch: 0,
    seedRounds: 0,
    firstHeight: 0,
    nextHeight: 30000,
  });
  strictEqual(epochOf(ETHASH, 29_999).epoch, 0);
  strictEqual(epochOf(ETHASH, 30_000).epoch, 1);
  // The fork height means nothing to Ethash.
  strictEqual(epochOf({ algorithm: "ethash", ecip1099Height: 1 }, 11_700_000).epoch, 390);
});

// Heights and numbers checked against go-etchash.
Deno.test("epochOf() drops from 389 to 195 at ECIP-1099 and hashes the seed twice per epoch", () => {
  deepStrictEqual(epochOf(CLASSIC, 11_699_999), {
    algorithm: "ethash",
    epoch: 389,
    seedRounds: 389,
    firstHeight: 11_670_000,
    nextHeight: 11_700_000,
  });
  deepStrictEqual(epochOf(CLASSIC, 11_700_000), {
    algorithm: "ethash",
    epoch: 195,
    seedRounds: 390,
    firstHeight: 11_700_000,
    nextHeight: 11_760_000,
  });
  strictEqual(epochOf(CLASSIC, 11_759_999).epoch, 195);
  deepStrictEqual([epochOf(CLASSIC, 11_760_000).epoch, epochOf(CLASSIC, 11_760_000).seedRounds], [
    196,
    392,
  ]);
});

Deno.test("epochOf() drops from 83 to 42 at ECIP-1099 on Mordor", () => {
  strictEqual(epochOf(MORDOR, 2_519_999).epoch, 83);
  deepStrictEqual([epochOf(MORDOR, 2_520_000).epoch, epochOf(MORDOR, 2_520_000).seedRounds], [
    42,
    84,
  ]);
});

Deno.test("epochOf() gives extents that join without gap or overlap", () => {
  const fork = fc.integer({ min: 0, max: 3_000_000 });
  const height = fc.integer({ min: 0, max: 30_000_000 });
  fc.assert(fc.property(fork, height, (ecip1099Height, at) => {
    const rule: EpochRule = { algorithm: "etchash", ecip1099Height };
    const epoch = epochOf(rule, at);
    strictEqual(epoch.firstHeight <= at && at < epoch.nextHeight, true);
    deepStrictEqual(epochOf(rule, epoch.firstHeight), epoch);
    deepStrictEqual(epochOf(rule, epoch.nextHeight - 1), epoch);
    strictEqual(epochOf(rule, epoch.nextHeight).firstHeight, epoch.nextHeight);
  }));
});

Deno.test("epochOf() refuses heights that are no heights and epochs beyond the largest", () => {
  for (const height of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    throws(() => epochOf(ETHASH, height), RangeError);
  }
  strictEqual(epochOf(ETHASH, (EPOCH_MAX + 1) * 30_000 - 1).epoch, EPOCH_MAX);
  throws(() => epochOf(ETHASH, (EPOCH_MAX + 1) * 30_000), /above 4095/);
});

Deno.test("epochOf() refuses etchash without its ECIP-1099 height", () => {
  throws(() => epochOf({ algorithm: "etchash" }, 1), /ecip1099Height is undefined/);
});

Deno.test("epochOfSeedRounds() finds the epoch again on both sides of the fork", () => {
  for (const height of [0, 5_850_000, 11_699_999, 11_700_000, 11_759_999, 25_000_001]) {
    for (const rule of [ETHASH, CLASSIC]) {
      const epoch = epochOf(rule, height);
      deepStrictEqual(epochOfSeedRounds(rule, epoch.seedRounds), epoch);
    }
  }
  strictEqual(epochOfSeedRounds(CLASSIC, 391), undefined);
});

const UBIQ: EpochRule = { algorithm: "ubqhash", uip1Height: 660_000 };

Deno.test("epochOf() changes Ubqhash's cache at UIP-1 and nothing else", () => {
  const before = epochOf(UBIQ, 659_999);
  const after = epochOf(UBIQ, 660_000);
  deepStrictEqual([before.algorithm, before.epoch, before.seedRounds], ["ethash", 21, 21]);
  deepStrictEqual([after.algorithm, after.epoch, after.seedRounds], ["ubqhash", 22, 22]);
  strictEqual(before.nextHeight, after.firstHeight);
  throws(() => epochOf({ algorithm: "ubqhash" }, 1), /uip1Height is undefined/);
  throws(() => epochOf({ algorithm: "ubqhash", uip1Height: 660_001 }, 1), /multiple of 30000/);
});

Deno.test("epochOf() has one epoch under Frkhash, from the height on where a network takes it", () => {
  const expanse: EpochRule = {
    algorithm: "ethash",
    next: { fromHeight: 8_500_000, rule: { algorithm: "frkhash" } },
  };
  const last = epochOf(expanse, 8_499_999);
  deepStrictEqual(last, {
    algorithm: "ethash",
    epoch: 283,
    seedRounds: 283,
    firstHeight: 8_490_000,
    nextHeight: 8_500_000,
  });
  for (const height of [8_500_000, 2 ** 52]) {
    deepStrictEqual(epochOf(expanse, height), {
      algorithm: "frkhash",
      epoch: 0,
      seedRounds: 0,
      firstHeight: 8_500_000,
      nextHeight: Number.POSITIVE_INFINITY,
    });
  }
  deepStrictEqual(epochOfSeedRounds(expanse, 283), last);
});

Deno.test("sameContext() tells epochs of equal numbers by their algorithm", () => {
  const before = epochOf(ETHASH, 660_000);
  const after = epochOf(UBIQ, 660_000);
  deepStrictEqual({ ...after, algorithm: "ethash" }, before);
  strictEqual(sameContext(before, after), false);
  strictEqual(sameContext(before, epochOf(UBIQ, 659_999)), false);
  strictEqual(sameContext(after, epochOf(UBIQ, 689_999)), true);
});
