/** `/api/v2`: what the payer, the share path and the statistics leave for it, and null before. */
import assert from "node:assert/strict";
import { networkOf } from "../../chain/mod.ts";
import { recordShares, ShareCounts, writeNodeState, writeStatus } from "../../ledger/mod.ts";
import { type ApiWorld, openApiWorld } from "../../../tests/support/old_pool.ts";
import { NO_FACTS } from "./facts.ts";
import * as shape from "./schemas.ts";

const LOGIN = "0x" + "ab".repeat(20);
const START_MS = 1_700_000_400_000;

/** Asks at a time at which nothing is kept any more. */
async function ask(world: ApiWorld, path: string) {
  await world.clock.advance(6_000);
  const response = await world.get(`/api/v2${path}`);
  assert.equal(response.status, 200, path);
  return await response.json();
}

Deno.test("createV2() says when the payer runs next, once it has said so", async () => {
  await using world = await openApiWorld({ nowMs: START_MS });
  await world.collect();
  const next = async () => [
    shape.payments.parse(await ask(world, "/payments")).nextRunAtMs,
    shape.miner.parse(await ask(world, `/miners/${LOGIN}`)).payout.nextRunAtMs,
  ];
  assert.deepEqual(await next(), [null, null]);
  const nextRunAtMs = START_MS + 7_200_000;
  const waiting = { state: "waiting", reason: "next run", mend: "", sinceMs: 1 } as const;
  await writeStatus(world, "payer", { ...waiting, nextRunAtMs });
  assert.deepEqual(await next(), [nextRunAtMs, nextRunAtMs]);
  // Waiting with nothing to mend is how a payer works.
  const payer = shape.status.parse(await ask(world, "/status")).parts
    .find(({ name }) => name === "payer")!;
  assert.deepEqual([payer.state, payer.reason, payer.mend], ["ok", "next run", ""]);
});

Deno.test("createV2() shows a worker's difficulty and dialect as its last share had them", async () => {
  await using world = await openApiWorld({ nowMs: START_MS });
  const counts = new ShareCounts(world);
  const terms = (difficulty: bigint) => ({ difficulty, dialect: "eth-proxy" });
  counts.add(LOGIN, "rig1", "valid", terms(4_000n));
  counts.add(LOGIN, "rig1", "valid", terms(8_000n));
  counts.add(LOGIN, "rig2", "stale", terms(8_000n));
  await counts.flush();
  await world.collect();
  const workers = async () =>
    shape.miner.parse(await ask(world, `/miners/${LOGIN}`)).workers
      .map(({ name, difficulty, dialect }) => [name, difficulty, dialect]);
  const shown = [["rig1", "8000", "eth-proxy"], ["rig2", null, null]];
  assert.deepEqual(await workers(), shown);
  // Unchanged terms are not written again.
  const key = world.keys.own.shareCounts(START_MS / 1000);
  await world.store.command("HDEL", key, `${LOGIN}:rig1:d`);
  counts.add(LOGIN, "rig1", "valid", terms(8_000n));
  await counts.flush();
  assert.equal(await world.store.command("HEXISTS", key, `${LOGIN}:rig1:d`), 0);
  // A worker that is silent since keeps them.
  await world.clock.advance(3_600_000);
  await world.collect();
  assert.deepEqual(await workers(), shown);
});

