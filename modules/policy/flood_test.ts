/** Floods and the weaknesses of the pools before: each test names the case it stands for. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord } from "../base/mod.ts";
import { BanList, BANS_MAX } from "./bans.ts";
import type { CommandRunner } from "./command.ts";
import { openPolicy } from "./open.ts";
import { Policy, POLICY_ADDRESSES_MAX, type PolicyOptions } from "./policy.ts";

const OPTIONS: PolicyOptions = {
  banning: {
    ...{ enabled: true, timeoutMs: 1_800_000, invalidPercent: 30, checkThreshold: 30 },
    malformedLimit: 5,
  },
  limits: { enabled: true, limit: 30, graceMs: 0, limitJump: 10, perAddress: 100 },
  resetIntervalMs: 3_600_000,
};

/** The n-th address of a flood, IPv4 and IPv6 by turns. */
function addressOf(n: number): string {
  if (n % 2 === 0) return `${11 + (n >> 24)}.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}`;
  return `2001:db8:${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`;
}

Deno.test("a million addresses (open-ethereum-pool 12: its map grows until resetInterval) keep memory bounded and bans in force", () => {
  const policy = new Policy(OPTIONS, new FakeClock());
  for (let i = 0; i < 5; i++) policy.onMalformed("192.0.2.1");
  for (let n = 0; n < 1_000_000; n++) {
    const ip = addressOf(n);
    assert.ok(policy.admit(ip));
    policy.onMalformed(ip);
    policy.release(ip);
    if (n % 100_000 === 0) assert.ok(policy.size <= POLICY_ADDRESSES_MAX);
  }
  assert.ok(policy.size <= POLICY_ADDRESSES_MAX);
  assert.equal(policy.isBanned("192.0.2.1"), true);
});

Deno.test("an address in use outlives a flood of idle ones (open-ethereum-pool 12)", () => {
  const policy = new Policy(OPTIONS, new FakeClock());
  for (let n = 0; n < 4; n++) {
    policy.onMalformed("192.0.2.1");
    for (let i = 0; i < POLICY_ADDRESSES_MAX / 2 - 1; i++) policy.onMalformed(addressOf(i));
  }
  assert.equal(policy.onMalformed("192.0.2.1"), true, "its fifth malformed request");
});

Deno.test("held connections count through a flood of addresses (open-ethereum-pool 4: unlimited sessions)", () => {
  const policy = new Policy(
    { ...OPTIONS, limits: { ...OPTIONS.limits, enabled: false } },
    new FakeClock(),
  );
  for (let i = 0; i < 100; i++) assert.ok(policy.admit("192.0.2.1"));
  for (let n = 0; n < 250_000; n++) policy.onMalformed(addressOf(n));
  assert.equal(policy.admit("192.0.2.1"), false);
});

Deno.test("bans stay up to their bound, the newest always", () => {
  const list = new BanList(1_800_000, new FakeClock());
  for (let n = 0; n < 2 * BANS_MAX; n++) {
    list.add(addressOf(n), "flood");
    if (n < BANS_MAX) continue;
    assert.ok(list.size <= BANS_MAX);
  }
  for (let n = BANS_MAX + BANS_MAX / 8; n < 2 * BANS_MAX; n++) {
    assert.notEqual(list.find(addressOf(n)), undefined);
  }
});

Deno.test("ended bans make room before any that lasts (open-ethereum-pool 11)", async () => {
  const clock = new FakeClock();
  const list = new BanList(1_000, clock, 16);
  for (let n = 0; n < 12; n++) list.add(addressOf(n), "early");
  await clock.advance(999);
  for (let n = 12; n < 16; n++) list.add(addressOf(n), "late");
  await clock.advance(1);
  for (let n = 16; n < 28; n++) list.add(addressOf(n), "last");
  assert.deepEqual(list.list().length, 16);
});

Deno.test("invalidPercent is of all shares (open-ethereum-pool 11: of the valid ones, 3 valid and 1 invalid ban)", () => {
  const run = (valid: number, invalid: number) => {
    const banning = { ...OPTIONS.banning, checkThreshold: valid + invalid };
    const policy = new Policy({ ...OPTIONS, banning }, new FakeClock());
    let banned = false;
    for (let i = 0; i < valid; i++) banned = policy.onShare("192.0.2.1", true);
    for (let i = 0; i < invalid; i++) banned = policy.onShare("192.0.2.1", false);
    return banned;
  };
  assert.equal(run(3, 1), false);
  assert.equal(run(71, 29), false);
  assert.equal(run(70, 30), true);
});

