/** The account cache: time, bounds, and one load for many. */
import assert from "node:assert/strict";
import { FakeClock } from "../base/mod.ts";
import { AccountCache } from "./account_cache.ts";

Deno.test("AccountCache.get() loads once per life and once for simultaneous requests", async () => {
  const clock = new FakeClock();
  const cache = new AccountCache({ maxAgeMs: 5_000, size: 10 }, clock);
  let loads = 0;
  const load = () => Promise.resolve(`body ${++loads}`);
  assert.deepEqual(await Promise.all([cache.get("a", load), cache.get("a", load)]), [
    ...["body 1", "body 1"],
  ]);
  await clock.advance(5_000);
  assert.equal(await cache.get("a", load), "body 1");
  await clock.advance(1);
  assert.equal(await cache.get("a", load), "body 2");
});

Deno.test("AccountCache.get() keeps neither failures nor absences", async () => {
  const cache = new AccountCache({ maxAgeMs: 5_000, size: 10 }, new FakeClock());
  await assert.rejects(cache.get("a", () => Promise.reject(new Error("away"))), /away/);
  assert.equal(await cache.get("a", () => Promise.resolve(undefined)), undefined);
  assert.equal(cache.size, 0);
  assert.equal(await cache.get("a", () => Promise.resolve("body")), "body");
});

Deno.test("AccountCache.get() drops the least recently used beyond its size", async () => {
  const cache = new AccountCache({ maxAgeMs: 5_000, size: 2 }, new FakeClock());
  const loaded: string[] = [];
  const get = (key: string) => cache.get(key, () => (loaded.push(key), Promise.resolve(key)));
  for (const key of ["a", "b", "a", "c", "a", "b"]) await get(key);
  assert.deepEqual(loaded, ["a", "b", "c", "b"]);
  assert.equal(cache.size, 2);
});

Deno.test("AccountCache.get() holds nothing that is old, however many keys were asked for", async () => {
  const clock = new FakeClock();
  const cache = new AccountCache({ maxAgeMs: 5_000, size: 10_000 }, clock);
  const get = (key: string) => cache.get(key, () => Promise.resolve(key));
  for (let n = 0; n < 100; n++) await get(`/docs?x=${n}`);
  await clock.advance(3_000);
  await get("used");
  await clock.advance(2_001);
  await get("next");
  assert.equal(cache.size, 2);
  assert.equal(await cache.get("used", () => Promise.resolve("again")), "used");
});
