/** Bans and limits over a fake clock. */
import assert from "node:assert/strict";
import fc from "fast-check";
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

/** What a policy told its firewall. */
function told(options: PolicyOptions = OPTIONS, clock = new FakeClock()) {
  const lines: string[] = [];
  const policy = new Policy(options, clock, {
    onBan: ({ address, reason }, mixed) => lines.push(`ban ${address} ${reason} ${mixed}`),
    onLift: (address) => lines.push(`lift ${address}`),
  });
  return { policy, clock, lines };
}

Deno.test("Policy gives each ban its reason, its beginning and its end", async () => {
  const { policy, clock, lines } = told();
  const sinceMs = clock.now();
  for (let i = 0; i < 5; i++) policy.onMalformed("192.0.2.1");
  await clock.advance(1_000);
  for (let i = 0; i < 10; i++) policy.onShare("2001:db8::1", false);
  policy.ban("::ffff:192.0.2.3", "flood of lines");
  assert.deepEqual(policy.bans(), [
    { address: "192.0.2.1", reason: "malformed requests", sinceMs, untilMs: sinceMs + 1_800_000 },
    ...[["2001:db8::/64", "invalid shares"], ["192.0.2.3", "flood of lines"]].map((
      [address, reason],
    ) => ({ address, reason, sinceMs: sinceMs + 1_000, untilMs: sinceMs + 1_801_000 })),
  ]);
  assert.deepEqual(lines, [
    "ban 192.0.2.1 malformed requests false",
    "ban 2001:db8::/64 invalid shares false",
    "ban 192.0.2.3 flood of lines false",
  ]);
  await clock.advance(1_799_000);
  assert.deepEqual(policy.bans().map(({ address }) => address), ["2001:db8::/64", "192.0.2.3"]);
});

Deno.test("Policy says of every further act of a banned address that it is banned", () => {
  const { policy, lines } = told();
  policy.ban("192.0.2.1", "by hand");
  assert.equal(policy.onShare("192.0.2.1", true), true);
  assert.equal(policy.onMalformed("192.0.2.1"), true);
  assert.equal(policy.ban("192.0.2.1", "again"), true);
  assert.deepEqual(policy.bans().map(({ reason }) => reason), ["by hand"]);
  assert.equal(lines.length, 1);
});

Deno.test("Policy.unban() ends a ban, forgets what led to it and tells the firewall", () => {
  const { policy, lines } = told();
  for (let i = 0; i < 5; i++) policy.onMalformed("192.0.2.1");
  assert.equal(policy.unban("::ffff:192.0.2.1"), true);
  assert.equal(policy.admit("192.0.2.1"), true);
  for (let i = 0; i < 4; i++) assert.equal(policy.onMalformed("192.0.2.1"), false);
  assert.equal(policy.unban("192.0.2.1"), false);
  assert.deepEqual(lines.slice(1), ["lift 192.0.2.1", "lift 192.0.2.1"]);
});

Deno.test("Policy without banning.enabled bans nobody", () => {
  const { policy, lines } = told({ ...OPTIONS, banning: { ...OPTIONS.banning, enabled: false } });
  for (let i = 0; i < 50; i++) assert.equal(policy.onMalformed("192.0.2.1"), false);
  for (let i = 0; i < 50; i++) assert.equal(policy.onShare("192.0.2.1", false), false);
  assert.equal(policy.ban("192.0.2.1", "by hand"), false);
  assert.deepEqual([policy.bans(), lines], [[], []]);
});

Deno.test("Policy forgets malformed requests that lie a reset interval apart", async () => {
  const { policy, clock } = told();
  for (let i = 0; i < 20; i++) {
    assert.equal(policy.onMalformed("192.0.2.1"), false);
    // The address stays in use, and is never idle.
    await clock.advance(1_800_000);
    policy.onShare("192.0.2.1", true);
    await clock.advance(1_800_000);
  }
});