Deno.test("a ban ends to the millisecond (open-ethereum-pool 11: rounded up to resetInterval)", async () => {
  for (const resetIntervalMs of [1_000, 3_600_000, 86_400_000]) {
    const clock = new FakeClock();
    const policy = new Policy({ ...OPTIONS, resetIntervalMs }, clock);
    policy.ban("192.0.2.1", "test");
    for (let i = 0; i < 18; i++) {
      await clock.advance(99_999);
      policy.sweep();
    }
    await clock.advance(17);
    policy.sweep();
    assert.equal(policy.admit("192.0.2.1"), false);
    await clock.advance(1);
    assert.equal(policy.admit("192.0.2.1"), true);
  }
});

Deno.test("a limit of 5 allows 5 connections (open-ethereum-pool 11: one less)", () => {
  const limits = { ...OPTIONS.limits, limit: 5 };
  const policy = new Policy({ ...OPTIONS, limits }, new FakeClock());
  const admitted = Array.from({ length: 7 }, () => policy.admit("192.0.2.1"));
  assert.deepEqual(admitted, [true, true, true, true, true, false, false]);
});

Deno.test("a miner that keeps trying gets in again (open-ethereum-pool 11: its limit never comes back)", async () => {
  const clock = new FakeClock();
  const policy = new Policy(OPTIONS, clock);
  for (let i = 0; i < 30; i++) assert.ok(policy.admit("192.0.2.1"));
  let admitted = 0;
  for (let tries = 0; tries < 360; tries++) {
    await clock.advance(10_000);
    policy.sweep();
    if (policy.admit("192.0.2.1")) admitted++;
  }
  assert.ok(admitted === 29 || admitted === 30, `${admitted} in a reset interval`);
});

Deno.test("a /64 is one address (open-ethereum-pool 11: bans single addresses)", () => {
  const policy = new Policy(OPTIONS, new FakeClock());
  for (let i = 1; i <= 5; i++) policy.onMalformed(`2001:db8::${i}`);
  assert.equal(policy.admit("2001:db8::ffff:ffff"), false);
  assert.equal(policy.admit("2001:db8:0:1::1"), true);
});

Deno.test("a flood of bans with a firewall that hangs keeps banning (open-ethereum-pool blocks after 64)", async () => {
  const lines: LogRecord[] = [];
  const log = createLogger((line) => lines.push(line), "test");
  const ends: (() => void)[] = [];
  const run: CommandRunner = () => new Promise((resolve) => ends.push(resolve));
  const banning = { ...OPTIONS.banning, firewall: { kind: "ipset", set: "blacklist" } as const };
  const clock = new FakeClock();
  const { policy, close } = openPolicy({ ...OPTIONS, banning, workers: 8 }, { clock, log, run });
  for (let n = 0; n < 5_000; n++) {
    for (let i = 0; i < 5; i++) policy.onMalformed(addressOf(n));
    assert.equal(policy.isBanned(addressOf(n)), true);
  }
  assert.equal(ends.length, 8, "policy.workers");
  const logged = (event: string) => lines.filter((line) => line.event === event).length;
  assert.deepEqual([logged("policy.banned"), logged("firewall.failed")], [20, 1]);
  assert.equal(policy.bans().length, 5_000);
  await clock.advance(1_000);
  policy.ban("192.0.2.1", "by hand");
  assert.deepEqual(lines.at(-1)!.facts, {
    ...{ address: "192.0.2.1", reason: "by hand", seconds: 1_800, unlogged: 4_980 },
  });
  const closing = close();
  for (const end of ends) end();
  await closing;
});

Deno.test("openPolicy() without a firewall's set runs no command", async () => {
  const log = createLogger(() => {}, "test");
  const run: CommandRunner = () => assert.fail("ran a command");
  const { policy, close } = openPolicy(OPTIONS, { clock: new FakeClock(), log, run });
  assert.equal(policy.ban("192.0.2.1", "by hand"), true);
  assert.equal(policy.unban("192.0.2.1"), true);
  await close();
});
