/** Collections over real databases: quarry's own, an old pool's going over, and a lost one. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord, silentLogger } from "../base/mod.ts";
import {
  createKeys,
  openStore,
  readMinersSnapshot,
  readPoolSnapshot,
  readWorkerRates,
  recordShares,
  type Store,
} from "../ledger/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { createCollector } from "./collect.ts";
import { runStats } from "./run.ts";

const LOGIN = "0x" + "11".repeat(20);
const OTHER = "0x" + "22".repeat(20);
const OPTIONS = {
  ...{ hashrateWindowMs: 1_800_000, hashrateLargeWindowMs: 10_800_000 },
  ...{ luckWindow: [64, 128], payments: 30, blocks: 50 },
};
const START_MS = 1_700_000_400_000;

async function world(log = silentLogger) {
  const redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const commands: string[][] = [];
  const watched: Store = {
    ...store,
    command: (...args) => (commands.push(args), store.command(...args)),
  };
  const clock = new FakeClock(START_MS);
  const keys = createKeys("etc");
  const deps = { store: watched, keys, clock, log };
  let batch = 0;
  return {
    ...{ redis, store, keys, clock, commands, deps, collector: createCollector(OPTIONS, deps) },
    /** Records one share at the clock's time. */
    async mine(login: string, worker: string, difficulty: bigint) {
      const nonce = "0x" + (++batch).toString(16).padStart(16, "0");
      const [headerHash, mix] = ["0x" + "ab".repeat(32), "0x" + "cd".repeat(32)];
      const share = { login, worker, height: 100, nonce, headerHash, mix, difficulty };
      await recordShares({ ...deps, store, hashrateExpirationSeconds: 10_800 }, `b${batch}`, [
        share,
      ]);
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

Deno.test("Collector.collect() shows numbers with the first share", async () => {
  await using it = await world();
  const empty = await it.collector.collect();
  assert.equal(empty.hashrateHps, 0n);
  await it.mine(LOGIN, "rig1", 6_000_000n);
  await it.collector.collect();
  const snapshot = await readMinersSnapshot(it.deps);
  assert.deepEqual(snapshot?.miners, [{
    ...{ login: LOGIN, lastShareSeconds: START_MS / 1000, hashrateHps: 10_000n, offline: false },
  }]);
  assert.deepEqual(await readWorkerRates(it.deps, LOGIN), [{
    ...{ worker: "rig1", lastShareSeconds: START_MS / 1000, hashrateHps: 10_000n },
    ...{ largeHashrateHps: 10_000n, offline: false },
  }]);
});

Deno.test("Collector.collect() adds the old pool's shares to quarry's own", async () => {
  await using it = await world();
  const seconds = START_MS / 1000;
  for (const [ago, difficulty, rest] of [[2_000, 7_000, ""], [100, 3_000, ":5000:host"]] as const) {
    const at = seconds - ago;
    await it.store.command(
      "ZADD",
      it.keys.hashrateOf(LOGIN),
      `${at}`,
      `${difficulty}:old:${at}000${rest}`,
    );
    if (ago > 1_800) continue;
    const member = `${difficulty}:${LOGIN}:old:${at}000${rest}`;
    await it.store.command("ZADD", it.keys.hashrate(), `${at}`, member);
  }
  await it.mine(LOGIN, "new", 6_000_000n);
  const pool = await it.collector.collect();
  assert.equal(pool.hashrateHps, 6_003_000n / 600n);
  const [fresh, old] = await readWorkerRates(it.deps, LOGIN);
  assert.deepEqual([fresh!.worker, fresh!.hashrateHps], ["new", 10_000n]);
  // Both old rows lie in the large window, one in the small one, 2,000 s since the first.
  assert.deepEqual([old!.hashrateHps, old!.largeHashrateHps], [3_000n / 1_800n, 10_000n / 2_000n]);
});

Deno.test("Collector.collect() finds what an old pool that still runs adds", async () => {
  await using it = await world();
  const add = async (difficulty: bigint) => {
    const seconds = it.clock.now() / 1000;
    const member = `${difficulty}:${OTHER}:rig:${seconds}000`;
    await it.store.command("ZADD", it.keys.hashrate(), `${seconds}`, member);
  };
  await add(600_000n);
  assert.equal((await it.collector.collect()).hashrateHps, 1_000n);
  await it.clock.advance(120_000);
  await add(300_000n);
  assert.equal((await it.collector.collect()).hashrateHps, 1_500n);
  await it.clock.advance(10_000);
  assert.equal((await it.collector.collect()).hashrateHps, 1_500n);
  await it.clock.advance(10_800_000);
  await it.collector.collect();
  assert.deepEqual(await readWorkerRates(it.deps, OTHER), []);
});

Deno.test("Collector.collect() reads closed buckets once", async () => {
  await using it = await world();
  const bucketReads = () =>
    it.commands.splice(0).filter(([name, key]) => name === "HGETALL" && key!.includes(":hashrate:"))
      .length;
  await it.mine(LOGIN, "rig1", 6_000_000n);
  await it.collector.collect();
  // What the longest slot of the history needs is more than the large window.
  assert.equal(bucketReads(), 94);
  await it.clock.advance(600_000);
  await it.mine(LOGIN, "rig1", 6_000_000n);
  assert.equal((await it.collector.collect()).hashrateHps, 12_000_000n / 600n);
  bucketReads();
  await it.clock.advance(5_000);
  assert.equal((await it.collector.collect()).hashrateHps, 12_000_000n / 605n);
  assert(bucketReads() <= 2);
});

Deno.test("Collector.collect() forgets miners when their shares have aged out", async () => {
  await using it = await world();
  await it.mine(LOGIN, "rig1", 6_000_000n);
  await it.collector.collect();
  // Another process takes over: it must find what the first one wrote.
  const successor = createCollector(OPTIONS, it.deps);
  await it.clock.advance(10_800_000 + 240_000);
  await it.mine(OTHER, "rig2", 6_000_000n);
  await successor.collect();
  const key = it.keys.own.snapshotMiners();
  assert.deepEqual(await it.store.command("HKEYS", key), [OTHER]);
});

Deno.test("Collector.collect() leaves an unreadable row out and says so", async () => {
  const records: LogRecord[] = [];
  await using it = await world(createLogger((record) => records.push(record), "stats"));
  await it.store.command("ZADD", it.keys.candidates(), "5", "not:a:row");
  await it.store.command("ZADD", it.keys.candidates(), "6", "0x1:0x2:0x3:1700000000:100:50");
  const pool = await it.collector.collect();
  assert.deepEqual(pool.candidates.map(({ height }) => height), [6]);
  assert.equal(pool.candidatesTotal, 2);
  await it.collector.collect();
  assert.deepEqual(records.map(({ event }) => event), ["stats.rowsUnreadable"]);
});

Deno.test("runStats() keeps the old snapshot when a collection fails, and recovers", async () => {
  const records: LogRecord[] = [];
  await using it = await world(createLogger((record) => records.push(record), "stats"));
  const end = new AbortController();
  const times = { statsCollectIntervalMs: 5_000, purgeIntervalMs: 600_000 };
  let fail = false;
  let collections = 0;
  const waiting: (() => void)[] = [];
  const collector = {
    ...it.collector,
    async collect() {
      try {
        if (fail) await it.store.command("HGETALL", it.keys.own.snapshot("pool"));
        return await it.collector.collect();
      } finally {
        collections++;
        waiting.splice(0).forEach((wake) => setTimeout(wake, 0));
      }
    },
  };
  const running = runStats(times, { ...it.deps, collector }, end.signal);
  const next = async (count: number) => {
    while (collections < count) await new Promise<void>((wake) => waiting.push(wake));
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  await next(1);
  fail = true;
  for (const count of [2, 3]) {
    await it.clock.advance(5_000);
    await next(count);
  }
  assert.equal((await readPoolSnapshot(it.deps))?.collectedAtMs, START_MS);
  fail = false;
  await it.clock.advance(5_000);
  await next(4);
  assert.equal((await readPoolSnapshot(it.deps))?.collectedAtMs, START_MS + 15_000);
  end.abort(new Error("stopped"));
  await running;
  assert.deepEqual(
    records.map(({ event }) => event),
    ["stats.notCollected", "stats.collectedAgain"],
  );
});
