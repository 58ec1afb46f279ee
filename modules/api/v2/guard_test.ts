/** The door of `/api/v2`: unchanged answers, limits by address, other origins, headers, reference. */
import assert from "node:assert/strict";
import { FakeClock } from "../../base/mod.ts";
import { openApiWorld } from "../../../tests/support/old_pool.ts";
import { addressReader, RateLimit } from "./guard.ts";

const OPEN = { rateLimit: 0, cors: [], trustedProxies: [] };

Deno.test("createV2() answers 304 as long as nothing has changed, and keeps no failure", async () => {
  await using world = await openApiWorld({ nowMs: 1_700_000_400_000 });
  assert.equal((await world.get("/api/v2/pool")).status, 503);
  await world.clock.advance(1_000);
  await world.collect();
  const first = await world.get("/api/v2/pool");
  const etag = first.headers.get("etag")!;
  assert.match(etag, /^"[0-9a-f]{32}"$/);
  assert.equal(first.headers.get("cache-control"), "public, max-age=5");
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`]) {
    const again = await world.get("/api/v2/pool", { headers: { "if-none-match": known } });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), "");
    assert.equal(again.headers.get("etag"), etag);
  }
  await world.clock.advance(5_001);
  await world.collect();
  const changed = await world.get("/api/v2/pool", { headers: { "if-none-match": etag } });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get("etag"), etag);
});

Deno.test("createV2() limits requests by address, behind trusted proxies by what they say", async () => {
  const guard = { ...OPEN, rateLimit: 3, trustedProxies: ["10.0.0.0/8"] };
  await using world = await openApiWorld({ nowMs: 1_700_000_400_000, guard });
  const ask = async (peer: string, forwarded?: string) => {
    const headers = new Headers(forwarded === undefined ? [] : [["x-forwarded-for", forwarded]]);
    const response = await world.get("/api/v2/ping", { headers }, peer);
    await response.body?.cancel();
    return response;
  };
  for (let i = 0; i < 3; i++) assert.equal((await ask("192.0.2.1")).status, 204);
  const refused = await ask("192.0.2.1", "198.51.100.1");
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "20");
  // Another address still may; behind the proxy each client counts for itself.
  assert.equal((await ask("192.0.2.2")).status, 204);
  for (let i = 0; i < 3; i++) await ask("10.0.0.1", "203.0.113.5");
  assert.equal((await ask("10.0.0.1", "203.0.113.5")).status, 429);
  assert.equal((await ask("10.0.0.1", "203.0.113.5, 203.0.113.6")).status, 204);
  assert.equal((await world.get("/api/stats", {}, "192.0.2.1")).status, 200);
  await world.clock.advance(20_000);
  assert.equal((await ask("192.0.2.1")).status, 204);
  assert.equal((await ask("192.0.2.1")).status, 429);
});

Deno.test("RateLimit counts an IPv6 network as one, forgets nobody who still asks, and may be off", () => {
  const clock = new FakeClock(0);
  const addressOf = addressReader([]);
  assert.equal(addressOf("2001:db8::1", undefined), addressOf("2001:db8::2", "192.0.2.9"));
  const limit = new RateLimit(60, clock);
  for (let i = 0; i < 60; i++) assert.equal(limit.take("a"), 0);
  assert.equal(limit.take("a"), 1);
  const off = new RateLimit(0, clock);
  for (let i = 0; i < 1_000; i++) assert.equal(off.take("a"), 0);
});

Deno.test("createV2() lets only the configured origins in; the old endpoints let all", async () => {
  const guard = { ...OPEN, cors: ["https://pool.example"] };
  await using world = await openApiWorld({ guard });
  const allowed = async (path: string, origin: string, method = "GET") => {
    const response = await world.get(path, { method, headers: { origin } });
    await response.body?.cancel();
    return response.headers.get("access-control-allow-origin");
  };
  assert.equal(await allowed("/api/v2/status", "https://pool.example"), "https://pool.example");
  assert.equal(await allowed("/api/v2/status", "https://evil.example"), null);
  assert.equal(
    await allowed("/api/v2/settings", "https://pool.example", "OPTIONS"),
    "https://pool.example",
  );
  assert.equal(await allowed("/api/stats", "https://evil.example"), "*");
  await using all = await openApiWorld({ guard: { ...OPEN, cors: ["*"] } });
  const any = await all.get("/api/v2/status", { headers: { origin: "https://x.example" } });
  await any.body?.cancel();
  assert.equal(any.headers.get("access-control-allow-origin"), "*");
});

Deno.test("createV2() sends strict headers, and a reference that asks nobody else", async () => {
  await using world = await openApiWorld();
  const document = await (await world.get("/api/v2/openapi.json")).json();
  assert.equal(document.openapi, "3.1.0");
  const paths = Object.keys(document.paths);
  assert(paths.includes("/pool") && paths.includes("/miners/{address}/credits"));
  const docs = await world.get("/api/v2/docs");
  const html = await docs.text();
  assert.match(docs.headers.get("content-type")!, /^text\/html/);
  assert.equal(
    docs.headers.get("content-security-policy"),
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; " +
      "frame-ancestors 'none'",
  );
  for (const path of paths) assert(html.includes(`${path}</code>`), path);
  assert(!/<script|style=|https?:\/\//.test(html));
  assert.equal(docs.headers.get("x-content-type-options"), "nosniff");
  const none = await world.get("/api/v2/nothing");
  assert.equal(none.status, 404);
  assert.equal((await none.json()).error.code, "not_found");
});

Deno.test("createV2() keeps settings out of what it remembers", async () => {
  await using world = await openApiWorld();
  const path = `/api/v2/miners/0x${"ab".repeat(20)}/settings`;
  const response = await world.get(path);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("etag"), null);
  await response.body?.cancel();
});
