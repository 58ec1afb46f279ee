/** Replacements for a higher fee: when, how often, which one is mined, and through a crash. */
import assert from "node:assert/strict";
import { shannonToWei } from "../base/mod.ts";
import {
  Crash,
  crashAt,
  minerAddress,
  openPayerWorld,
  type PayerWorld,
} from "../../tests/support/payer_world.ts";
import type { Moment } from "./mod.ts";
import { readTransactionFields } from "./transactions.ts";

const GWEI = 1_000_000_000n;
const BUMP = { bumpAfterMs: 600_000 };

/** Sends one payment that no block takes, and lets the time of a bump come. */
async function stuck(settings: Parameters<typeof openPayerWorld>[0] = {}) {
  const world = await openPayerWorld({ ...settings, options: { ...BUMP, ...settings.options } });
  await world.credit(minerAddress(1), 5_000n);
  world.dev.chain.mempool.hold(true);
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  const [payment] = await world.payments.open();
  assert.equal(payment!.state, "sent");
  return { world, life, payment: payment! };
}

/** Asserts that the miner got the amount once, and that the books agree. */
async function assertPaid(world: PayerWorld, id: string, hash: string): Promise<void> {
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
  assert.equal((await world.payments.payment(id))!.state, "confirmed");
  const rows = await world.store.command("ZRANGE", world.keys.paymentsAll(), "0", "-1");
  assert.deepEqual(rows, [`${hash}:${minerAddress(1)}:5000`]);
  assert.deepEqual(await world.sums(), { minersShannon: 5_000n, financesShannon: 5_000n });
}

for (const baseFee of [false, true]) {
  const name = baseFee ? "an EIP-1559" : "a legacy";
  Deno.test(`createRun() replaces ${name} transaction when its time has come and the market rose`, async () => {
    const { world, life, payment } = await stuck({ baseFee });
    await using _world = world;
    await world.clock.advance(590_000);
    world.dev.face.tipWei = 50n * GWEI;
    await life.step(world.lease);
    assert.equal((await world.payments.open())[0]!.hashes.length, 1);
    await world.clock.advance(11_000);
    world.dev.face.tipWei = GWEI;
    await life.step(world.lease);
    assert.equal((await world.payments.open())[0]!.hashes.length, 1);
    world.dev.face.tipWei = 3n * GWEI;
    await life.step(world.lease);
    const [bumped] = await world.payments.open();
    assert.equal(bumped!.state, "sent");
    assert.equal(bumped!.hashes.length, 2);
    assert.equal(world.dev.chain.mempool.get(payment.signed!.hash), undefined);
    assert.ok(world.dev.chain.mempool.get(bumped!.signed!.hash));
    const { fee, ...rest } = readTransactionFields(bumped!.signed!.raw);
    const before = readTransactionFields(payment.signed!.raw);
    assert.deepEqual({ ...rest, fee: before.fee }, before);
    assert.equal(fee.type, before.fee.type);
    // Not again before its time.
    await life.step(world.lease);
    assert.equal((await world.payments.open())[0]!.hashes.length, 2);
    world.dev.chain.mempool.hold(false);
    await world.drive(life, world.isQuiet);
    assert.deepEqual(life.payer.journal.entries().map(({ nonce }) => nonce), [0, 0]);
    life.close();
    await assertPaid(world, payment.id, bumped!.signed!.hash);
  });
}

Deno.test("createRun() books the earlier transaction when that one is mined", async () => {
  const { world, life, payment } = await stuck();
  await using _world = world;
  await world.clock.advance(601_000);
  world.dev.face.tipWei = 3n * GWEI;
  await life.step(world.lease);
  const [bumped] = await world.payments.open();
  world.dev.chain.mempool.drop(bumped!.signed!.hash);
  await world.node.sendRawTransaction(payment.signed!.raw);
  world.dev.chain.mempool.hold(false);
  await world.drive(life, world.isQuiet);
  life.close();
  await assertPaid(world, payment.id, payment.signed!.hash);
});

