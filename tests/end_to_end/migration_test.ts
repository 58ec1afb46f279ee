/**
 * A real Go pool's database, taken over in the middle of its work: quarry unlocks and pays what the
 * chain owes, to the Shannon, and the Go pool could go on with what it leaves.
 */
import assert from "node:assert/strict";
import { denoArguments } from "../../scripts/process_rights.ts";
import { shannonToWei } from "../../modules/base/mod.ts";
import { listOf, recordOf } from "../../modules/ledger/mod.ts";
import { POOL } from "../support/kill_node.ts";
import {
  asFriends,
  GO_REWARD,
  type GoDatabase,
  mineRecorded,
  writeDatabase,
} from "../support/go_pool.ts";
import { unreadableForGo } from "../support/go_reader.ts";
import { type KillWorld, openKillWorld } from "../support/kill_world.ts";
import { until } from "../support/process.ts";

const MINER = "0x" + "11".repeat(20), FEE = "0x" + "fe".padStart(40, "0");
const PREFIX = "t";

/** Opens the recorded pool's chain and database, changed by `change`. */
async function openGoPool(
  stack: AsyncDisposableStack,
  change: (database: GoDatabase) => GoDatabase = (database) => database,
): Promise<KillWorld> {
  const { chain, database } = await mineRecorded(stack, PREFIX);
  const world = await openKillWorld(stack, {
    ...{ node: chain, roles: { unlocker: true, payouts: true }, inFlight: 2 },
    ...{ reward: GO_REWARD, feeAddress: FEE },
  });
  await writeDatabase(world.store, change(database));
  return world;
}

/** Runs a command of the project on the world's configuration. */
async function task(world: KillWorld, name: "migrate" | "payouts" | "audit", ...args: string[]) {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: denoArguments(name, [await world.writeConfig("two"), ...args]),
    ...{ stdin: "null", stdout: "piped", stderr: "inherit" },
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

/** What a miner has in the books (Shannon). */
async function account(world: KillWorld, login: string) {
  return await world.accounts.account(login);
}

/** Lets quarry finish everything, and compares books, chain and what the Go pool can read. */
async function takeOver(world: KillWorld): Promise<void> {
  const before = { miner: await account(world, MINER), fee: await account(world, FEE) };
  await world.chain.mine(40);
  await world.start();
  await world.untilSettled();
  await world.kill();
  const report = await task(world, "audit");
  assert.equal(report.code, 0, report.text);
  // All that the coinbase ever got, of blocks and of uncles, is somebody's but the dust.
  const own = recordOf(await world.store.command("HGETALL", world.keys.own.poolAccounts()));
  const dustWei = shannonToWei(BigInt(own["dustShannon"] ?? 0)) + BigInt(own["dustWeiRest"] ?? 0);
  const [miner, fee] = [await account(world, MINER), await account(world, FEE)];
  assert.equal(
    shannonToWei(miner.paidShannon + fee.paidShannon) + dustWei,
    await world.node.getBalance(POOL),
  );
  for (const [login, was, now] of [[MINER, before.miner, miner], [FEE, before.fee, fee]] as const) {
    assert.deepEqual([now.balanceShannon, now.immatureShannon, now.pendingShannon], [0n, 0n, 0n]);
    const got = await world.node.getBalance(login);
    assert.equal(got, shannonToWei(now.paidShannon - was.paidShannon), `${login} on the chain`);
  }
  assert.equal(await world.store.command("HLEN", world.keys.own.blocksUnknown()), 0);
}

Deno.test("a Go pool's database is taken over mid-run: unlocked, paid, and still the Go pool's", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await openGoPool(stack);
  assert.deepEqual(await unreadableForGo(world.store, PREFIX), []);
  const { code, text } = await task(world, "migrate");
  assert.equal(code, 0, text);
  assert.match(text, /quarry can take over/);
  await takeOver(world);
  const rows = listOf(await world.store.command("ZRANGE", world.keys.matured(), "0", "-1"));
  assert.equal(rows.length, 51);
  // Two siblings became uncles: the row begins with the uncle's height.
  assert.equal(rows.filter((row) => !row.startsWith("0:")).length, 2);
  assert.deepEqual(await unreadableForGo(world.store, PREFIX), []);
  assert.equal((await task(world, "payouts", "settle", "--before-rollback")).code, 0);
});

Deno.test("open-etc-pool-friends' rows are taken over as they are, and rewritten to go back", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await openGoPool(stack, (database) => asFriends(database, PREFIX));
  const { code, text } = await task(world, "migrate");
  assert.equal(code, 0, text);
  assert.match(text, /17 of open-etc-pool-friends/);
  await takeOver(world);
  assert.notDeepEqual(await unreadableForGo(world.store, PREFIX), []);
  assert.equal((await task(world, "migrate", "--upgrade-friends")).code, 0);
  const left = (await unreadableForGo(world.store, PREFIX)).map((line) => line.split(":")[0]);
  // Keys of its own, which open-ethereum-pool never looks at.
  assert.deepEqual(left.sort(), [
    "charts",
    "lastshares is no key of its",
    "minerShare",
    "settings",
  ]);
});

Deno.test("a payment that the Go pool left pending stops the payer until the chain has its word", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await openGoPool(stack);
  const { store, keys } = world;
  // Debited and locked, never sent: the Go pool died in between.
  const [amount, row] = ["350000000", `${FEE}:350000000`];
  await store.multi([
    ["HINCRBY", keys.miner(FEE), "balance", `-${amount}`],
    ["HINCRBY", keys.miner(FEE), "pending", amount],
    ["HINCRBY", keys.finances(), "balance", `-${amount}`],
    ["HINCRBY", keys.finances(), "pending", amount],
    ["ZADD", keys.paymentsPending(), `${Math.floor(Date.now() / 1000)}`, row],
    ["SET", keys.paymentsLock(), row],
  ]);
  const { code, text } = await task(world, "migrate");
  assert.equal(code, 1);
  assert.match(text, /left a payment unfinished .*resolve/);
  await world.start();
  await until("the payer's halt", async () => {
    const status = await store.command("HGET", keys.own.status(), "payer");
    return String(status).includes("halted") && String(status).includes(row);
  }, 60_000);
  assert.equal(await world.chain.transactionCount("pending"), 0);
  await world.kill();
  await world.chain.mine(10);
  const resolved = await task(world, "payouts", "resolve", row);
  assert.equal(resolved.code, 0, resolved.text);
  assert.match(resolved.text, /the debit is returned/);
  assert.equal((await account(world, FEE)).balanceShannon, 350_000_000n);
  await takeOver(world);
  assert.deepEqual(await unreadableForGo(store, PREFIX), []);
});
