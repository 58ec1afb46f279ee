/** The cost model of docs/scale.md: its arithmetic, its simulation, and its constants on the real thing. */
import assert from "node:assert/strict";
import { simulateCommit } from "../../scripts/scale/commit.ts";
import { MEASURED } from "../../scripts/scale/costs.ts";
import { redisMemory, redisShares, wireBytes } from "../../scripts/scale/measure.ts";
import { needsOf, roundOf, sharesAtBusy, USUAL } from "../../scripts/scale/model.ts";
import { TABLES } from "../../scripts/scale/tables.ts";

const RECORDERS = 20;

Deno.test("a simulation answers every share once and is the same for the same seed", () => {
  const options = { recorders: RECORDERS, sharesPerSecond: 5_000, seconds: 2, seed: 3 };
  const first = simulateCommit(options, MEASURED);
  assert.deepEqual(simulateCommit(options, MEASURED), first);
  assert.notEqual(simulateCommit({ ...options, seed: 4 }, MEASURED).p50Ms, first.p50Ms);
  // Poisson: within five sigma of rate times time.
  assert.ok(Math.abs(first.shares - 10_000) < 5 * Math.sqrt(10_000));
  assert.ok(first.p50Ms <= first.p99Ms && first.p99Ms <= first.longestMs);
});

Deno.test("no share is answered sooner than its batch can be synced", () => {
  const alone = simulateCommit(
    { recorders: 1, sharesPerSecond: 1, seconds: 60, seed: 1, networkSeconds: 0 },
    MEASURED,
  );
  const least = (MEASURED.syncMicros + MEASURED.batchMicros + MEASURED.batchShareMicros) / 1_000;
  assert.ok(Math.abs(alone.p50Ms - least) < 1e-6, `${alone.p50Ms} ms`);
});

Deno.test("answers come later with more shares, and what is too much is not kept up with", () => {
  let last = 0;
  for (const sharesPerSecond of [1_000, 5_000, 20_000, 40_000]) {
    const { p99Ms, overrunSeconds } = simulateCommit(
      { recorders: RECORDERS, sharesPerSecond, seconds: 1, seed: 5 },
      MEASURED,
    );
    assert.ok(p99Ms > last, `${sharesPerSecond} shares a second: ${p99Ms} ms`);
    assert.ok(overrunSeconds < 0.2, `${sharesPerSecond} shares a second are kept up with`);
    last = p99Ms;
  }
  const much = 2 * sharesAtBusy(1, 256, MEASURED);
  const flooded = simulateCommit(
    { recorders: RECORDERS, sharesPerSecond: much, seconds: 1, seed: 5 },
    MEASURED,
  );
  // Twice of what it can do takes twice the time.
  assert.ok(flooded.overrunSeconds > 0.8, `${flooded.overrunSeconds} s behind`);
});

Deno.test("the arithmetic of a round agrees with the simulation", () => {
  for (const sharesPerSecond of [2_000, 10_000, 30_000]) {
    const { batchesPerSecond } = roundOf(sharesPerSecond, RECORDERS, MEASURED);
    const simulated = simulateCommit(
      { recorders: RECORDERS, sharesPerSecond, seconds: 2, seed: 9, networkSeconds: 0 },
      MEASURED,
    );
    const ratio = simulated.batchShares / (sharesPerSecond / batchesPerSecond);
    assert.ok(ratio > 0.75 && ratio < 1.33, `${sharesPerSecond} shares a second: × ${ratio}`);
  }
  assert.equal(roundOf(80_000, RECORDERS, MEASURED).seconds, Infinity);
});

Deno.test("needs grow with workers and fall with seconds per share", () => {
  const small = needsOf(USUAL, MEASURED);
  const large = needsOf({ ...USUAL, workers: 10 * USUAL.workers }, MEASURED);
  assert.ok(Math.abs(large.sharesPerSecond / small.sharesPerSecond - 10) < 1e-9);
  assert.ok(Math.abs(large.sessionBytes / small.sessionBytes - 10) < 1e-9);
  assert.ok(large.redisBusy > small.redisBusy && large.redisBusy < 10 * small.redisBusy);
  const slow = needsOf({ ...USUAL, targetSeconds: 4 * USUAL.targetSeconds }, MEASURED);
  assert.ok(slow.lightCores < small.lightCores && slow.redisBytes < small.redisBytes);
  assert.ok(Math.abs(slow.hashrateError / small.hashrateError - 2) < 1e-9);
});

Deno.test("every table has as many cells in each row", () => {
  for (const [name, make] of Object.entries(TABLES)) {
    const widths = new Set(make().split("\n").map((line) => line.split("|").length));
    assert.equal(widths.size, 1, name);
    assert.doesNotMatch(make(), /NaN|Infinity|undefined/, name);
  }
});

Deno.test("lines on the wire are as long as the model says", async () => {
  const found = new Map((await wireBytes()).map(({ what, value }) => [what, value]));
  assert.equal(found.get("ethProxy: a job, to the miner"), MEASURED.jobBytes);
  assert.equal(found.get("ethProxy: a share, from the miner"), MEASURED.shareBytes);
  assert.equal(found.get("ethProxy: its answer"), MEASURED.answerBytes);
});

Deno.test("Redis's memory and file are as the model says", async () => {
  const rows = await redisMemory(1_000, 1, 12);
  const bytesOf = (start: string) =>
    rows.filter(({ what }) => what.startsWith(start)).reduce((sum, { value }) => sum + value, 0);
  near(bytesOf("quarry:hashrate:") / 12, MEASURED.workerBucketBytes, "a worker in a bucket");
  const [, file] = await redisShares(64, 6_400);
  near(file!.value, MEASURED.shareFileBytes + MEASURED.batchFileBytes / 64, "file per share");
});

/** Within a fifth: a change of the schema is noticed, another server's rounding is not. */
function near(found: number, said: number, what: string): void {
  assert.ok(Math.abs(found / said - 1) < 0.2, `${what}: ${found} bytes, the model says ${said}`);
}
