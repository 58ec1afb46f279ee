/** Verdicts on servers of each kind, and on real ones: plain, durable, with a replica. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";

import { freePort, until } from "../../tests/support/process.ts";
import { judgeRedis, readRedisFacts, type RedisFacts } from "./durability.ts";
import { openStore } from "./redis.ts";

const SAFE: RedisFacts = {
  ...{ version: "7.0.15", role: "master", connectedReplicas: 0 },
  config: { appendonly: "yes", appendfsync: "always", "maxmemory-policy": "noeviction" },
  ...{ aofWriteStatus: "ok", rdbSaveStatus: "ok", usedMemory: 1, maxMemory: 0, timeMs: 0 },
};

function troubles(change: Partial<RedisFacts>, config = {}, waitReplicas = 0): string[] {
  const facts = { ...SAFE, config: { ...SAFE.config!, ...config }, ...change };
  return judgeRedis(facts, waitReplicas).filter(({ state }) => state !== "ok")
    .map(({ state, finding, mend }) => `${state}: ${finding} > ${mend}`);
}

Deno.test("judgeRedis() is content with a durable server", () => {
  assert.deepEqual(troubles({}), []);
});

Deno.test("judgeRedis() names each way to lose a write, and the mend", () => {
  const cases: [string[], RegExp][] = [
    [troubles({ version: "5.0.7" }), /^fail: Redis 5\.0\.7 is too old > install 6\.2/],
    [troubles({ role: "slave" }), /^fail: Redis is a slave/],
    [troubles({}, { appendonly: "no" }), /^fail: .*no append-only file.*CONFIG SET appendonly yes/],
    [troubles({}, { appendfsync: "everysec" }), /^fail: appendfsync is everysec: a power cut/],
    [troubles({}, { "no-appendfsync-on-rewrite": "yes" }), /^fail: no-appendfsync-on-rewrite/],
    [troubles({ aofWriteStatus: "err" }), /^fail: .*could not write its append-only file/],
    [troubles({ rdbSaveStatus: "err" }), /^fail: .*snapshot/],
    [
      troubles({ maxMemory: 100 }, { "maxmemory-policy": "allkeys-lru" }),
      /^fail: maxmemory-policy is allkeys-lru.*noeviction/,
    ],
    [troubles({ maxMemory: 100, usedMemory: 81 }), /^fail: Redis uses 81 % of maxmemory/],
    [troubles({}, {}, 1), /^fail: redis\.waitReplicas is 1, 0 replicas/],
  ];
  for (const [found, expected] of cases) {
    assert.equal(found.length, 1, found.join("; "));
    assert.match(found[0]!, expected);
  }
  assert.match(troubles({ connectedReplicas: 1 })[0]!, /^note: 1 replicas, but redis.waitReplicas/);
  assert.match(troubles({ connectedReplicas: 1 }, {}, 1)[0]!, /^note: min-replicas-to-write is 0/);
  const { config: _, ...hidden } = SAFE;
  assert.match(judgeRedis(hidden, 0)[1]!.finding, /does not show its settings/);
});

Deno.test("readRedisFacts() sees what real servers are set to", async () => {
  const port = freePort();
  await using master = await startRedis({ durable: true, port });
  await using replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(port)] });
  const [one, two] = await Promise.all(
    [master, replica].map(({ endpoint }) =>
      openStore({ endpoint, database: 0, password: "" }, { log: silentLogger })
    ),
  );
  try {
    await until(
      "the replica is connected",
      async () => (await readRedisFacts(one!)).connectedReplicas === 1,
    );
    const facts = await readRedisFacts(one!);
    assert.ok(Math.abs(facts.timeMs - Date.now()) < 60_000);
    assert.deepEqual(
      judgeRedis(facts, 1).filter(({ state }) => state === "fail"),
      [],
    );
    const copy = judgeRedis(await readRedisFacts(two!), 0).map(({ finding }) => finding).join();
    assert.match(copy, /is a slave/);
    assert.match(copy, /no append-only file/);
  } finally {
    await one!.close();
    await two!.close();
  }
});
