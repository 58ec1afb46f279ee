/** `/api/v2` over databases that quarry wrote: every answer fits its schema and says what is so. */
import assert from "node:assert/strict";
import type { z } from "@hono/zod-openapi";
import {
  recordCandidate,
  recordShares,
  ShareCounts,
  type ShareRecord,
  writeNodeState,
  writeReportedHashrate,
} from "../../ledger/mod.ts";
import { type ApiWorld, openApiWorld } from "../../../tests/support/old_pool.ts";
import { NO_FACTS, type PoolFacts } from "./facts.ts";
import * as shape from "./schemas.ts";

const LOGIN = "0x" + "ab".repeat(20);
const OTHER = "0x" + "cd".repeat(20);
const START_MS = 1_700_000_400_000;
const FACTS: PoolFacts = {
  ...NO_FACTS,
  ...{ name: "Test pool", currency: "ETC", feePercent: 1, thresholdShannon: 500_000_000n },
  ...{ minThresholdShannon: 100n, depth: 120, notice: "Maintenance at noon" },
  endpoints: [{
    ...{ name: "stratum 8008", port: 8008, tls: false, scheme: "prop", difficulty: 4_000_000_000n },
    ...{ varDiff: true, dialects: "all" },
  }],
  getworkPort: 8888,
  epochSwitchIn: (height) => 30_000 - height % 30_000,
};

/** Asks, and checks that the answer is exactly what its schema says. */
async function ask<S extends z.ZodType>(
  world: ApiWorld,
  path: string,
  schema: S,
): Promise<z.infer<S>> {
  const response = await world.get(`/api/v2${path}`);
  const text = await response.text();
  assert.equal(response.status, 200, `${path}: ${text}`);
  const body = JSON.parse(text);
  assert.deepEqual(schema.parse(body), body, path);
  return body as z.infer<S>;
}

let made = 0;
function share(change: Partial<ShareRecord> = {}): ShareRecord {
  return {
    ...{ login: LOGIN, worker: "rig1", height: 100, difficulty: 6_000_000_000n },
    nonce: "0x" + (++made).toString(16).padStart(16, "0"),
    ...{ headerHash: "0x" + "11".repeat(32), mix: "0x" + "22".repeat(32) },
    ...change,
  };
}

function recordDeps(world: ApiWorld) {
  const { store, keys, clock } = world;
  return {
    ...{ store, keys, clock, hashrateExpirationSeconds: 10_800, pplnsWindowMilli: 2_000n },
  };
}

async function mine(world: ApiWorld, change: Partial<ShareRecord> = {}) {
  await recordShares(recordDeps(world), `b${++made}`, [share(change)]);
}

async function find(world: ApiWorld, change: Partial<ShareRecord> = {}) {
  const candidate = { ...share(change), blockDifficulty: 100_000_000_000n };
  const at = Math.floor(world.clock.now() / 1000);
  assert.equal(await recordCandidate(recordDeps(world), `c${++made}`, candidate, at), "recorded");
  return candidate;
}

Deno.test("createV2() answers every endpoint of an empty pool", async () => {
  await using world = await openApiWorld({ nowMs: START_MS });
  const early = await world.get("/api/v2/pool");
  assert.equal(early.status, 503);
  assert.equal((await early.json()).error.code, "no_statistics");
  const { paidShannon, paidDayShannon } = await ask(world, "/payments", shape.payments);
  assert.deepEqual([paidShannon, paidDayShannon], [null, null], "not counted is not nothing");
  await world.clock.advance(1_000);
  await world.collect();
  const pool = await ask(world, "/pool", shape.pool);
  assert.deepEqual([pool.hashrateHps, pool.miners, pool.lastBlocks, pool.network], [
    ...["0", 0],
    ...[[], null],
  ]);
  assert.deepEqual(pool.luck, [{
    ...{ blocks: 0, effortPercent: null, unclePercent: 0, orphanPercent: 0 },
  }]);
  for (const [range, points] of [["24h", 288], ["7d", 168], ["30d", 240]] as const) {
    const history = await ask(world, `/pool/history?range=${range}`, shape.poolHistory);
    assert.equal(history.series.hashrateHps.length, points);
    assert(history.series.hashrateHps.every((point) => point === null));
  }
  assert.deepEqual((await ask(world, "/miners", shape.miners)).items, []);
  assert.deepEqual((await ask(world, "/blocks", shape.blocks)).items, []);
  assert.deepEqual((await ask(world, "/payments", shape.payments)).items, []);
  await ask(world, "/status", shape.status);
  await ask(world, "/connect", shape.connect);
  assert.equal((await world.get("/api/v2/ping")).status, 204);
});

