/** Payments that go out together: each payee's fate, every crash, and what may not be tied up again. */
import assert from "node:assert/strict";
import { MULTISEND } from "../../scripts/dev_chain/multisend.ts";
import { compileMultisend } from "../../scripts/compile_multisend.ts";
import {
  Crash,
  crashAt,
  minerAddress,
  openPayerWorld,
  type PayerWorld,
} from "../../tests/support/payer_world.ts";
import { shannonToWei } from "../base/mod.ts";
import { audit, readBooks } from "../ledger/mod.ts";
import { MULTISEND_CREATION, MULTISEND_RUNTIME } from "./contracts/multisend_code.ts";
import { HaltError } from "./halt.ts";
import { previewRun } from "./preview.ts";
import { readTransactionFields } from "./transactions.ts";

const BATCH = { contract: MULTISEND, size: 3 };
const AMOUNTS = [5_000n, 4_000n, 3_000n, 2_000n, 1_000n];

async function openWorld(more = {}): Promise<PayerWorld> {
  const world = await openPayerWorld({ options: { batch: BATCH, ...more } });
  for (const [i, amount] of AMOUNTS.entries()) await world.credit(minerAddress(i + 1), amount);
  return world;
}

/** Each miner got its due, once: on the chain and in the books. */
async function allPaid(world: PayerWorld, but: readonly number[] = []): Promise<void> {
  for (const [i, amount] of AMOUNTS.entries()) {
    const login = minerAddress(i + 1), due = but.includes(i) ? 0n : amount;
    const { paidShannon, balanceShannon, pendingShannon } = await world.accounts.account(login);
    assert.equal(await world.node.getBalance(login), shannonToWei(due), login);
    assert.deepEqual([paidShannon, balanceShannon, pendingShannon], [due, amount - due, 0n], login);
  }
  assert.deepEqual(audit(await readBooks(world)).findings.filter(isFault), []);
}

/** Balances here come from nowhere: no block has credited them. */
function isFault({ rule }: { rule: string }): boolean {
  return rule !== "credits";
}

Deno.test("MULTISEND_RUNTIME is what the contract's source compiles to", async () => {
  assert.deepEqual(await compileMultisend(), {
    creation: MULTISEND_CREATION,
    runtime: MULTISEND_RUNTIME,
  });
});

Deno.test("payBatch() pays many in few transactions, gas shared to the wei", async () => {
  await using world = await openWorld();
  const before = await world.node.getBalance(world.from);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  life.close();
  await allPaid(world);
  assert.equal(await world.node.getTransactionCount(world.from, "latest"), 2);
  const spent = before - await world.node.getBalance(world.from);
  const [shannon, rest] = await world.store.command(
    ...["HMGET", world.keys.own.poolAccounts(), "gasShannon", "gasWeiRest"],
  ) as string[];
  const gasWei = BigInt(shannon!) * 1_000_000_000n + BigInt(rest!);
  assert.equal(spent, shannonToWei(15_000n) + gasWei);
});

Deno.test("previewRun() shows what goes out together, and a run then does so", async () => {
  await using world = await openWorld();
  const { payments, accounts, node, clock, options, from, minerSettings: settings } = world;
  const reader = { payments, accounts, node, clock, options, settings, chainId: 1337 };
  const preview = await previewRun({ ...reader, signer: { address: from } });
  assert.deepEqual(preview.payments.map(({ nonce }) => nonce), [0, 0, 0, 1, 1]);
  const life = world.start();
  const seen = new Map<string, { nonce: number; gas: bigint }>();
  await world.drive(life, async () => {
    for (const { login, signed } of await payments.open()) {
      if (signed === undefined) continue;
      const { fee } = readTransactionFields(signed.raw);
      seen.set(login, { nonce: signed.nonce, gas: fee.gas });
    }
    return await world.isQuiet();
  });
  life.close();
  for (const { login, nonce, fee } of preview.payments) {
    assert.deepEqual(seen.get(login), { nonce, gas: fee.gas });
  }
});

Deno.test("payBatch() returns the debit of a payee that refuses, and holds it", async () => {
  await using world = await openWorld();
  world.dev.chain.reverts.add(minerAddress(2));
  const life = world.start();
  await world.drive(life, world.isQuiet);
  life.close();
  await allPaid(world, [1]);
  assert.deepEqual(await world.payments.held(), [minerAddress(2)]);
});

Deno.test("payBatch() halts on a contract that it does not know, before any debit", async () => {
  await using world = await openWorld({ batch: { ...BATCH, contract: minerAddress(9) } });
  const life = world.start();
  await assert.rejects(
    async () => {
      for (let i = 0; i < 5; i++) await life.step(world.lease);
    },
    (error) => error instanceof HaltError && /not the multisend contract/.test(error.message),
  );
  life.close();
  assert.deepEqual(await world.payments.open(), []);
});

Deno.test("payBatch() signs nothing that no block can hold, and says what to lower", async () => {
  await using world = await openWorld();
  const life = world.start({
    wrap: (part) => {
      if (!("getBlock" in part)) return part;
      const getBlock: typeof world.node.getBlock = async (...args) => {
        const block = await world.node.getBlock(...args);
        return block && { ...block, gasLimit: 200_000n };
      };
      return { ...part, getBlock };
    },
  });
  await assert.rejects(
    async () => {
      for (let i = 0; i < 5; i++) await life.step(world.lease);
    },
    /3 in one transaction need \d+ gas, and a block has 200000: lower payouts\.batch\.size/,
  );
  life.close();
  assert.deepEqual(await world.payments.open(), []);
});

