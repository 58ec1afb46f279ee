/** Series and days over a real Redis: what is written once, kept over a restart, and forgotten. */
import assert from "node:assert/strict";
import { FakeClock, silentLogger } from "../base/mod.ts";
import {
  createKeys,
  openStore,
  readSeries,
  recordShares,
  SERIES_RANGES,
  ShareCounts,
  type WorkerDay,
  writeSeries,
} from "../ledger/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { createCollector } from "./collect.ts";
import { pointsOf, workBetween } from "./slots.ts";

const LOGIN = "0x" + "11".repeat(20);
const START_MS = 1_700_002_800_000;
const OPTIONS = {
  ...{ hashrateWindowMs: 1_800_000, hashrateLargeWindowMs: 10_800_000 },
  ...{ luckWindow: [64], payments: 30, blocks: 50 },
};

async function world() {
  const redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const clock = new FakeClock(START_MS);
  const keys = createKeys("etc");
  const deps = { store, keys, clock, log: silentLogger };
  let made = 0;
  return {
    ...{ store, keys, clock, deps },
    async mine(worker: string, difficulty: bigint) {
      const nonce = "0x" + (++made).toString(16).padStart(16, "0");
      const [headerHash, mix] = ["0x" + "ab".repeat(32), "0x" + "cd".repeat(32)];
      const share = { login: LOGIN, worker, height: 100, nonce, headerHash, mix, difficulty };
      await recordShares({ ...deps, hashrateExpirationSeconds: 10_800 }, `b${made}`, [share]);
    },
    async day(): Promise<WorkerDay[]> {
      const text = await store.command("HGET", keys.own.workerDays(), LOGIN);
      return text === null ? [] : JSON.parse(String(text));
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

Deno.test("History keeps a day over a restart, counts no slot twice and forgets after 24 hours", async () => {
  await using it = await world();
  const counts = new ShareCounts(it.deps);
  let collector = createCollector(OPTIONS, it.deps);
  for (let minute = 0; minute < 30; minute++) {
    await it.mine("rig1", 60_000n);
    counts.add(LOGIN, "rig1", "valid");
    await counts.flush();
    await it.clock.advance(60_000);
    // Another process takes over in the middle, twice.
    if (minute % 10 === 7) collector = createCollector(OPTIONS, it.deps);
    await collector.collect();
  }
  const [day] = await it.day();
  assert.deepEqual([day!.dayHps, day!.valid], [1_000, 30]);
  collector = createCollector(OPTIONS, it.deps);
  for (const minutes of [10, 350]) {
    await it.clock.advance(minutes * 60_000);
    await collector.collect();
  }
  const [later] = await it.day();
  // The same work over six and a half hours.
  assert.deepEqual([later!.dayHps, later!.valid], [Math.round(1_800_000 / 23_400), 30]);
  await it.clock.advance(19 * 3_600_000);
  await collector.collect();
  assert.deepEqual(await it.day(), []);
});

Deno.test("History writes each range, and leaves what nobody measured a gap", async () => {
  await using it = await world();
  const collector = createCollector(OPTIONS, it.deps);
  for (let minute = 0; minute < 70; minute++) {
    await it.mine(minute % 2 === 0 ? "rig1" : "rig2", 60_000n);
    await it.clock.advance(60_000);
    await collector.collect();
  }
  const seconds = START_MS / 1000;
  const of = async (range: "24h" | "7d", name: string, count: number) =>
    (await readSeries(it.deps, range, [name], seconds, count))[0]!.map((point) => point?.[0]);
  assert.deepEqual(await of("24h", LOGIN, 3), ["1000", "1000", "1000"]);
  const workers = await Promise.all(
    ["rig1", "rig2"].map((rig) => of("24h", `${LOGIN}:${rig}`, 12)),
  );
  const sum = workers.flat().reduce((all, one) => all + Number(one), 0);
  assert(Math.abs(sum - 12_000) <= 12, `${sum}`);
  assert.deepEqual(await of("7d", "pool", 2), ["1000", undefined]);
  // Nobody collects for a day: what the buckets have forgotten stays a gap.
  await it.clock.advance(86_400_000);
  await collector.collect();
  const later = (await readSeries(it.deps, "24h", ["pool"], seconds + 7_200, 12))[0]!;
  assert.deepEqual(later.filter((point) => point !== undefined), []);
});

Deno.test("writeSeries() keeps points as long as a chart may show them, the last one of a time", async () => {
  await using it = await world();
  const seconds = START_MS / 1000;
  for (const [range, { spanSeconds, stepSeconds }] of Object.entries(SERIES_RANGES)) {
    const name = range as keyof typeof SERIES_RANGES;
    const start = seconds - seconds % stepSeconds;
    for (const value of ["1", "2"]) {
      await writeSeries(it.deps, name, start, [{ name: "x", values: [value, ""] }]);
    }
    const [points] = await readSeries(it.deps, name, ["x"], start, 2);
    assert.deepEqual(points, [["2", ""], undefined]);
    const key = it.keys.own.series(name, Math.floor(start / spanSeconds), "x");
    const life = await it.store.command("TTL", key) as number;
    assert(life > spanSeconds && life <= 2 * spanSeconds + 3_600, `${range}: ${life}`);
  }
});

Deno.test("ShareCounts bounds what one span holds and what waits", async () => {
  await using it = await world();
  const counts = new ShareCounts(it.deps);
  for (let n = 0; n < 25_000; n++) counts.add(LOGIN, `rig${n}`, "invalid");
  await counts.flush();
  const key = it.keys.own.shareCounts(START_MS / 1000);
  assert.equal(await it.store.command("HLEN", key), 20_000);
  await counts.flush();
  assert.equal(await it.store.command("HLEN", key), 20_000);
  assert.equal(await it.store.command("HGET", key, `${LOGIN}:rig7:i`), "1");
  assert((await it.store.command("TTL", key) as number) > 0);
});

Deno.test("workBetween() and pointsOf() spread work evenly and sum workers to miners", () => {
  const bucket = {
    ...{ login: LOGIN, worker: "a", difficulty: 1_200n, lastShareSeconds: 130 },
    ...{ startSeconds: 120, endSeconds: 240 },
  };
  const sums = workBetween([bucket, { ...bucket, worker: "b" }], 180, 480);
  assert.deepEqual([...sums], [[`${LOGIN}:a`, 600], [`${LOGIN}:b`, 600]]);
  assert.equal(workBetween([bucket], 240, 540).size, 0);
  const { hashrateHps, miners, workers, points } = pointsOf(
    sums,
    300,
    new Map([[`${LOGIN}:a`, "7"]]),
  );
  assert.deepEqual([hashrateHps, miners, workers], [4, 1, 2]);
  assert.deepEqual(points, [
    { name: `${LOGIN}:a`, values: ["2", "7"] },
    { name: `${LOGIN}:b`, values: ["2", ""] },
    { name: LOGIN, values: ["4", "7"] },
  ]);
});