Deno.test("createV2() answers for a login that nobody knows, and refuses what is none", async () => {
  await using world = await openApiWorld({ nowMs: START_MS, facts: FACTS });
  await world.collect();
  const miner = await ask(world, `/miners/${OTHER.toUpperCase().replace("X", "x")}`, shape.miner);
  assert.equal(miner.known, false);
  assert.deepEqual(miner.workers, []);
  assert.equal(miner.address, OTHER);
  assert.equal(miner.payout.state, "below");
  for (const list of ["payments", "credits", "blocks"] as const) {
    const schema = { payments: shape.minerPayments, credits: shape.credits };
    const fits = list === "blocks" ? shape.minerBlocks : schema[list];
    const body = await ask(world, `/miners/${OTHER}/${list}`, fits as typeof shape.credits);
    assert.deepEqual([body.items, body.nextCursor], [[], null]);
  }
  const bad = await world.get("/api/v2/miners/0x12");
  assert.equal(bad.status, 400);
  assert.deepEqual((await bad.json()).error, {
    ...{ code: "bad_address", message: "address: write 0x and 40 hexadecimal digits" },
  });
  for (const query of ["limit=0", "limit=101", "before=x", "state=none", "format=xml"]) {
    const response = await world.get(`/api/v2/blocks?${query}`);
    assert.equal(response.status, 400, query);
    assert((await response.json()).error.message.startsWith(query.split("=")[0]!), query);
  }
});

Deno.test("createV2() shows a first share, its counts and what the miner reports at once", async () => {
  await using world = await openApiWorld({ nowMs: START_MS, facts: FACTS });
  const counts = new ShareCounts(world);
  await mine(world);
  counts.add(LOGIN, "rig1", "valid");
  counts.add(LOGIN, "rig1", "stale");
  counts.add(LOGIN, "rig1", "stale");
  counts.add(LOGIN, "rig2", "invalid");
  await counts.flush();
  await writeReportedHashrate(world, { login: LOGIN, worker: "rig1", hashrateHps: 12_000_000n });
  await world.collect();
  const miner = await ask(world, `/miners/${LOGIN}`, shape.miner);
  assert.equal(miner.known, true);
  assert.deepEqual(miner.hashrate, {
    ...{ shortHps: "10000000", longHps: "10000000", dayHps: "10000000", reportedHps: "12000000" },
  });
  assert.deepEqual(miner.shares, { valid: 1, stale: 2, invalid: 1 });
  assert.deepEqual(miner.workers.map(({ name, state, shares }) => ({ name, state, shares })), [
    { name: "rig1", state: "online", shares: { valid: 1, stale: 2, invalid: 0 } },
    { name: "rig2", state: "silent", shares: { valid: 0, stale: 0, invalid: 1 } },
  ]);
  assert.equal(miner.round.percent, 100);
  const pool = await ask(world, "/pool", shape.pool);
  assert.deepEqual([pool.hashrateHps, pool.miners, pool.workers], ["10000000", 1, 1]);
  assert.deepEqual((await ask(world, "/miners", shape.miners)).items, [{
    ...{ address: LOGIN, hashrateHps: "10000000", lastShareAtMs: START_MS, offline: false },
  }]);
});

