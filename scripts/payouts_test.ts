/** The commands for payments, over a real ledger. */
import assert from "node:assert/strict";
import { minerAddress, openPayerWorld } from "../tests/support/payer_world.ts";
import { runCommand } from "./payouts.ts";

Deno.test("runCommand() lists what is open and stands against a rollback until nothing is", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const run = (...args: string[]) => runCommand(args, world.payments, world.from);
  assert.deepEqual(await run("settle", "--before-rollback"), {
    lines: ["nothing is open"],
    exitCode: 0,
  });
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  const { lines } = await run("open");
  assert.match(lines[0]!, /^open \S+ sent 5000 Shannon to 0x[0-9a-f]{40} nonce 0 0x[0-9a-f]{64}$/);
  assert.equal((await run("settle", "--before-rollback")).exitCode, 1);
  await world.drive(life, world.isQuiet);
  life.close();
  assert.deepEqual((await run("open")).lines, ["nothing is open or held"]);
});

Deno.test("runCommand() accepts a nonce, releases a held miner and explains itself", async () => {
  await using world = await openPayerWorld();
  const run = (...args: string[]) => runCommand(args, world.payments, world.from);
  assert.equal((await run("accept", "7")).exitCode, 0);
  assert.equal(await world.payments.ownerOfNonce(world.from, 7), "accepted");
  await world.store.command("SADD", world.keys.own.paymentsHeld(), minerAddress(1));
  assert.deepEqual((await run("open")).lines, [`held ${minerAddress(1)}`]);
  assert.equal((await run("release", minerAddress(1))).exitCode, 0);
  assert.equal((await run("release", minerAddress(1))).exitCode, 1);
  for (const args of [[], ["accept", "x"], ["release", "bob"], ["settle"]]) {
    assert.match((await run(...args)).lines[0]!, /^Usage/);
  }
});
