/** The payer's process dies anywhere, and every miner is paid exactly once nevertheless. */
import assert from "node:assert/strict";
import { shannonToWei } from "../base/mod.ts";
import { Crash, crashAt, minerAddress, openPayerWorld } from "../../tests/support/payer_world.ts";
import type { PayerWorld } from "../../tests/support/payer_world.ts";
import type { Moment } from "./mod.ts";

const MOMENTS: Moment[] = [
  ...["quoted", "reserved", "built", "signed", "journalled", "broadcast", "sent"] as const,
];

/** Asserts that a miner got what was owed, once, and that no Shannon appeared or vanished. */
async function assertPaidOnce(
  world: PayerWorld,
  login: string,
  amountShannon: bigint,
  sum: bigint,
): Promise<void> {
  assert.equal(await world.receivedWei(login), shannonToWei(amountShannon));
  const account = await world.accounts.account(login);
  assert.deepEqual(
    [account.balanceShannon, account.pendingShannon, account.paidShannon],
    [0n, 0n, amountShannon],
  );
  const rows = await world.store.command("ZRANGE", world.keys.paymentsOf(login), "0", "-1");
  assert.equal((rows as string[]).length, 1);
  const { minersShannon, financesShannon } = await world.sums();
  assert.deepEqual([minersShannon, financesShannon], [sum, sum]);
  assert.deepEqual(await world.payments.foreignRows(), []);
}

/** Steps a process until it dies; false when it came to its end alive. */
async function liveUntilCrash(world: PayerWorld, life: ReturnType<PayerWorld["start"]>) {
  try {
    await world.drive(life, world.isQuiet);
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return true;
  } finally {
    life.close();
  }
}

Deno.test("createRun() pays exactly once after dying between any two steps of a payment", async () => {
  await using world = await openPayerWorld();
  let sum = 0n;
  for (const [i, moment] of MOMENTS.entries()) {
    const login = minerAddress(i), amountShannon = 5_000n + BigInt(i);
    await world.credit(login, amountShannon);
    sum += amountShannon;
    const dies = (name: Moment) => {
      if (name === moment) throw new Crash(name);
    };
    assert.equal(await liveUntilCrash(world, world.start({ moment: dies })), true, moment);
    assert.equal(await liveUntilCrash(world, world.start()), false);
    await assertPaidOnce(world, login, amountShannon, sum);
  }
});

Deno.test("createRun() pays each of several in flight once after dying between any two steps", async () => {
  await using world = await openPayerWorld({ options: { inFlight: 3 } });
  let sum = 0n;
  for (const [i, moment] of MOMENTS.entries()) {
    const logins = [0, 1, 2].map((n) => minerAddress(10 * i + n));
    for (const login of logins) await world.credit(login, 5_000n);
    sum += 15_000n;
    let times = 0;
    // The second payment of the run: one is in flight already.
    const dies = (name: Moment) => {
      if (name === moment && ++times === 2) throw new Crash(name);
    };
    assert.equal(await liveUntilCrash(world, world.start({ moment: dies })), true, moment);
    assert.equal(await liveUntilCrash(world, world.start()), false);
    for (const login of logins) await assertPaidOnce(world, login, 5_000n, sum);
  }
});

for (const when of ["before", "after"] as const) {
  Deno.test(`createRun() pays exactly once after dying ${when} any call to node, ledger or journal`, async () => {
    await using world = await openPayerWorld();
    let sum = 0n;
    for (let nth = 1, reached = true; reached; nth++) {
      const login = minerAddress(nth), amountShannon = 10_000n + BigInt(nth);
      await world.credit(login, amountShannon);
      sum += amountShannon;
      const fault = crashAt(nth, when);
      reached = await liveUntilCrash(world, world.start({ wrap: fault.wrap }));
      assert.equal(reached, fault.reached());
      if (reached) assert.equal(await liveUntilCrash(world, world.start()), false);
      await assertPaidOnce(world, login, amountShannon, sum);
      if (!reached) assert.ok(nth > 40, `only ${nth} calls were tried`);
    }
  });
}

Deno.test("createRun() pays exactly once when the reply to a broadcast is lost", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 7_000n);
  world.dev.server.fail("eth_sendRawTransaction", 1, "lost");
  assert.equal(await liveUntilCrash(world, world.start()), false);
  await assertPaidOnce(world, minerAddress(1), 7_000n, 7_000n);
});

Deno.test("createRun() sends the same bytes again when the node forgets them", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 7_000n);
  const life = world.start();
  await life.step(world.lease);
  await life.step(world.lease);
  const [payment] = await world.payments.open();
  assert.equal(payment!.state, "sent");
  world.dev.chain.mempool.drop(payment!.signed!.hash);
  assert.equal(await liveUntilCrash(world, life), false);
  await assertPaidOnce(world, minerAddress(1), 7_000n, 7_000n);
  assert.deepEqual((await world.payments.payment(payment!.id))!.hashes, [payment!.signed!.hash]);
});
