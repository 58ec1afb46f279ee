/** The API over databases that quarry wrote, without sockets: shapes, errors, health, the page. */
import assert from "node:assert/strict";
import { recordCandidate, recordShares, writeNodeState } from "../ledger/mod.ts";
import { type ApiWorld, openApiWorld } from "../../tests/support/old_pool.ts";
import { DEFAULT_PAGE, inlineScripts } from "./static.ts";

const LOGIN = "0x" + "ab".repeat(20);
const NOW_MS = 1_700_000_400_000;
const OLD_HEADERS = {
  "content-type": "application/json; charset=UTF-8",
  "access-control-allow-origin": "*",
  "cache-control": "no-cache",
};

function assertOldHeaders(response: Response) {
  for (const [name, value] of Object.entries(OLD_HEADERS)) {
    assert.equal(response.headers.get(name), value);
  }
}

async function assertEmpty(response: Response, status: number) {
  assert.equal(response.status, status);
  assertOldHeaders(response);
  assert.equal(await response.text(), "");
}

async function text(world: ApiWorld, path: string): Promise<string> {
  const response = await world.get(path);
  assert.equal(response.status, 200);
  assertOldHeaders(response);
  return await response.text();
}

function share(n: number, worker = "rig1") {
  return {
    ...{ login: LOGIN, worker, height: 100, nonce: "0x" + n.toString(16).padStart(16, "0") },
    ...{ headerHash: "0x" + "cd".repeat(32), mix: "0x" + "ef".repeat(32) },
    difficulty: 6_000_000_000n,
  };
}

Deno.test("createApp() shows what quarry itself recorded, in the old shapes", async () => {
  await using world = await openApiWorld({ nowMs: NOW_MS, prefix: "etc" });
  const { store, keys, clock } = world;
  const deps = { store, keys, clock, hashrateExpirationSeconds: 10_800 };
  await recordShares(deps, "b1", [share(1)]);
  const candidate = { ...share(2), blockDifficulty: 100_000_000_000n };
  await recordCandidate(deps, "b2", candidate, NOW_MS / 1000);
  await recordShares(deps, "b3", [share(3, "rig2")]);
  await writeNodeState({ store, keys, clock }, {
    ...{ name: "main", height: 100, difficulty: 2n ** 60n },
  });
  await world.collect();
  assert.equal(
    await text(world, "/api/stats"),
    `{"candidatesTotal":1,"hashrate":30000000,"immatureTotal":0,"maturedTotal":0,"minersTotal":1,` +
      `"nodes":[{"difficulty":"1152921504606846976","height":"100","lastBeat":"1700000400",` +
      `"name":"main"}],"now":1700000400000,` +
      `"stats":{"lastBlockFound":1700000400,"roundShares":6000000000}}\n`,
  );
  assert.equal(
    await text(world, "/api/miners"),
    `{"hashrate":30000000,"miners":{"${LOGIN}":{"lastBeat":1700000400,"hr":30000000,` +
      `"offline":false}},"minersTotal":1,"now":1700000400000}\n`,
  );
  assert.equal(
    await text(world, "/api/blocks"),
    `{"candidates":[{"height":100,"timestamp":1700000400,"difficulty":100000000000,` +
      `"shares":12000000000,"uncle":false,"uncleHeight":0,"orphan":false,"hash":"","reward":""}],` +
      `"candidatesTotal":1,"immature":null,"immatureTotal":0,` +
      `"luck":{"0":{"luck":0,"orphanRate":0,"uncleRate":0}},"matured":null,"maturedTotal":0}\n`,
  );
  assert.equal(await text(world, "/api/payments"), '{"payments":null,"paymentsTotal":0}\n');
  // The address is taken in any case of its digits.
  assert.equal(
    await text(world, "/api/accounts/0x" + "AB".repeat(20)),
    `{"currentHashrate":30000000,"hashrate":30000000,"pageSize":30,"payments":null,` +
      `"paymentsTotal":0,"roundShares":6000000000,"stats":{"blocksFound":1,` +
      `"lastShare":1700000400},"workers":{"rig1":{"lastBeat":1700000400,"hr":20000000,` +
      `"offline":false,"hr2":20000000},"rig2":{"lastBeat":1700000400,"hr":10000000,` +
      `"offline":false,"hr2":10000000}},"workersOffline":0,"workersOnline":2,"workersTotal":2}\n`,
  );
});

