/** The Deno worker of statistics, started as the pool starts it. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { createKeys, openStore, readPoolSnapshot } from "../ledger/mod.ts";
import { supervise, type Supervised } from "../workers/mod.ts";
import { apiConfig } from "../../tests/support/api_config.ts";
import { startRedis } from "../../tests/support/redis.ts";
import type { StatsWorkerOptions } from "./options.ts";

Deno.test("worker.ts collects at once and ends when it is told to", async () => {
  await using redis = await startRedis();
  const connection = { endpoint: redis.endpoint, database: 0, password: "" };
  const options: StatsWorkerOptions = {
    ...{ prefix: "etc", redis: connection, logLevel: "error", instance: "main" },
    ...{ api: apiConfig({ statsCollectIntervalMs: 50 }), nodeBeatMs: 3_000 },
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
