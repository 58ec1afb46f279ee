/** The API behind a real socket, until it is closed. */
import assert from "node:assert/strict";
import { createLogger, type LogRecord, silentLogger, systemClock } from "../base/mod.ts";
import { apiConfig } from "../../tests/support/api_config.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { type ApiOptions, serveApi } from "./server.ts";

const DEPS = { log: silentLogger, clock: systemClock, mining: () => undefined };

function options(endpoint: string, purgeOnly = false): ApiOptions {
  return {
    ...{ prefix: "etc", logLevel: "info", instance: "main" },
    redis: { endpoint, database: 0, password: "" },
    api: apiConfig({ purgeOnly }),
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

Deno.test("serveApi() shows the operator's logo, and its own where that is none", async () => {
  await using redis = await startRedis();
  const dir = await Deno.makeTempDir({ prefix: "quarry-logo-" });
  const logo = `${dir}/logo.svg`;
  const shown = async (text: string) => {
    await Deno.writeTextFile(logo, text);
    const own = options(redis.endpoint);
    const records: LogRecord[] = [];
    const log = createLogger((record) => records.push(record), "api");
    const api = await serveApi({ ...own, api: { ...own.api, logo } }, { ...DEPS, log });
    const answer = await fetch(`http://127.0.0.1:${api.port}/icon.svg`);
    const body = await answer.text();
    assert.match(answer.headers.get("content-type")!, /^image\/svg\+xml/);
    assert.match(answer.headers.get("content-security-policy")!, /default-src 'none'/);
    await api.close();
    const told = records.filter(({ event }) => event === "api.logoUnusable");
    return { body, told: told.map(({ facts }) => facts.problem) };
  };
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  assert.deepEqual(await shown(svg), { body: svg, told: [] });
  const large = await shown(svg + " ".repeat(5_000));
  assert.notEqual(large.body.trim(), svg);
  assert.deepEqual(large.told, ["has 5041 bytes, 4096 are the most"]);
  assert.deepEqual((await shown("<html>")).told, ["is no SVG"]);
  await Deno.remove(dir, { recursive: true });
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
