/** The API while Redis is away: the last snapshot stays, accounts fail, nothing needs a restart. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { type ApiWorld, openApiWorld } from "../../tests/support/old_pool.ts";
import { apiConfig } from "../../tests/support/api_config.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { type ApiOptions, serveApi } from "./server.ts";

// The Redis client's own reconnect timer outlives destroy() by one delay.
const LOSES_REDIS = { sanitizeOps: false, sanitizeResources: false };
const LOGIN = "0x" + "ab".repeat(20);
const NOW_MS = 1_700_000_400_000;
const DEPS = { log: silentLogger, clock: systemClock, mining: () => undefined };

function options(endpoint: string): ApiOptions {
  return {
    ...{ prefix: "etc", logLevel: "info", instance: "main" },
    redis: { endpoint, database: 0, password: "" },
    api: apiConfig(),
  };
}

async function text(world: ApiWorld, path: string): Promise<string> {
  const response = await world.get(path);
  assert.equal(response.status, 200);
  return await response.text();
}

async function statsAt(port: number): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}/api/stats`)).text();
}

Deno.test(
  "createApp() without Redis keeps the snapshot, nulls the nodes and fails accounts",
  LOSES_REDIS,
  async () => {
    await using world = await openApiWorld({ nowMs: NOW_MS });
    await world.collect();
    assert((await text(world, "/api/stats")).includes('"nodes":[]'));
    await world.kill();
    await world.clock.advance(60_000);
    assert((await text(world, "/api/stats")).includes('"minersTotal":0,"nodes":null,"now"'));
    assert((await text(world, "/api/blocks")).includes('"candidates":null'));
    const account = await world.get(`/api/accounts/${LOGIN}`);
    assert.equal(account.status, 500);
    assert.equal(account.headers.get("content-type"), "application/json; charset=UTF-8");
    assert.equal(await account.text(), "");
    const ready = await world.get("/readyz");
    assert.equal(ready.status, 503);
    assert.match((await ready.json()).reason, /^Redis does not answer/);
    assert.equal(await text(world, "/healthz"), '{"alive":true}\n');
  },
);

Deno.test(
  "serveApi() serves before Redis comes, finds it then, and closes without it",
  LOSES_REDIS,
  async () => {
    const dir = await Deno.makeTempDir();
    const api = await serveApi(options(`${dir}/redis.sock`), DEPS);
    assert.equal(await statsAt(api.port), '{"nodes":null}\n');
    const ready = await fetch(`http://127.0.0.1:${api.port}/readyz`);
    assert.equal(ready.status, 503);
    assert.match((await ready.json()).reason, /Redis/);
    await using _redis = await startRedis({ dir });
    while (await statsAt(api.port) !== '{"nodes":[]}\n');
    await api.close();
    const second = await serveApi(options("/nonexistent/redis.sock"), DEPS);
    await second.close();
    await Deno.remove(dir, { recursive: true });
  },
);

Deno.test(
  "createV2() without Redis says so in its status, and why it fails",
  LOSES_REDIS,
  async () => {
    await using world = await openApiWorld({ nowMs: NOW_MS });
    await world.collect();
    await (await world.get("/api/v2/pool")).text();
    await world.kill();
    await world.clock.advance(120_000);
    const status = await (await world.get("/api/v2/status")).json();
    const states = status.parts.map(({ name, state }: { name: string; state: string }) => [
      ...[name, state],
    ]);
    assert.equal(new Map(states).get("redis"), "away");
    assert.equal(new Map(states).get("stats"), "away");
    const failed = await world.get(`/api/v2/miners/${LOGIN}`);
    assert.equal(failed.status, 503);
    assert.equal((await failed.json()).error.code, "unavailable");
  },
);