Deno.test("createV2() marks workers silent after half a window and offline after a whole one", async () => {
  await using world = await openApiWorld({ nowMs: START_MS, facts: FACTS });
  await mine(world);
  const state = async () => {
    await world.collect();
    const miner = await ask(world, `/miners/${LOGIN}`, shape.miner);
    return [miner.workers[0]!.state, miner.workersOnline];
  };
  assert.deepEqual(await state(), ["online", 1]);
  await world.clock.advance(905_000);
  assert.deepEqual(await state(), ["silent", 0]);
  await world.clock.advance(900_000);
  assert.deepEqual(await state(), ["offline", 0]);
});

Deno.test("createV2() counts a pplns block's effort from the block before, not by its window", async () => {
  await using world = await openApiWorld({ nowMs: START_MS, facts: { ...FACTS, scheme: "pplns" } });
  const pplns = { scheme: "pplns", blockDifficulty: 100_000_000_000n } as const;
  await mine(world, { ...pplns, difficulty: 40_000_000_000n });
  await find(world, { ...pplns, height: 100, difficulty: 10_000_000_000n });
  await world.clock.advance(60_000);
  await mine(world, { ...pplns, login: OTHER, difficulty: 20_000_000_000n });
  await find(world, { ...pplns, height: 101, difficulty: 10_000_000_000n });
  await mine(world, { ...pplns, difficulty: 25_000_000_000n });
  await writeNodeState(world, { name: "main", height: 102, difficulty: 100_000_000_000n });
  await world.collect();
  const { items } = await ask(world, "/blocks", shape.blocks);
  assert.deepEqual(
    items.map(({ height, finder, scheme, shares, effortPercent, roundSeconds, confirmations }) => [
      ...[height, finder, scheme, shares, effortPercent, roundSeconds, confirmations],
    ]),
    [
      [101, LOGIN, "pplns", "30000000000", 30, 60, 1],
      [100, LOGIN, "pplns", "50000000000", 50, null, 2],
    ],
  );
  const pool = await ask(world, "/pool", shape.pool);
  assert.deepEqual(pool.round, {
    ...{ effortPercent: 25, shares: "25000000000", startedAtMs: START_MS + 60_000 },
    // 105 · 10⁹ hashes of work over the least time of 600 s.
    expectedSeconds: 571,
  });
  assert.equal(pool.chain.epochSwitchInBlocks, 29_898);
  const found = await ask(world, `/miners/${LOGIN}/blocks?limit=1`, shape.minerBlocks);
  assert.deepEqual(found.items.map(({ height }) => height), [101]);
  const next = await ask(
    world,
    `/miners/${LOGIN}/blocks?limit=1&before=${found.nextCursor}`,
    shape.minerBlocks,
  );
  assert.deepEqual([next.items.map(({ height }) => height), next.nextCursor], [[100], null]);
});

Deno.test("createV2() counts a solo block's effort by its finder's shares alone", async () => {
  await using world = await openApiWorld({ nowMs: START_MS });
  await mine(world, { difficulty: 30_000_000_000n });
  await mine(world, { login: OTHER, scheme: "solo", difficulty: 5_000_000_000n });
  await find(world, { login: OTHER, scheme: "solo", difficulty: 1_000_000_000n });
  await find(world, { height: 101, difficulty: 10_000_000_000n });
  await world.collect();
  const { items } = await ask(world, "/blocks?state=candidate", shape.blocks);
  assert.deepEqual(items.map(({ scheme, shares, finder }) => [scheme, shares, finder]), [
    ["prop", "40000000000", LOGIN],
    ["solo", "6000000000", OTHER],
  ]);
});