Deno.test("createApp() writes integers beyond 2^53 exactly everywhere", async () => {
  await using world = await openApiWorld({ nowMs: NOW_MS });
  const { store, keys } = world;
  const big = 2n ** 53n + 1n;
  const tx = "0x" + "12".repeat(32);
  await store.multi([
    ["HSET", keys.stats(), "roundShares", `${big}`, "huge", `${2n ** 63n}`, "text", "a<b"],
    ["ZADD", keys.candidates(), "7", `0x1:0x2:0x3:1700000000:${big}:${big + 1n}`],
    ["ZADD", keys.immature(), "6", `5:0:0x1:0x2:1700000000:${big}:${big + 2n}:${big * 1000n}`],
    // A row of open-etc-pool-friends, with 13 fields.
    [
      "ZADD",
      keys.matured(),
      "4",
      `0:1:0x1:0x0:1700000000:${big}:${big}:${LOGIN}:${big}:w:pplns:1:2`,
    ],
    ["ZADD", keys.paymentsAll(), "1700000000", `${tx}:${LOGIN}:${big}`],
    ["ZADD", keys.paymentsAll(), "1700000001", `${tx}:${LOGIN}:${big + 1n}:21000`],
    ["ZADD", keys.paymentsOf(LOGIN), "1700000000", `${tx}:${big}`],
    ["HSET", keys.miner(LOGIN), "balance", `${big}`, "lastShare", "1700000000"],
    ["HSET", keys.roundCurrent(), LOGIN, `${big}`],
    ["HSET", keys.own.bucket(1_700_000_400), `${LOGIN}:rig1`, `${big * 600n}`],
    ["HSET", keys.own.bucket(1_700_000_400), `${LOGIN}:rig1:t`, "1700000400"],
  ]);
  await world.collect();
  const stats = await text(world, "/api/stats");
  assert(stats.includes(`"hashrate":${big},`));
  assert(
    stats.includes(`"stats":{"huge":"${2n ** 63n}","roundShares":${big},"text":"a\\u003cb"}`),
  );
  assert((await text(world, "/api/miners")).includes(`"hr":${big},`));
  const blocks = await text(world, "/api/blocks");
  assert(blocks.includes(`"difficulty":${big},"shares":${big + 1n},"uncle":false`));
  assert(blocks.includes(`"shares":${big + 2n},"uncle":true,"uncleHeight":5,"orphan":false`));
  assert(blocks.includes(`"reward":"${big * 1000n}"`));
  assert(blocks.includes(`"orphan":true,"hash":"0x0","reward":"${big}"`));
  assert.equal(
    await text(world, "/api/payments"),
    `{"payments":[{"address":"${LOGIN}","amount":${
      big + 1n
    },"timestamp":1700000001,"tx":"${tx}"},` +
      `{"address":"${LOGIN}","amount":${big},"timestamp":1700000000,"tx":"${tx}"}],` +
      `"paymentsTotal":2}\n`,
  );
  const account = await text(world, `/api/accounts/${LOGIN}`);
  for (
    const part of [
      ...[`"hashrate":${big},`, `"hr":${big},`, `"hr2":${big}}`, `"balance":${big},`],
      ...[`"roundShares":${big},`, `"payments":[{"amount":${big},"timestamp":1700000000,`],
    ]
  ) assert(account.includes(part), part);
});

Deno.test("createApp() shows only the nodes before the first snapshot", async () => {
  await using world = await openApiWorld();
  assert.equal(await text(world, "/api/stats"), '{"nodes":[]}\n');
  for (const path of ["miners", "blocks", "payments"]) {
    assert.equal(await text(world, `/api/${path}`), "{}\n");
  }
});

Deno.test("createApp() gives luck null when no window is configured", async () => {
  await using world = await openApiWorld({ api: { luckWindow: [] } });
  await world.collect();
  assert((await text(world, "/api/blocks")).includes('"luck":null'));
});

Deno.test("createApp() shows every row when payments and blocks are 0", async () => {
  await using world = await openApiWorld({ api: { payments: 0, blocks: 0 } });
  const { store, keys } = world;
  for (let n = 1; n <= 300; n++) {
    await store.command("ZADD", keys.paymentsAll(), `${n}`, `0x${n}:${LOGIN}:1`);
    await store.command("ZADD", keys.matured(), `${n}`, `0:0:0x${n}:0x${n}:1:1:1:1`);
  }
  await world.collect();
  assert.equal(JSON.parse(await text(world, "/api/payments")).payments.length, 300);
  assert.equal(JSON.parse(await text(world, "/api/blocks")).matured.length, 300);
});

