/** Variable difficulty as a law: it finds the miner's rate, keeps its bounds and earns nothing extra. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Retarget, type VarDiff } from "./retarget.ts";

const RULE: VarDiff = {
  ...{ targetTimeMs: 10_000, minDiff: 1_000_000n, maxDiff: 10n ** 14n },
  ...{ variancePercent: 30, maxJump: 100 },
};
const HEADER_MS = 13_000;

/** A generator of exponential gaps, seeded. */
function randomGaps(seed: number) {
  let state = seed >>> 0 || 1;
  return (meanMs: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return -Math.log((state + 1) / 2 ** 32) * meanMs;
  };
}

/** Mines at a rate for a time; gives the difficulty at the end and what was credited per hash. */
function mine(rule: VarDiff, first: bigint, hps: number, durationMs: number, seed: number) {
  const gap = randomGaps(seed);
  const retarget = new Retarget(rule, first, 0);
  let [credited, nowMs, headerMs, shares] = [0n, 0, HEADER_MS, 0];
  let difficulty = retarget.difficulty;
  while (nowMs < durationMs) {
    nowMs += gap(Number(difficulty) / hps * 1_000);
    while (headerMs < nowMs) {
      // What was begun at the old difficulty is worthless at a new one only to the gap's memory,
      // which an exponential gap has not.
      const next = retarget.next(headerMs);
      headerMs += HEADER_MS;
      if (next !== difficulty) {
        nowMs = headerMs - HEADER_MS + gap(Number(next) / hps * 1_000);
        difficulty = next;
      }
    }
    if (nowMs > durationMs) break;
    retarget.onShare(difficulty);
    credited += difficulty;
    shares++;
  }
  return { difficulty, earnedPerHash: Number(credited) / (hps * durationMs / 1_000), shares };
}

Deno.test("Retarget comes near the target time from anywhere, up and down", () => {
  for (const hps of [30e6, 3e9, 500e9]) {
    for (const first of [1_000_000n, 2_000_000_000n, 10n ** 13n]) {
      const { difficulty } = mine(RULE, first, hps, 8 * 3_600_000, 7);
      const secondsPerShare = Number(difficulty) / hps;
      assert.ok(
        secondsPerShare > 4 && secondsPerShare < 25,
        `${hps} from ${first}: ${secondsPerShare}`,
      );
    }
  }
});

Deno.test("Retarget earns a miner one per hash, whatever the path of the difficulty", () => {
  // Many seeds: the mean is close to 1 although every single run is luck.
  const runs = Array.from({ length: 200 }, (_, seed) => {
    return mine(RULE, 2_000_000_000n, 1e9, 3_600_000, seed + 1).earnedPerHash;
  });
  const mean = runs.reduce((sum, one) => sum + one, 0) / runs.length;
  assert.ok(Math.abs(mean - 1) < 0.03, `${mean}`);
});

Deno.test("Retarget keeps bounds and steps, and changes nothing within the variance", () => {
  fc.assert(fc.property(
    fc.array(fc.record({ ms: fc.nat(60_000), shares: fc.nat(40) }), { maxLength: 60 }),
    fc.bigInt(1n, 10n ** 15n),
    fc.integer({ min: 1, max: 400 }),
    (steps, first, maxJump) => {
      const rule = { ...RULE, maxJump };
      const retarget = new Retarget(rule, first, 0);
      let nowMs = 0;
      for (const { ms, shares } of steps) {
        const before = retarget.difficulty;
        nowMs += ms;
        for (let i = 0; i < shares; i++) retarget.onShare(before);
        const after = retarget.next(nowMs);
        assert.ok(after >= rule.minDiff && after <= rule.maxDiff);
        assert.ok(100n * after <= before * BigInt(100 + maxJump));
        assert.ok(after * BigInt(100 + maxJump) >= before * 100n - BigInt(100 + maxJump));
        // Again at the same moment: nothing new is known.
        assert.equal(retarget.next(nowMs), after);
      }
    },
  ));
});

Deno.test("Retarget lowers the difficulty of a miner that sends nothing", () => {
  const retarget = new Retarget(RULE, 10n ** 12n, 0);
  assert.equal(retarget.next(30_000), 10n ** 12n);
  let nowMs = 0;
  for (let header = 0; header < 400; header++) retarget.next(nowMs += HEADER_MS);
  assert.equal(retarget.difficulty, RULE.minDiff);
});
