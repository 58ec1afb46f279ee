/** Leases on a real server: one holder, higher tokens, and scripts that refuse a former holder. */
import assert from "node:assert/strict";
import { InvariantError, silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { createKeys } from "./keys.ts";
import {
  acquireLease,
  FencedError,
  type Lease,
  type LedgerDeps,
  moneyScript,
  releaseLease,
  renewLease,
  runFenced,
} from "./leases.ts";
import { openStore } from "./redis.ts";
import { readStatus, writeStatus } from "./status.ts";

async function withLedger(work: (deps: LedgerDeps) => Promise<void>): Promise<void> {
  await using redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  await work({ store, keys: createKeys("t") });
  await store.close();
}

async function take(deps: LedgerDeps, holder: string, lifeMs = 60_000): Promise<Lease> {
  const lease = await acquireLease(deps, "unlocker", holder, lifeMs);
  assert.ok("token" in lease, "expected the lease");
  return lease;
}

const SET = moneyScript("set", `redis.call("SET", KEYS[2], ARGV[2]) return 1`);
const REFUSE = moneyScript("refuse", `return refuse("a is no b")`);

Deno.test("acquireLease() gives a role to one holder at a time, with rising tokens", async () => {
  await withLedger(async (deps) => {
    const first = await take(deps, "a");
    const refused = await acquireLease(deps, "unlocker", "b", 60_000);
    assert.ok("heldBy" in refused && refused.heldBy === "a" && refused.untilMs > 1e12);
    assert.ok("token" in await acquireLease(deps, "payer", "b", 60_000));
    assert.equal(await renewLease(deps, first, 60_000), true);
    assert.equal(await releaseLease(deps, first), true);
    assert.equal(await renewLease(deps, first, 60_000), false);
    const second = await take(deps, "b");
    assert.ok(BigInt(second.token) > BigInt(first.token));
    assert.equal(await releaseLease(deps, first), false);
  });
});

Deno.test("acquireLease() replaces a holder whose time is over, or of the same name", async () => {
  await withLedger(async (deps) => {
    const first = await take(deps, "a", -1);
    assert.equal(await renewLease(deps, first, -1), true);
    const second = await take(deps, "b");
    assert.equal(await renewLease(deps, first, 60_000), false);
    const again = await take(deps, "b");
    assert.ok(BigInt(again.token) > BigInt(second.token));
  });
});

Deno.test("runFenced() writes nothing for a former holder and names broken checks", async () => {
  await withLedger(async (deps) => {
    const first = await take(deps, "a");
    await runFenced(deps, first, SET, ["t:x"], ["1"]);
    const second = await take(deps, "a");
    await assert.rejects(runFenced(deps, first, SET, ["t:x"], ["2"]), FencedError);
    assert.equal(await deps.store.command("GET", "t:x"), "1");
    await assert.rejects(
      runFenced(deps, second, REFUSE, [], []),
      (error) => error instanceof InvariantError && /a is no b/.test(error.message),
    );
    await releaseLease(deps, second);
    await assert.rejects(runFenced(deps, second, SET, ["t:x"], ["3"]), FencedError);
  });
});

Deno.test("acquireLease() never gives a token twice, even when Redis lost the last ones", async () => {
  await withLedger(async (deps) => {
    const { store, keys } = deps;
    const before = await take(deps, "a");
    // A promoted replica, or a backup, that knows nothing of the first lease.
    await store.command("DEL", keys.own.lease("unlocker"), keys.own.fence("unlocker"));
    const after = await take(deps, "b");
    assert.ok(BigInt(after.token) > BigInt(before.token));
    await assert.rejects(runFenced(deps, before, SET, ["x"], ["1"]), FencedError);
    await runFenced(deps, after, SET, ["x"], ["2"]);
  });
});

Deno.test("acquireLease() gives nobody a role while an old pool still mines on the database", async () => {
  await withLedger(async (deps) => {
    const { store, keys } = deps;
    const mine = (agoSeconds: number, n: number) => {
      const seconds = Math.floor(Date.now() / 1000) - agoSeconds;
      return store.command("ZADD", keys.hashrate(), String(seconds), `50000:0x11:rig:${n}`);
    };
    await mine(120, 1);
    const lease = await take(deps, "a");
    await mine(2, 2);
    assert.equal(await renewLease(deps, lease, 60_000), false);
    await assert.rejects(runFenced(deps, lease, SET, ["k"], ["1"]), FencedError);
    const refused = await acquireLease(deps, "unlocker", "a", 60_000);
    assert.match("heldBy" in refused ? refused.heldBy : "", /open-ethereum-pool that still writes/);
    await store.command("ZREMRANGEBYRANK", keys.hashrate(), "-1", "-1");
    await take(deps, "a");
  });
});

Deno.test("writeStatus() does not let a spare hide why the holder halted", async () => {
  await withLedger(async (deps) => {
    const halted = { state: "halted", reason: "Nonce 7", mend: "accept it", sinceMs: 1 } as const;
    const standby = { state: "standby", reason: "one is the payer", mend: "", sinceMs: 2 } as const;
    await writeStatus(deps, "payer", standby);
    assert.deepEqual(await readStatus(deps), { payer: standby });
    await writeStatus(deps, "payer", halted);
    await writeStatus(deps, "payer", standby);
    assert.deepEqual(await readStatus(deps), { payer: halted });
  });
});
