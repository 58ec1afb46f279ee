/** The Deno worker of statistics, started as the pool starts it. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { createKeys, openStore, readPoolSnapshot } from "../ledger/mod.ts";
import { supervise, type Supervised } from "../workers/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import type { StatsWorkerOptions } from "./options.ts";

Deno.test("worker.ts collects at once and ends when it is told to", async () => {
  await using redis = await startRedis();
  const connection = { endpoint: redis.endpoint, database: 0, password: "" };
  const options: StatsWorkerOptions = {
    ...{ prefix: "etc", redis: connection, logLevel: "error", instance: "main" },
    api: {
      ...{ cors: [], rateLimit: 0, poolName: "", publicHost: "", notice: "" },
      ...{ enabled: true, listen: { hostname: "127.0.0.1", port: 0 }, purgeOnly: false },
      ...{
        settingsCooldownMs: 3_600_000,
        statsCollectIntervalMs: 50,
        purgeIntervalMs: 600_000,
        luckWindow: [64],
      },
      ...{ hashrateWindowMs: 1_800_000, hashrateLargeWindowMs: 10_800_000 },
      ...{ payments: 30, blocks: 50 },
    },
  };
  const startedAtMs = Date.now();
  const worker: Supervised<never> = supervise({
    ...{ name: "stats", options, url: new URL("./worker.ts", import.meta.url) },
    ...{ onEvent: () => {}, onHung: () => {} },
  }, { log: silentLogger, sink: () => {}, clock: systemClock });
  const store = await openStore(connection, { log: silentLogger });
  const deps = { store, keys: createKeys("etc") };
  let snapshot = await readPoolSnapshot(deps);
  while (snapshot === undefined) snapshot = await readPoolSnapshot(deps);
  assert(snapshot.collectedAtMs >= startedAtMs);
  assert.equal(await worker.stop(5_000), true);
  await store.close();
});
