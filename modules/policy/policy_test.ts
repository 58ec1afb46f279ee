/** Bans and limits over a fake clock. */
import assert from "node:assert/strict";
import { FakeClock } from "../base/mod.ts";
import { Policy, type PolicyOptions } from "./policy.ts";

const OPTIONS: PolicyOptions = {
  banning: {
    ...{ enabled: true, timeoutMs: 1_800_000, invalidPercent: 30, checkThreshold: 10 },
    malformedLimit: 5,
  },
  limits: { enabled: true, limit: 2, graceMs: 1_000, limitJump: 3 },
  resetIntervalMs: 3_600_000,
};

Deno.test("Policy bans at 30 percent invalid of all shares, not before", () => {
  const policy = new Policy(OPTIONS, new FakeClock());
  for (let i = 0; i < 8; i++) assert.equal(policy.onShare("10.0.0.1", true), false);
  policy.onShare("10.0.0.1", false);
  assert.equal(policy.onShare("10.0.0.1", false), false, "20 percent is honest");
  for (let i = 0; i < 7; i++) policy.onShare("10.0.0.1", true);
  policy.onShare("10.0.0.1", false);
  policy.onShare("10.0.0.1", false);
  assert.equal(policy.onShare("10.0.0.1", false), true);
  assert.equal(policy.isBanned("10.0.0.1"), true);
  assert.equal(policy.admit("10.0.0.1"), false);
  assert.equal(policy.isBanned("10.0.0.2"), false);
});

Deno.test("Policy lets a ban end after its timeout and forgets idle addresses", async () => {
  const clock = new FakeClock();
  const policy = new Policy(OPTIONS, clock);
  for (let i = 0; i < 4; i++) assert.equal(policy.onMalformed("10.0.0.1"), false);
  assert.equal(policy.onMalformed("10.0.0.1"), true);
  policy.sweep();
  assert.equal(policy.isBanned("10.0.0.1"), true);
  await clock.advance(1_800_000);
  assert.equal(policy.isBanned("10.0.0.1"), false);
});

Deno.test("Policy never bans a white-listed address", () => {
  const policy = new Policy(OPTIONS, new FakeClock());
  policy.setLists({ blacklist: new Set(["0xbad"]), whitelist: new Set(["10.0.0.1"]) });
  for (let i = 0; i < 20; i++) assert.equal(policy.onMalformed("10.0.0.1"), false);
  assert.equal(policy.isBlacklisted("0xbad"), true);
});

Deno.test("Policy limits connections after the grace time and adds some for a valid share", async () => {
  const clock = new FakeClock();
  const policy = new Policy(OPTIONS, clock);
  for (let i = 0; i < 10; i++) assert.equal(policy.admit("10.0.0.1"), true);
  await clock.advance(1_000);
  assert.deepEqual([1, 2, 3].map(() => policy.admit("10.0.0.1")), [true, true, false]);
  policy.onShare("10.0.0.1", true);
  assert.deepEqual([1, 2, 3, 4].map(() => policy.admit("10.0.0.1")), [true, true, true, false]);
});
