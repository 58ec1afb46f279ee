/** Notes of the mining side on a real redis-server. */
import assert from "node:assert/strict";
import { FakeClock, silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { createKeys } from "./keys.ts";
import { writeReportedHashrate } from "./mining.ts";
import { openStore } from "./redis.ts";

Deno.test("writeReportedHashrate() keeps a bounded number of workers for a bounded time", async () => {
  await using redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const keys = createKeys("etc"), clock = new FakeClock();
  const report = (n: number, hashrateHps: bigint) =>
    writeReportedHashrate({ store, keys, clock, workersMax: 2 }, {
      ...{ login: "0x" + String(n).repeat(40), worker: "rig", hashrateHps },
    });
  for (const n of [1, 2, 3]) await report(n, 5n);
  await store.command("EXPIRE", keys.own.reported(), "77");
  await report(1, 6n);
  assert.equal(await store.command("HLEN", keys.own.reported()), 2);
  const field = `0x${"1".repeat(40)}:rig`;
  assert.match(String(await store.command("HGET", keys.own.reported(), field)), /^6:/);
  assert.ok(Number(await store.command("TTL", keys.own.reported())) <= 77);
  await store.close();
});