Deno.test("createV2() charts what was mined, with gaps where nobody measured", async () => {
  await using world = await openApiWorld({ nowMs: START_MS });
  await writeNodeState(world, { name: "main", height: 102, difficulty: 7n });
  for (let minute = 0; minute < 20; minute++) {
    await mine(world);
    await world.clock.advance(60_000);
    await world.collect();
  }
  const history = await ask(world, "/pool/history", shape.poolHistory);
  const points = history.series.hashrateHps.filter((point) => point !== null);
  // 6 · 10⁹ a minute.
  assert.deepEqual(points.slice(0, 2), ["100000000", "100000000"]);
  assert.deepEqual(history.series.miners.filter((point) => point !== null), points.map(() => 1));
  assert(history.series.difficulty.includes("7"));
  const of = async (query: string) =>
    (await ask(world, `/miners/${LOGIN}/history?${query}`, shape.minerHistory)).series.hashrateHps;
  assert.deepEqual(await of(""), history.series.hashrateHps);
  assert.deepEqual(await of("worker=rig1"), history.series.hashrateHps);
  const none = await of("worker=rig2");
  assert(none.includes("0") && none.includes(null) && !none.includes("100000000"));
});

Deno.test("createV2() shows what stands between a miner and its payment", async () => {
  await using world = await openApiWorld({ nowMs: START_MS, facts: FACTS });
  const { store, keys } = world;
  const payout = async () => {
    await world.clock.advance(6_000);
    return (await ask(world, `/miners/${LOGIN}`, shape.miner)).payout;
  };
  await store.command("HSET", keys.miner(LOGIN), "balance", "499999999", "paid", "7");
  assert.equal((await payout()).state, "below");
  await store.command("HSET", keys.miner(LOGIN), "balance", "500000000");
  assert.equal((await payout()).state, "due");
  const halted = { state: "halted", reason: "x", mend: "y", sinceMs: 1 };
  await store.command("HSET", keys.own.status(), "payer", JSON.stringify(halted));
  assert.equal((await payout()).state, "halted");
  await store.command("SADD", keys.own.paymentsHeld(), LOGIN);
  assert.equal((await payout()).state, "held");
  await store.multi([
    ["HSET", keys.own.paymentsOpenByLogin(), LOGIN, "p1"],
    ["ZADD", keys.own.paymentsOpen(), "1", "p1"],
    [
      ...["HSET", keys.own.payment("p1"), "id", "p1", "login", LOGIN, "amountShannon", "5"],
      ...["state", "sent", "reservedAt", "1700000000", "hash", "0x12"],
    ],
  ]);
  assert.equal((await payout()).state, "underWay");
  for (const path of [`/miners/${LOGIN}/payments`, "/payments"]) {
    const { items } = await ask(
      world,
      path,
      path === "/payments"
        ? shape.payments
        : shape.minerPayments as unknown as typeof shape.payments,
    );
    assert.deepEqual(items[0], {
      ...{ atMs: 1_700_000_000_000, address: LOGIN, amountShannon: "5", transaction: "0x12" },
      ...{ state: "sent", confirmations: null, reason: null },
    });
  }
});

Deno.test("createV2() shows a miner its failed payments among the others, each once", async () => {
  await using world = await openApiWorld({ nowMs: START_MS, facts: FACTS });
  const { store, keys } = world;
  await world.collect();
  const reason = "Transaction 0x12 failed in block 9";
  for (const at of [50, 40, 30, 20, 10]) {
    await store.command("ZADD", keys.paymentsOf(LOGIN), `${at}`, `0x${at}:1`);
  }
  for (const at of [55, 40, 35, 5]) {
    const id = `f${at}`;
    await store.multi([
      ["ZADD", keys.own.paymentsFailedOf(LOGIN), `${at}`, id],
      [
        ...["HSET", keys.own.payment(id), "id", id, "login", LOGIN, "amountShannon", "7"],
        ...["state", at === 5 ? "displaced" : "reverted", "hash", "0x12", "reason", reason],
      ],
    ]);
  }
  const path = `/miners/${LOGIN}/payments`;
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: z.infer<typeof shape.minerPayments> = await ask(
      world,
      `${path}?limit=2${cursor && `&before=${cursor}`}`,
      shape.minerPayments as unknown as typeof shape.payments,
    );
    seen.push(...page.items.map(({ atMs, state }) => `${atMs / 1000} ${state}`));
    cursor = page.nextCursor;
  }
  assert.deepEqual(seen, [
    ...["55 reverted", "50 paid", "40 paid", "40 reverted", "35 reverted"],
    ...["30 paid", "20 paid", "10 paid", "5 displaced"],
  ]);
  const csv = await (await world.get(`/api/v2${path}?format=csv`)).text();
  assert.match(csv.split("\r\n")[0]!, /,state,confirmations,reason$/);
  assert.equal(
    csv.split("\r\n")[1],
    `55000,${LOGIN},7,0x12,reverted,,${reason}`,
  );
});

