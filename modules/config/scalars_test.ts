/** Durations, percentages and addresses at their edges. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { durationMs, listen, percent, redisEndpoint } from "./scalars.ts";

Deno.test("durationMs() reads Go's notation", () => {
  const cases: [string, number | null][] = [
    ["120ms", 120],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["10s", 10_000],
    ["1m0.25s", 60_250],
    ["500us", 0.5],
    ["", null],
    ["10", null],
    ["10 s", null],
    ["-5s", null],
    ["1d", null],
  ];
  for (const [text, ms] of cases) assert.equal(durationMs(text), ms, text);
});

Deno.test("durationMs() adds up hours, minutes, seconds and milliseconds", () => {
  const part = fc.integer({ min: 0, max: 500 });
  fc.assert(fc.property(part, part, part, part, (h, m, s, ms) => {
    assert.equal(durationMs(`${h}h${m}m${s}s${ms}ms`), ((h * 60 + m) * 60 + s) * 1000 + ms);
  }));
});

Deno.test("percent keeps every written decimal up to the sixth", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 100_000_000 }), (millionths) => {
    const digits = String(millionths).padStart(7, "0");
    const value = JSON.parse(`${digits.slice(0, -6).replace(/^0+(?=\d)/, "")}.${digits.slice(-6)}`);
    // 1e-6 is written with an exponent by JavaScript, and refused rather than guessed.
    if (String(value).includes("e")) return;
    assert.equal(percent.parse(value), BigInt(millionths));
  }));
  assert.equal(percent.safeParse(100.000001).success, false);
  assert.equal(percent.safeParse(-0.5).success, false);
  assert.equal(percent.safeParse(0.1234567).success, false);
});

Deno.test("listen reads host and port", () => {
  assert.deepEqual(listen.parse("0.0.0.0:8008"), { hostname: "0.0.0.0", port: 8008 });
  assert.deepEqual(listen.parse("[::1]:80"), { hostname: "::1", port: 80 });
  assert.deepEqual(listen.parse(":8008"), { hostname: "0.0.0.0", port: 8008 });
  for (const bad of ["8008", "host", "host:", "host:99999", "1.2.3:80", "a:b:1", "::1:80"]) {
    assert.equal(listen.safeParse(bad).success, false, bad);
  }
});

Deno.test("redisEndpoint takes a host with port or a socket", () => {
  assert.equal(redisEndpoint.parse("unix:///run/redis.sock"), "/run/redis.sock");
  assert.equal(redisEndpoint.parse("/run/redis.sock"), "/run/redis.sock");
  assert.equal(redisEndpoint.parse("[::1]:6379"), "[::1]:6379");
  assert.equal(redisEndpoint.safeParse("localhost").success, false);
});