Deno.test("createV2() counts orphans where they lie, also when one is settled late", async () => {
  await using world = await openApiWorld({ nowMs: START_MS });
  const { store, keys } = world;
  const add = (key: string, height: number, orphan: boolean) =>
    store.command("ZADD", key, `${height}`, `0:${orphan ? 1 : 0}:0x${height}:0x${height}:1:1:1:1`);
  for (let height = 1; height <= 3_000; height++) {
    await add(keys.matured(), height * 2, height % 100 === 0);
  }
  await add(keys.immature(), 9_001, true);
  await add(keys.immature(), 9_002, false);
  const counts = async () => {
    await world.collect();
    return shape.blocks.parse(await ask(world, "/blocks")).counts;
  };
  assert.deepEqual(await counts(), { candidate: 0, immature: 1, matured: 2_970, orphaned: 31 });
  await add(keys.matured(), 9_003, true);
  await add(keys.matured(), 7, true);
  await world.clock.advance(60_000);
  assert.deepEqual(await counts(), { candidate: 0, immature: 1, matured: 2_970, orphaned: 33 });
  // Before the next collection the immature orphan is settled, and its neighbour credited.
  await store.command("DEL", keys.immature());
  await world.clock.advance(10_000);
  const settled = shape.blocks.parse(await ask(world, "/blocks")).counts;
  assert.deepEqual(settled, { candidate: 0, immature: 0, matured: 2_970, orphaned: 33 });
});

Deno.test("createV2() shows what worked in each five minutes: the worst that was seen", async () => {
  await using world = await openApiWorld({ nowMs: START_MS });
  const loop = (state: "running" | "halted") =>
    writeStatus(world, "unlocker", { state, reason: "", mend: "", sinceMs: 1 });
  const minute = async () => {
    await world.collect();
    await world.clock.advance(60_000);
  };
  await writeNodeState(world, { name: "main", height: 1, difficulty: 7n });
  await loop("running");
  for (let i = 0; i < 5; i++) await minute();
  await loop("halted");
  await minute();
  await loop("running");
  for (let i = 0; i < 5; i++) await minute();
  await world.clock.advance(200_000);
  await world.collect();
  const { series } = shape.statusHistory.parse(await ask(world, "/status/history"));
  const seen = (of: (string | null)[]) => of.filter((one) => one !== null);
  assert.equal(series.payer.length, 288);
  assert.deepEqual(seen(series.unlocker), ["ok", "halted"]);
  // The node's last word was more than a minute ago by then.
  assert.deepEqual(seen(series.nodes), ["away", "away"]);
  assert.deepEqual(seen(series.stats), ["ok", "ok"]);
  assert.deepEqual(seen(series.payer), []);
});

Deno.test("createV2() names a test network, and the operator's colour", async () => {
  const accent = { light: "#8a1c5a", dark: "#ff9ad2" };
  const pool = async (name: string) => {
    const facts = { ...NO_FACTS, network: networkOf(name), accent };
    await using world = await openApiWorld({ nowMs: START_MS, facts });
    await world.collect();
    return shape.pool.parse(await ask(world, "/pool"));
  };
  const mordor = await pool("mordor");
  assert.deepEqual([mordor.network?.testnet, mordor.accent], [true, accent]);
  assert.equal((await pool("classic")).network?.testnet, false);
});

Deno.test("a restart of the statistics gives the same numbers", async () => {
  await using world = await openApiWorld({ nowMs: START_MS });
  const counts = new ShareCounts(world);
  let made = 0;
  for (let minute = 0; minute < 200; minute++) {
    for (const worker of ["rig1", ...(minute % 3 === 0 ? ["rig2"] : [])]) {
      const nonce = "0x" + (++made).toString(16).padStart(16, "0");
      await recordShares({ ...world, hashrateExpirationSeconds: 10_800 }, `b${made}`, [{
        ...{ login: LOGIN, worker, height: 100, nonce, difficulty: 6_000_000_000n },
        ...{ headerHash: "0x" + "11".repeat(32), mix: "0x" + "22".repeat(32) },
      }]);
      counts.add(LOGIN, worker, "valid", { difficulty: 4_000n, dialect: "eth-proxy" });
    }
    await counts.flush();
    await world.clock.advance(60_000);
    if (minute % 2 === 0) await world.collect();
  }
  const numbers = async () => {
    await world.collect();
    const keys = [world.keys.own.snapshotMiners(), world.keys.own.workerDays()];
    return await Promise.all(keys.map((key) => world.store.command("HGET", key, LOGIN)));
  };
  const before = await numbers();
  assert.match(String(before[1]), /"dialect":"eth-proxy"/);
  world.restart();
  assert.deepEqual(await numbers(), before);
});
