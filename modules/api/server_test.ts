/** The API behind a real socket, until it is closed. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { type ApiOptions, serveApi } from "./server.ts";

const DEPS = { log: silentLogger, clock: systemClock, mining: () => undefined };

function options(endpoint: string, purgeOnly = false): ApiOptions {
  return {
    ...{ prefix: "etc", logLevel: "info", instance: "main" },
    redis: { endpoint, database: 0, password: "" },
    api: {
      ...{ cors: [], rateLimit: 0, poolName: "", publicHost: "", notice: "" },
      ...{ enabled: true, listen: { hostname: "127.0.0.1", port: 0 }, purgeOnly },
      ...{
        settingsCooldownMs: 3_600_000,
        statsCollectIntervalMs: 5_000,
        purgeIntervalMs: 600_000,
        luckWindow: [64],
      },
      ...{ hashrateWindowMs: 1_800_000, hashrateLargeWindowMs: 10_800_000 },
      ...{ payments: 30, blocks: 50 },
    },
  };
}

async function statsAt(port: number): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}/api/stats`)).text();
}

Deno.test("serveApi() answers on its port until it is closed", async () => {
  await using redis = await startRedis();
  const api = await serveApi(options(redis.endpoint), DEPS);
  // The connection to Redis is made in the background.
  while (await statsAt(api.port) !== '{"nodes":[]}\n');
  const moved = await raw(api.port, "//api/stats");
  assert.match(moved, /^HTTP\/1\.1 301 /);
  assert.match(moved, /\r\nlocation: \/api\/stats\r\n/i);
  assert.match(await raw(api.port, "/nothing"), /^HTTP\/1\.1 404 [^]*\r\n\r\n$/);
  const page = await fetch(`http://127.0.0.1:${api.port}/`);
  assert.match(await page.text(), /^<!DOCTYPE html>/);
  await api.close();
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: api.port }));
});

Deno.test("serveApi() opens no door when it only purges", async () => {
  const api = await serveApi(options("/nowhere/redis.sock", true), DEPS);
  assert.equal(api.port, 0);
  await api.close();
});

/** One request with its path sent as it is, which fetch() would not do. */
async function raw(port: number, path: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = `GET ${path} HTTP/1.1\r\nHost: pool\r\nConnection: close\r\n\r\n`;
  await conn.write(new TextEncoder().encode(request));
  return await new Response(conn.readable).text().catch(() => "");
}