Deno.test("Policy's white list wins over ban, limit, cap and an older ban", () => {
  const limits = { ...OPTIONS.limits, limit: 1, graceMs: 0, perAddress: 1 };
  const { policy, lines } = told({ ...OPTIONS, limits });
  policy.ban("192.0.2.1", "by hand");
  policy.setLists({ blacklist: new Set(), whitelist: new Set(["192.0.2.1"]) });
  for (let i = 0; i < 5; i++) assert.equal(policy.admit("192.0.2.1"), true);
  for (let i = 0; i < 20; i++) assert.equal(policy.onShare("192.0.2.1", false), false);
  assert.equal(policy.ban("192.0.2.1", "by hand"), false);
  assert.deepEqual(lines, ["ban 192.0.2.1 by hand false", "lift 192.0.2.1"]);
  policy.setLists({ blacklist: new Set(), whitelist: new Set() });
  assert.equal(policy.admit("192.0.2.1"), false, "its five connections still count");
});

Deno.test("Policy keeps a /64 with a white-listed address out of the firewall", () => {
  const { policy, lines } = told();
  const whitelist = new Set(["2001:DB8::7"]);
  policy.ban("2001:db8::8", "before");
  policy.setLists({ blacklist: new Set(), whitelist });
  policy.setLists({ blacklist: new Set(), whitelist });
  assert.deepEqual([policy.isBanned("2001:db8::7"), policy.isBanned("2001:db8::8")], [false, true]);
  policy.unban("2001:db8::8");
  policy.ban("2001:db8::8", "after");
  assert.deepEqual(lines, [
    ...["ban 2001:db8::/64 before false", "lift 2001:db8::/64"],
    ...["lift 2001:db8::/64", "ban 2001:db8::/64 after true"],
  ]);
  policy.setLists({ blacklist: new Set(), whitelist: new Set(["2001:db8::/64"]) });
  assert.equal(policy.isBanned("2001:db8::8"), false, "a whole /64 may be white-listed");
});

Deno.test("Policy finds a black-listed login however the list spells it", () => {
  const { policy } = told();
  policy.setLists({ blacklist: new Set(["0xABcd"]), whitelist: new Set() });
  assert.equal(policy.isBlacklisted("0xabcd"), true);
});

Deno.test("Policy caps connections per address until they are released", () => {
  const limits = { ...OPTIONS.limits, enabled: false, perAddress: 2 };
  const { policy } = told({ ...OPTIONS, limits });
  const admit = (ip: string) => policy.admit(ip);
  assert.deepEqual(["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"].map(admit), [true, true, false]);
  assert.deepEqual(["2001:db8::1", "2001:db8::2", "2001:db8::3"].map(admit), [true, true, false]);
  assert.equal(admit("2001:db8:0:1::1"), true);
  policy.release("192.0.2.1");
  assert.deepEqual(["192.0.2.1", "192.0.2.1"].map(admit), [true, false]);
  for (let i = 0; i < 5; i++) policy.release("192.0.2.1");
  assert.deepEqual(["192.0.2.1", "192.0.2.1", "192.0.2.1"].map(admit), [true, true, false]);
});

Deno.test("Policy's cap holds exactly, whatever the order of admissions and releases", () => {
  const limits = { ...OPTIONS.limits, enabled: false, perAddress: 3 };
  const act = fc.record({ ip: fc.integer({ min: 1, max: 3 }), come: fc.boolean() });
  fc.assert(fc.property(fc.array(act, { maxLength: 100 }), (acts) => {
    const { policy } = told({ ...OPTIONS, limits });
    const held = [0, 0, 0, 0];
    for (const { ip, come } of acts) {
      if (come) {
        assert.equal(policy.admit(`192.0.2.${ip}`), held[ip]! < 3);
        held[ip] = Math.min(3, held[ip]! + 1);
      } else if (held[ip]! > 0) {
        policy.release(`192.0.2.${ip}`);
        held[ip]!--;
      }
    }
  }));
});