Deno.test("payBatch() keeps the daily cap", async () => {
  await using world = await openWorld({ dailyCapShannon: 9_500n });
  const life = world.start();
  for (let i = 0; i < 40; i++) {
    await life.step(world.lease);
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  life.close();
  let paid = 0n;
  for (const i of AMOUNTS.keys()) {
    paid += (await world.accounts.account(minerAddress(i + 1))).paidShannon;
  }
  assert.ok(paid > 0n && paid <= 9_500n, String(paid));
});

for (const when of ["before", "after"] as const) {
  Deno.test(`a process that dies ${when} any call pays each of a batch once`, async () => {
    await using world = await openPayerWorld({ options: { batch: BATCH } });
    for (let nth = 1, reached = true; reached; nth++) {
      const logins = [1, 2, 3].map((n) => minerAddress(10 * nth + n));
      for (const login of logins) await world.credit(login, 5_000n);
      const crash = crashAt(nth, when);
      const dies = world.start({ wrap: crash.wrap });
      reached = await world.drive(dies, world.isQuiet).then(() => false, (error) => {
        if (error instanceof Crash) return true;
        throw error;
      });
      dies.close();
      const next = world.start();
      if (reached) await world.drive(next, world.isQuiet);
      next.close();
      for (const login of logins) {
        assert.equal(await world.receivedWei(login), shannonToWei(5_000n), `${when} call ${nth}`);
        assert.equal((await world.accounts.account(login)).paidShannon, 5_000n);
      }
      if (!reached) assert.ok(nth > 50, `only ${nth} calls were tried`);
    }
    assert.deepEqual(audit(await readBooks(world)).findings.filter(isFault), []);
  });
}

Deno.test("a batch that Redis forgot after its broadcast is booked again as a whole", async () => {
  await using world = await openWorld();
  const first = world.start();
  const backup = await snapshot(world);
  for (let i = 0; i < 3; i++) await first.step(world.lease);
  assert.equal((await world.payments.open()).length, 3);
  first.close();
  await restore(world, backup);
  const next = world.start();
  await world.drive(next, world.isQuiet);
  next.close();
  await allPaid(world);
});

Deno.test("a forgotten batch waits for its miners' earlier payments, which Redis has as open", async () => {
  await using world = await openWorld();
  const first = world.start();
  for (let i = 0; i < 3; i++) await first.step(world.lease);
  const earlier = await world.payments.open();
  assert.equal(earlier.length, 3);
  const backup = await snapshot(world);
  await world.drive(first, world.isQuiet);
  // Another order of miners than before: the first of the batch is free, the second is not.
  const again = [4, 1, 2];
  for (const [i, n] of again.entries()) await world.credit(minerAddress(n), 9_000n - BigInt(i));
  for (let i = 0; i < 10 && (await world.payments.open()).length < 3; i++) {
    await world.clock.advance(61_000);
    await first.step(world.lease);
  }
  assert.equal((await world.payments.open()).length, 3);
  first.close();
  await restore(world, backup);
  // The backup is older than the blocks that credited them.
  for (const [i, n] of again.entries()) await world.credit(minerAddress(n), 9_000n - BigInt(i));
  const next = world.start();
  for (let i = 0; i < 60 && !await world.isQuiet(); i++) {
    await next.step(world.lease).catch((error) => assert.match(String(error), /booked again/));
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  next.close();
  for (const [i, amount] of AMOUNTS.entries()) {
    const place = again.indexOf(i + 1);
    const due = amount + (place < 0 ? 0n : 9_000n - BigInt(place));
    assert.equal(await world.receivedWei(minerAddress(i + 1)), shannonToWei(due), `miner ${i + 1}`);
    assert.equal((await world.accounts.account(minerAddress(i + 1))).paidShannon, due);
  }
  assert.equal(await world.node.getTransactionCount(world.from, "latest"), 3);
});

Deno.test("createRun() keeps several batches in flight", async () => {
  await using world = await openWorld({ inFlight: 2, batch: { ...BATCH, size: 2 } });
  const life = world.start();
  for (let i = 0; i < 5; i++) await life.step(world.lease);
  const nonces = (await world.payments.open()).map(({ signed }) => signed?.nonce);
  assert.deepEqual(nonces, [0, 0, 1, 1]);
  await world.drive(life, world.isQuiet);
  life.close();
  await allPaid(world);
});

/** All money of the world, as text; strings and hashes and sorted sets are all there is. */
async function snapshot({ store }: PayerWorld): Promise<Map<string, string[]>> {
  const all = new Map<string, string[]>();
  for (const name of await store.command("KEYS", "*") as string[]) {
    const kind = await store.command("TYPE", name);
    if (kind === "hash") {
      all.set(name, ["HSET", name, ...await store.command("HGETALL", name) as string[]]);
    } else if (kind === "zset") {
      const flat = await store.command("ZRANGE", name, "0", "-1", "WITHSCORES") as string[];
      all.set(name, ["ZADD", name, ...flat.toReversed()]);
    } else if (kind === "string") {
      all.set(name, ["SET", name, await store.command("GET", name) as string]);
    }
  }
  return all;
}

async function restore({ store }: PayerWorld, backup: Map<string, string[]>): Promise<void> {
  await store.command("FLUSHALL");
  for (const command of backup.values()) await store.command(...command);
}
