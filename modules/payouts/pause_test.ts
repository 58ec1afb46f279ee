/** Payments paused by hand, and options that change between two runs: a real Redis and a chain. */
import assert from "node:assert/strict";
import { pausePayouts, resumePayouts } from "../ledger/mod.ts";
import { minerAddress, openPayerWorld, type PayerWorld } from "../../tests/support/payer_world.ts";

const pauseOf = (world: PayerWorld) =>
  pausePayouts({ ...world, waitReplicas: 0 }, { who: "ann", reason: "looking" });

Deno.test("createRun() reserves nothing while paused, settles what is signed, then goes on", async () => {
  await using world = await openPayerWorld();
  for (const n of [1, 2, 3]) await world.credit(minerAddress(n), 5_000n);
  const life = world.start();
  const sent = async () => (await world.payments.open()).some(({ state }) => state === "sent");
  for (let i = 0; i < 10 && !await sent(); i++) await life.step(world.lease);
  assert.equal(await pauseOf(world), true);
  assert.equal(await pauseOf(world), false);
  await world.drive(life, async () => (await world.payments.open()).length === 0);
  const paid = async () =>
    (await Promise.all([1, 2, 3].map((n) => world.receivedWei(minerAddress(n)))))
      .filter((wei) => wei > 0n).length;
  assert.equal(await paid(), 1);
  const { reason, mend } = await life.step(world.lease);
  assert.equal(reason, "paused by the operator: looking");
  assert.match(mend!, /payouts resume/);
  // A process that starts anew finds it too.
  life.close();
  const after = world.start();
  for (let i = 0; i < 5; i++) await after.step(world.lease);
  assert.equal((await world.payments.open()).length, 0);
  assert.equal((await resumePayouts(world))?.who, "ann");
  await world.drive(after, () => world.isQuiet());
  assert.equal(await paid(), 3);
  after.close();
});

Deno.test("createRun() leaves a reserved payment unsigned while paused", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const dying = world.start({
    moment(name) {
      if (name === "reserved") throw new Error("died");
    },
  });
  await assert.rejects(async () => {
    for (let i = 0; i < 5; i++) await dying.step(world.lease);
  }, /died/);
  dying.close();
  await pauseOf(world);
  const life = world.start();
  for (let i = 0; i < 5; i++) await life.step(world.lease);
  assert.deepEqual((await world.payments.open()).map(({ state }) => state), ["reserved"]);
  await resumePayouts(world);
  await world.drive(life, () => world.isQuiet());
  assert.ok(await world.receivedWei(minerAddress(1)) > 0n);
  life.close();
});

Deno.test("adopt() holds from the next run on, and not for the one under way", async () => {
  await using world = await openPayerWorld();
  for (const n of [1, 2]) await world.credit(minerAddress(n), 5_000n);
  const life = world.start();
  const isOpen = async () => (await world.payments.open()).length > 0;
  for (let i = 0; i < 10 && !await isOpen(); i++) await life.step(world.lease);
  life.adopt({ ...world.options, thresholdShannon: 6_000n, minThresholdShannon: 6_000n });
  // The second one was planned with the former threshold.
  await world.drive(life, () => world.isQuiet());
  assert.ok(await world.receivedWei(minerAddress(2)) > 0n);
  await world.credit(minerAddress(3), 5_000n);
  await world.credit(minerAddress(4), 6_000n);
  life.runNow();
  await world.drive(life, async () => await world.receivedWei(minerAddress(4)) > 0n);
  assert.equal(await world.receivedWei(minerAddress(3)), 0n);
  life.close();
});