/** Bans as told from the whole history of one address, without any state but that. */
function naiveBanEnd(history: { atMs: number; kind: "valid" | "invalid" | "malformed" }[]): number {
  let endMs = 0;
  let shares: boolean[] = [];
  let malformed: number[] = [];
  for (const { atMs, kind } of history) {
    if (atMs < endMs) continue;
    let bans = false;
    if (kind === "malformed") {
      const last = malformed.at(-1);
      if (last !== undefined && atMs - last >= OPTIONS.resetIntervalMs) malformed = [];
      malformed.push(atMs);
      bans = malformed.length >= 5;
    } else {
      shares.push(kind === "invalid");
      if (shares.length === 10) {
        bans = shares.filter((invalid) => invalid).length >= 3;
        shares = [];
      }
    }
    if (!bans) continue;
    endMs = atMs + 1_800_000;
    [shares, malformed] = [[], []];
  }
  return endMs;
}

Deno.test("Policy bans as the whole history of each address says, sweeps or not", async () => {
  const kind = fc.constantFrom("valid" as const, "valid" as const, "invalid" as const, "malformed");
  const act = fc.record({
    ...{ kind, ip: fc.integer({ min: 1, max: 2 }), sweep: fc.boolean() },
    // Below the reset interval in sum, so that no sweep finds an idle address.
    gapMs: fc.constantFrom(0, 0, 1, 1_000, 600_000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 120 }), async (acts) => {
      const { policy, clock } = told({ ...OPTIONS, resetIntervalMs: 1e12 });
      const histories = new Map<string, Parameters<typeof naiveBanEnd>[0]>();
      for (const { kind, ip, gapMs, sweep } of acts) {
        const address = `192.0.2.${ip}`;
        await clock.advance(gapMs);
        if (sweep) policy.sweep();
        const history = histories.get(address) ?? [];
        histories.set(address, history);
        history.push({ atMs: clock.now(), kind });
        const banned = kind === "malformed"
          ? policy.onMalformed(address)
          : policy.onShare(address, kind === "valid");
        assert.equal(banned, clock.now() < naiveBanEnd(history));
        assert.equal(policy.isBanned(address), banned);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("Policy takes other settings while it runs; bans that last end when they would have", async () => {
  const clock = new FakeClock();
  const policy = new Policy(structuredClone(OPTIONS), clock);
  for (let i = 0; i < 5; i++) policy.onMalformed("10.0.0.1");
  const { banning, limits } = OPTIONS;
  policy.adjust({
    banning: { ...banning, malformedLimit: 2, timeoutMs: 60_000 },
    limits: { ...limits, perAddress: 3 },
  });
  policy.onMalformed("10.0.0.2");
  assert.equal(policy.onMalformed("10.0.0.2"), true);
  await clock.advance(60_000);
  assert.deepEqual(["10.0.0.1", "10.0.0.2"].map((ip) => policy.isBanned(ip)), [true, false]);
  // Without a cap from the start nobody knows what an address holds.
  assert.equal(policy.options.limits.perAddress, 0);
});

Deno.test("Policy.impose() replaces a ban, and standing() tells who cannot be banned", () => {
  const clock = new FakeClock();
  const policy = new Policy(structuredClone(OPTIONS), clock);
  for (let i = 0; i < 5; i++) policy.onMalformed("10.0.0.1");
  const sinceMs = clock.now();
  policy.impose({ address: "10.0.0.1", reason: "by ann", sinceMs, untilMs: sinceMs + 1_000 });
  policy.impose({ address: "10.0.0.2", reason: "by ann", sinceMs, untilMs: sinceMs + 500 });
  assert.deepEqual(policy.bans().map(({ address }) => address), ["10.0.0.2", "10.0.0.1"]);
  policy.setLists({ blacklist: new Set(), whitelist: new Set(["10.0.0.3"]) });
  assert.deepEqual(policy.standing("10.0.0.3"), { white: true, mixed: true });
  assert.deepEqual(policy.standing("10.0.0.4"), { white: false, mixed: false });
});
