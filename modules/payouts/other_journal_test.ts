/** A payer whose journal is not the one that payments were made with: it waits for a human. */
import assert from "node:assert/strict";
import { minerAddress, openPayerWorld } from "../../tests/support/payer_world.ts";
import { HaltError } from "./halt.ts";

Deno.test("a spare without the journal halts, and goes on once it is adopted or brought", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const first = world.start();
  await world.drive(first, world.isQuiet);
  first.close();
  const away = `${world.journalPath}.away`;
  await Deno.rename(world.journalPath, away);
  await world.credit(minerAddress(2), 6_000n);
  const spare = world.start();
  await assert.rejects(
    spare.step(world.lease),
    (error) =>
      error instanceof HaltError &&
      /not the journal that payments were made with/.test(error.message) &&
      /adopt-journal/.test(error.mend),
  );
  assert.deepEqual(await world.payments.open(), []);
  spare.close();
  // Brought from the other host it is the right one.
  await Deno.rename(away, world.journalPath);
  const brought = world.start();
  await world.drive(brought, world.isQuiet);
  brought.close();
  await Deno.remove(world.journalPath);
  assert.equal(await world.payments.adoptJournal(world.from), 2);
  await world.credit(minerAddress(3), 7_000n);
  const adopted = world.start();
  await world.drive(adopted, world.isQuiet);
  adopted.close();
  assert.equal((await world.accounts.account(minerAddress(3))).paidShannon, 7_000n);
});

Deno.test("a payment that was signed and not journalled is no other journal", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const dies = world.start({
    moment(name) {
      if (name === "signed") throw new Error("the process dies");
    },
  });
  await assert.rejects(async () => {
    for (let i = 0; i < 5; i++) await dies.step(world.lease);
  }, /dies/);
  dies.close();
  const next = world.start();
  await world.drive(next, world.isQuiet);
  next.close();
  assert.equal((await world.accounts.account(minerAddress(1))).paidShannon, 5_000n);
});