Deno.test("createRun() stays below maxFee, and sends the earlier bytes while the last are refused", async () => {
  const { world, life, payment } = await stuck({ options: { maxFeeWei: 2n * GWEI } });
  await using _world = world;
  await world.clock.advance(601_000);
  world.dev.face.tipWei = 3n * GWEI;
  await life.step(world.lease);
  assert.equal((await world.payments.open())[0]!.hashes.length, 1);
  assert.ok(world.records.some(({ event }) => event === "payment.bump.ceiling"));
  world.dev.face.tipWei = 2n * GWEI;
  world.dev.chain.mempool.drop(payment.signed!.hash);
  world.dev.server.fail("eth_sendRawTransaction", 1, "error");
  await life.step(world.lease);
  assert.equal((await world.payments.open())[0]!.hashes.length, 2);
  assert.ok(world.dev.chain.mempool.get(payment.signed!.hash));
  world.dev.chain.mempool.hold(false);
  await world.drive(life, world.isQuiet);
  life.close();
  await assertPaid(world, payment.id, payment.signed!.hash);
});

Deno.test("createRun() pays once after dying between any two steps of a replacement", async () => {
  for (const moment of ["built", "signed", "journalled", "broadcast", "sent"] as Moment[]) {
    const { world, life, payment } = await stuck();
    await using _world = world;
    life.close();
    await world.clock.advance(601_000);
    world.dev.face.tipWei = 3n * GWEI;
    const dying = world.start({
      moment(name) {
        if (name === moment) throw new Crash(name);
      },
    });
    await assert.rejects(dying.step(world.lease), Crash);
    dying.close();
    const next = world.start();
    await next.step(world.lease);
    assert.equal((await world.payments.open())[0]!.hashes.length, 2);
    world.dev.chain.mempool.hold(false);
    await world.drive(next, world.isQuiet);
    next.close();
    const { hashes } = (await world.payments.payment(payment.id))!;
    await assertPaid(world, payment.id, hashes.at(-1)!);
  }
});

Deno.test("createRun() takes a replacement from the journal that Redis has forgotten", async () => {
  const { world, life, payment } = await stuck();
  await using _world = world;
  await world.store.command("COPY", world.keys.own.payment(payment.id), "saved");
  await world.clock.advance(601_000);
  world.dev.face.tipWei = 3n * GWEI;
  await life.step(world.lease);
  const [bumped] = await world.payments.open();
  life.close();
  await world.store.command("COPY", "saved", world.keys.own.payment(payment.id), "REPLACE");
  world.dev.chain.mempool.hold(false);
  world.dev.chain.mine(1);
  const next = world.start();
  await world.drive(next, world.isQuiet);
  next.close();
  await assertPaid(world, payment.id, bumped!.signed!.hash);
});

for (const when of ["before", "after"] as const) {
  Deno.test(`createRun() pays once after dying ${when} any call around a replacement`, async () => {
    await using world = await openPayerWorld({ options: BUMP });
    let bumps = 0;
    for (let nth = 1, reached = true; reached; nth++) {
      const login = minerAddress(nth);
      world.dev.face.tipWei = GWEI;
      world.dev.chain.mempool.hold(true);
      await world.credit(login, 5_000n);
      const first = world.start();
      for (let i = 0; i < 3; i++) await first.step(world.lease);
      first.close();
      const [payment] = await world.payments.open();
      await world.clock.advance(601_000);
      world.dev.face.tipWei = 3n * GWEI;
      const fault = crashAt(nth, when);
      const dying = world.start({ wrap: fault.wrap });
      await dying.step(world.lease).catch((error) => assert.ok(error instanceof Crash, error));
      dying.close();
      reached = fault.reached();
      const next = world.start();
      await next.step(world.lease);
      world.dev.chain.mempool.hold(false);
      await world.drive(next, world.isQuiet);
      next.close();
      assert.equal(await world.receivedWei(login), shannonToWei(5_000n));
      const { hashes, state } = (await world.payments.payment(payment!.id))!;
      assert.equal(state, "confirmed");
      bumps += hashes.length - 1;
      const { minersShannon, financesShannon } = await world.sums();
      assert.deepEqual([minersShannon, financesShannon], [5_000n * BigInt(nth), minersShannon]);
      if (!reached) assert.ok(nth > 20, `only ${nth} calls were tried`);
    }
    assert.ok(bumps > 20, `only ${bumps} replacements`);
  });
}
