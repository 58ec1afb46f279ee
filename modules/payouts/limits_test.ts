/** Money limits over the real ledger: who bears gas, the day's cap, thresholds of miners. */
import assert from "node:assert/strict";
import { shannonToWei } from "../base/mod.ts";
import { recordOf } from "../ledger/mod.ts";
import { until } from "../../tests/support/process.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { minerAddress, openPayerWorld, type PayerWorld } from "../../tests/support/payer_world.ts";

const GWEI = 1_000_000_000n;

async function gasBooks(world: PayerWorld) {
  const fields = recordOf(await world.store.command("HGETALL", world.keys.own.poolAccounts()));
  const wei = (name: string) =>
    shannonToWei(BigInt(fields[`${name}Shannon`]!)) + BigInt(fields[`${name}WeiRest`]!);
  return { spentWei: wei("gas"), shareWei: wei("gasShare") };
}

for (const baseFee of [false, true]) {
  const kind = baseFee ? "EIP-1559" : "legacy";
  Deno.test(`createRun() takes gas from the amount, and the books agree with the chain (${kind})`, async () => {
    await using world = await openPayerWorld({ baseFee, options: { feePaidBy: "miner" } });
    const beforeWei = await world.node.getBalance(world.from);
    await world.credit(minerAddress(1), 900_000n);
    const life = world.start();
    await world.drive(life, world.isQuiet);
    life.close();
    const { spentWei, shareWei } = await gasBooks(world);
    // What the miner was debited is what was sent and the gas share, to the wei.
    const receivedWei = await world.receivedWei(minerAddress(1));
    assert.equal(receivedWei + shareWei, shannonToWei(900_000n));
    assert.equal((await world.accounts.account(minerAddress(1))).paidShannon, 900_000n);
    assert.deepEqual(await world.sums(), { minersShannon: 900_000n, financesShannon: 900_000n });
    assert.ok(baseFee ? shareWei > spentWei : shareWei === spentWei);
    // What of the share was not used stays in the wallet.
    const afterWei = await world.node.getBalance(world.from);
    assert.equal(beforeWei - afterWei, receivedWei + spentWei);
  });
}

Deno.test("createRun() books the pool's gas when it bears it", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  life.close();
  assert.deepEqual(await gasBooks(world), { spentWei: 21_000n * GWEI, shareWei: 0n });
});

Deno.test("createRun() leaves out whom gas would cost everything, or more than allowed", async () => {
  await using world = await openPayerWorld({ options: { feePaidBy: "miner" } });
  await world.credit(minerAddress(1), 21_000n);
  await world.credit(minerAddress(2), 90_000n);
  const feeCeilingWei = 21_000n * GWEI - 1n;
  await world.minerSettings.write(minerAddress(2), { feeCeilingWei, nonce: 1, updatedAt: 1 });
  await world.credit(minerAddress(3), 21_001n);
  const life = world.start();
  await world.drive(life, async () => await world.receivedWei(minerAddress(3)) > 0n);
  life.close();
  assert.equal(await world.receivedWei(minerAddress(3)), shannonToWei(1n));
  for (const [n, amount] of [[1, 21_000n], [2, 90_000n]] as const) {
    assert.equal((await world.accounts.account(minerAddress(n))).balanceShannon, amount);
  }
});

Deno.test("createRun() returns a debit when gas has come to cost all of it before it was signed", async () => {
  await using world = await openPayerWorld({ options: { feePaidBy: "miner" } });
  await world.credit(minerAddress(1), 30_000n);
  const { payments, lease } = world;
  const one = { id: "p1", login: minerAddress(1), amountShannon: 30_000n };
  await payments.reserve(lease, one, 1_700_000_000);
  world.dev.face.tipWei = 2n * GWEI;
  const life = world.start();
  await life.step(lease);
  life.close();
  assert.equal((await payments.payment("p1"))!.state, "reverted");
  assert.deepEqual(await payments.held(), []);
  assert.equal((await world.accounts.account(minerAddress(1))).balanceShannon, 30_000n);
});

Deno.test("createRun() pays within the day's cap, through a restart, and goes on the next day", async () => {
  await using world = await openPayerWorld({ options: { dailyCapShannon: 10_000n } });
  for (const [n, amount] of [[1, 6_000n], [2, 5_000n], [3, 4_000n], [4, 2_000n]] as const) {
    await world.credit(minerAddress(n), amount);
  }
  const received = async () => {
    const all = await Promise.all([1, 2, 3, 4].map((n) => world.receivedWei(minerAddress(n))));
    return all.map((wei) => wei / GWEI);
  };
  const life = world.start();
  for (let i = 0; i < 20; i++) {
    await life.step(world.lease);
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  life.close();
  assert.deepEqual(await received(), [6_000n, 0n, 4_000n, 0n]);
  const next = world.start();
  for (let i = 0; i < 10; i++) {
    await next.step(world.lease);
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  assert.deepEqual(await received(), [6_000n, 0n, 4_000n, 0n]);
  await world.clock.advance(86_400_000);
  await world.drive(next, world.isQuiet);
  next.close();
  assert.deepEqual(await received(), [6_000n, 5_000n, 4_000n, 2_000n]);
});

Deno.test("createRun() pays by each miner's own threshold within the bounds", async () => {
  await using world = await openPayerWorld({ options: { minThresholdShannon: 500n } });
  const set = (n: number, thresholdShannon: bigint) =>
    world.minerSettings.write(minerAddress(n), { thresholdShannon, nonce: 1, updatedAt: 1 });
  await set(1, 600n);
  await set(2, 100n);
  await set(3, 9_000n);
  await world.credit(minerAddress(1), 600n);
  await world.credit(minerAddress(2), 499n);
  await world.credit(minerAddress(3), 8_999n);
  await world.credit(minerAddress(4), 1_000n);
  const life = world.start();
  for (let i = 0; i < 12; i++) {
    await life.step(world.lease);
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  life.close();
  const received = await Promise.all([1, 2, 3, 4].map((n) => world.receivedWei(minerAddress(n))));
  assert.deepEqual(received, [shannonToWei(600n), 0n, 0n, shannonToWei(1_000n)]);
});

Deno.test("createRun() broadcasts nothing that too few replicas have, and goes on once they are there", async () => {
  await using world = await openPayerWorld({ waitReplicas: 1 });
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await life.step(world.lease);
  for (let i = 0; i < 2; i++) {
    await assert.rejects(life.step(world.lease), /0 of 1 replicas \(redis.waitReplicas\)/);
  }
  assert.equal((await world.payments.open())[0]!.state, "signed");
  assert.equal(world.dev.server.calls.includes("eth_sendRawTransaction"), false);
  const args = ["--replicaof", "127.0.0.1", String(world.redisPort)];
  await using _replica = await startRedis({ args });
  await until("the replica", async () => {
    return /connected_slaves:1[^]*state=online/.test(
      String(await world.store.command("INFO", "replication")),
    );
  });
  await world.drive(life, world.isQuiet);
  life.close();
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
});