Deno.test("createApp() answers unknown paths and bad logins with an empty 404", async () => {
  await using world = await openApiWorld();
  for (
    const path of [
      ...["/", "/api", "/api/stats/", "/api/stat", "/api/accounts/", "/api/accounts/0x12"],
      ...[
        `/api/accounts/0X${"ab".repeat(20)}`,
        `/api/accounts/${LOGIN}`,
        `/api/accounts/${LOGIN}/`,
      ],
    ]
  ) await assertEmpty(await world.get(path), 404);
});

Deno.test("createApp() sends a path with doubled slashes to the clean one", async () => {
  await using world = await openApiWorld();
  const response = await world.get("//api//stats?a=1");
  assert.equal(response.headers.get("location"), "/api/stats?a=1");
  await assertEmpty(response, 301);
});

Deno.test("createApp() answers every method", async () => {
  await using world = await openApiWorld();
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
    const response = await world.get("/api/stats", { method });
    assert.equal(await response.text(), '{"nodes":[]}\n');
    assertOldHeaders(response);
  }
  await assertEmpty(await world.get("/api/stats", { method: "HEAD" }), 200);
});

Deno.test("createApp() keeps an account for one collection interval", async () => {
  await using world = await openApiWorld({ nowMs: NOW_MS });
  const { store, keys } = world;
  await store.command("HSET", keys.miner(LOGIN), "balance", "1");
  const balance = async () => JSON.parse(await text(world, `/api/accounts/${LOGIN}`)).stats.balance;
  assert.equal(await balance(), 1);
  await store.command("HSET", keys.miner(LOGIN), "balance", "2");
  assert.equal(await balance(), 1);
  await world.clock.advance(5_001);
  assert.equal(await balance(), 2);
});

Deno.test("createApp() is ready with a fresh snapshot and says why when it is not", async (t) => {
  const mining = { ready: true, reason: "", sessions: 3 };
  await using world = await openApiWorld({ nowMs: NOW_MS, mining });
  const state = async () => {
    const response = await world.get("/readyz");
    const body = await response.json();
    assert.equal(response.status, body.ready ? 200 : 503);
    return body;
  };
  await t.step("before the first collection", async () => {
    assert.equal((await state()).reason, "No statistics collected yet");
  });
  await t.step("with a fresh snapshot", async () => {
    await world.collect();
    await world.clock.advance(1_000);
    assert.deepEqual(await state(), {
      ...{ ready: true, reason: "", snapshotAgeMs: 1_000, sessions: 3 },
    });
  });
  await t.step("without work", async () => {
    mining.ready = false;
    mining.reason = "no node gives work";
    assert.equal((await state()).reason, "Mining is not ready: no node gives work");
    mining.ready = true;
  });
  await t.step("when the snapshot is old", async () => {
    await world.clock.advance(30_000);
    assert.equal((await state()).reason, "The last statistics are 31 s old");
  });
});

Deno.test("createApp() serves the page under a strict policy, and nothing beside it", async () => {
  await using world = await openApiWorld({ page: DEFAULT_PAGE });
  const page = await world.get("/");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type")!, /^text\/html/);
  const html = await page.text();
  assert.match(html, /<title>/);
  const [inline] = await inlineScripts(`${DEFAULT_PAGE}/index.html`);
  assert.match(inline!, /^'sha256-[\w+/]{43}='$/);
  assert.equal(
    page.headers.get("content-security-policy"),
    `default-src 'none'; script-src 'self' ${inline}; style-src 'self'; img-src 'self'; ` +
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  assert.equal(page.headers.get("cache-control"), "no-cache");
  const [asset] = /\/assets\/main-[\w-]+\.js/.exec(html)!;
  const script = await world.get(asset, { headers: { "Accept-Encoding": "br" } });
  assert.match(script.headers.get("content-type")!, /javascript/);
  assert.equal(script.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.equal(script.headers.get("content-encoding"), "br");
  await script.body?.cancel();
  const reader = { headers: { "Accept": "text/html" } };
  assert.equal(await (await world.get("/blocks", reader)).text(), html);
  for (const path of ["/api/none", "/none.txt", "/healthz/none"]) {
    await assertEmpty(await world.get(path, reader), 404);
  }
  for (const path of ["/..%2fdeno.json", "/%2e%2e%2fdeno.json", "/.git", "/none.html", "/api"]) {
    await assertEmpty(await world.get(path), 404);
  }
  await assertEmpty(await world.get("/", { method: "POST" }), 404);
  assert.equal(await text(world, "/api/stats"), '{"nodes":[]}\n');
});