Deno.test("createV2() says how to connect, and what runs", async () => {
  await using world = await openApiWorld({ nowMs: START_MS, facts: FACTS });
  await world.collect();
  const asked = await world.get("/api/v2/connect", { headers: { host: "pool.example:8080" } });
  const connect = shape.connect.parse(await asked.json());
  assert.equal(connect.endpoints[0]!.host, "pool.example");
  assert.equal(connect.getwork?.url, "http://pool.example:8888/{address}/{worker}");
  assert.deepEqual([connect.endpoints[0]!.region, connect.endpoints[0]!.ping], [null, null]);
  const evil = await world.get("/api/v2/connect", { headers: { host: 'a"><script>' } });
  assert.equal(shape.connect.parse(await evil.json()).endpoints[0]!.host, "localhost");
  const { parts } = await ask(world, "/status", shape.status);
  assert.deepEqual(Object.fromEntries(parts.map(({ name, state }) => [name, state])), {
    ...{ stratum: "off", nodes: "off", redis: "ok", unlocker: "off", payer: "off", stats: "ok" },
  });
});

Deno.test("createV2() judges statistics and nodes by how often they are to come", async () => {
  await using world = await openApiWorld({
    ...{ nowMs: START_MS, api: { statsCollectIntervalMs: 120_000 } },
    facts: { ...FACTS, nodeBeatMs: 100_000 },
  });
  await world.collect();
  await writeNodeState(world, { name: "a", height: 5, difficulty: 7n });
  const at = async (ms: number) => {
    await world.clock.advance(START_MS + ms - world.clock.now());
    const { parts } = await ask(world, "/status", shape.status);
    const of = (name: string) => parts.find((part) => part.name === name)!.state;
    return [of("nodes"), of("stats")];
  };
  assert.deepEqual(await at(200_000), ["ok", "ok"]);
  assert.deepEqual(await at(320_000), ["away", "ok"]);
  assert.deepEqual(await at(380_000), ["away", "away"]);
});

Deno.test("createV2() reads as much for a page of an old pool as of a new one", async () => {
  const reads = async (blocks: number, payments: number) => {
    await using world = await openApiWorld({ nowMs: START_MS, facts: FACTS });
    const { store, keys } = world;
    for (let n = 1; n <= blocks; n++) {
      await store.command("ZADD", keys.matured(), `${n}`, `0:0:0x${n}:0x${n}:1:1:1:1`);
    }
    for (let n = 1; n <= payments; n++) {
      await store.command("ZADD", keys.paymentsAll(), `${n}`, `0x${n}:${LOGIN}:1`);
      await store.command("ZADD", keys.paymentsOf(LOGIN), `${n}`, `0x${n}:1`);
    }
    await mine(world);
    await world.collect();
    world.commands.length = 0;
    const counts: Record<string, number> = {};
    for (
      const path of [
        ...["pool", "pool/history", "miners", "blocks", "payments", `miners/${LOGIN}`],
        ...[`miners/${LOGIN}/history`, `miners/${LOGIN}/payments`],
      ]
    ) {
      await (await world.get(`/api/v2/${path}`)).text();
      counts[path] = world.commands.splice(0).length;
    }
    return counts;
  };
  const few = await reads(60, 60);
  assert.deepEqual(await reads(600, 600), few);
  for (const [path, count] of Object.entries(few)) assert(count <= 14, `${path}: ${count}`);
});
