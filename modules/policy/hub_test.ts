/** Several workers' policies as one: bans, caps and limits, with one firewall command for a ban. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createLogger, FakeClock } from "../base/mod.ts";
import { openPolicyHub, type PolicyHub, type PolicyMessage } from "./hub.ts";
import { openPolicy } from "./open.ts";
import type { Policy, PolicyOptions } from "./policy.ts";
import { proxiesOf } from "./proxies.ts";
import { countsMemory, SharedCounts } from "./shared_counts.ts";

const OPTIONS: PolicyOptions = {
  banning: {
    ...{ enabled: true, timeoutMs: 60_000, invalidPercent: 30, checkThreshold: 10 },
    malformedLimit: 3,
  },
  limits: { enabled: true, limit: 4, graceMs: 0, limitJump: 2, perAddress: 5 },
  resetIntervalMs: 3_600_000,
  shared: true,
};
const IP = "192.0.2.1";

/** So many workers around one hub, their messages delivered at once. */
function workers(count: number, options = OPTIONS) {
  const clock = new FakeClock();
  const commands: string[] = [];
  const log = createLogger(() => {}, "test");
  const memory = countsMemory(count);
  const policies: Policy[] = [];
  const tell = (worker: number, message: PolicyMessage) => {
    // As postMessage copies it.
    const copy = structuredClone(message);
    if (copy.kind === "ban") policies[worker]![copy.byHand ? "impose" : "adopt"](copy.ban);
    else if (copy.kind === "unban") policies[worker]!.unban(copy.address);
    else if (copy.kind === "allowances") policies[worker]!.applyChanges(copy.changes);
  };
  const hub: PolicyHub = openPolicyHub({
    banning: { ...options.banning, firewall: { kind: "ipset", set: "s" } },
    workers: 4,
  }, {
    ...{ clock, log, workers: count, tell },
    run: (_, args) => Promise.resolve(void commands.push(args.slice(1, 4).join(" "))),
  });
  const start = (index: number) => {
    policies[index] = openPolicy(options, {
      ...{ clock, log, counts: new SharedCounts(memory, index) },
      onBan: (ban, mixed) => hub.hear(index, { kind: "ban", ban, mixed }),
      onLift: (address, ended) => hub.hear(index, { kind: "lift", address, ended }),
    }).policy;
    hub.welcome(index);
  };
  for (let i = 0; i < count; i++) start(i);
  return { clock, commands, hub, policies, start };
}

Deno.test("a ban of one worker holds at all, ends at all, and is one firewall command", async () => {
  const { policies, commands, hub, clock, start } = workers(3);
  for (let i = 0; i < 3; i++) policies[1]!.onMalformed(IP);
  assert.deepEqual(policies.map((policy) => policy.isBanned(IP)), [true, true, true]);
  assert.deepEqual(policies.map((policy) => policy.admit(IP)), [false, false, false]);
  // A worker that is started again knows it too, and so does nobody twice.
  start(2);
  assert.equal(policies[2]!.isBanned(IP), true);
  for (const policy of policies) assert.equal(policy.onShare(IP, false), true);
  assert.deepEqual(commands, [`add s ${IP}`]);
  // Each worker reads the white list by itself; the firewall hears of it once.
  for (const policy of policies) {
    policy.setLists({ blacklist: new Set(), whitelist: new Set([IP]) });
  }
  assert.deepEqual(policies.map((policy) => policy.isBanned(IP)), [false, false, false]);
  await clock.advance(0);
  assert.deepEqual(commands, [`add s ${IP}`, `del s ${IP}`]);
  for (const policy of policies) policy.setLists({ blacklist: new Set(), whitelist: new Set() });
  for (let i = 0; i < 3; i++) policies[0]!.onMalformed(IP);
  assert.deepEqual(policies.map((policy) => policy.isBanned(IP)), [true, true, true]);
  await clock.advance(60_000);
  assert.deepEqual(policies.map((policy) => policy.isBanned(IP)), [false, false, false]);
  assert.equal(commands.length, 3);
  await hub.close();
});

Deno.test("perAddress counts over all workers exactly, also when one is started again", () => {
  const limits = { ...OPTIONS.limits, enabled: false };
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.nat(2), fc.constantFrom("admit", "release", "restart")), {
      maxLength: 80,
    }),
    (steps) => {
      const { policies, start } = workers(3, { ...OPTIONS, limits });
      const held = [0, 0, 0];
      for (const [i, what] of steps) {
        const sum = held.reduce((total, one) => total + one);
        if (what === "admit") {
          assert.equal(policies[i]!.admit(IP), sum < 5, `${held}`);
          if (sum < 5) held[i]!++;
        } else if (what === "release" && held[i]! > 0) {
          policies[i]!.release(IP);
          held[i]!--;
        } else if (what === "restart") {
          start(i);
          held[i] = 0;
        }
      }
    },
  ));
});

Deno.test("the connection limit counts over all workers after each exchange", () => {
  const { policies, hub } = workers(2);
  const exchange = () => {
    for (const [i, policy] of policies.entries()) {
      hub.hear(i, { kind: "allowances", changes: policy.takeChanges() });
    }
  };
  const admitted = (i: number) => {
    const ok = policies[i]!.admit(IP);
    if (ok) policies[i]!.release(IP);
    return ok;
  };
  assert.deepEqual([0, 0, 0].map(admitted), [true, true, true]);
  exchange();
  assert.deepEqual([1, 1].map(admitted), [true, false]);
  exchange();
  assert.equal(admitted(0), false);
  // What a share earns at one worker may be used at the other.
  policies[1]!.onShare(IP, true);
  exchange();
  assert.deepEqual([0, 0, 0].map(admitted), [true, true, false]);
});

Deno.test("our own proxies are never banned, capped, limited or put into a firewall", () => {
  const told: unknown[] = [];
  const { policy } = openPolicy({ ...OPTIONS, shared: false }, {
    ...{ clock: new FakeClock(), log: createLogger(() => {}, "test") },
    proxies: proxiesOf(["192.0.2.0/24", "2001:db8::7"]),
    onBan: (ban, mixed) => told.push([ban.address, mixed]),
  });
  for (const ip of [IP, "2001:db8::7", "::ffff:192.0.2.9"]) {
    for (let i = 0; i < 40; i++) {
      assert.equal(policy.onMalformed(ip), false);
      assert.equal(policy.onShare(ip, false), false);
      assert.equal(policy.admit(ip), true);
    }
    assert.equal(policy.ban(ip, "by hand"), false);
    assert.equal(policy.isBanned(ip), false);
  }
  // A stranger beside a proxy is banned inside the pool, where the two can be told apart.
  assert.equal(policy.ban("2001:db8::8", "by hand"), true);
  assert.equal(policy.ban("198.51.100.1", "by hand"), true);
  assert.deepEqual([policy.isBanned("2001:db8::8"), policy.isBanned("2001:db8::7")], [true, false]);
  assert.deepEqual(told, [["2001:db8::/64", true], ["198.51.100.1", false]]);
});

Deno.test("bans by hand replace what lasts, reach every worker, and end by hand", async () => {
  const { policies, hub, clock, commands } = workers(2);
  const banned = () => policies.map((policy) => policy.isBanned(IP));
  for (let i = 0; i < 3; i++) policies[0]!.onMalformed(IP);
  const sinceMs = clock.now();
  hub.impose({ address: IP, reason: "by ann", sinceMs, untilMs: sinceMs + 600_000 }, false);
  await clock.advance(120_000);
  assert.deepEqual(banned(), [true, true]);
  assert.deepEqual(hub.list().map(({ reason }) => reason), ["by ann"]);
  assert.equal(hub.unban(IP), true);
  assert.equal(hub.unban(IP), false);
  assert.deepEqual(banned(), [false, false]);
  assert.deepEqual(hub.list(), []);
  await hub.close();
  assert.ok(commands.length >= 2, "the firewall heard of both");
});
