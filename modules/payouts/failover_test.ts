/** Another Redis answers, without any command having failed: what it lost is booked again first. */
import assert from "node:assert/strict";
import { shannonToWei } from "../base/mod.ts";
import { minerAddress, openPayerWorld } from "../../tests/support/payer_world.ts";
import { createRun } from "./run.ts";

Deno.test("createRun() compares ledger, journal and chain when another Redis answers", async () => {
  await using world = await openPayerWorld();
  const { store } = world;
  const [miner, other] = [minerAddress(1), minerAddress(2)];
  await world.credit(miner, 5_000n);
  const names = async () => await store.command("KEYS", "eth:*") as string[];
  for (const name of await names()) await store.command("COPY", name, `saved:${name}`);
  let server = "master";
  const life = world.start();
  const run = { ...life, ...createRun({ ...life.payer, ledgerServer: () => server }) };
  await world.drive(run, world.isQuiet);
  // A replica that had nothing of the payment yet is the master now.
  for (const name of await names()) await store.command("DEL", name);
  for (const name of await store.command("KEYS", "saved:*") as string[]) {
    await store.command("RENAME", name, name.slice("saved:".length));
  }
  server = "replica";
  await world.credit(other, 7_000n);
  assert.equal((await world.accounts.account(miner)).balanceShannon, 5_000n, "it was forgotten");
  await run.step(world.lease);
  const events = world.records.map(({ event }) => event);
  assert.ok(events.includes("payouts.redis.changed"));
  assert.ok(events.includes("payment.booked.again"), "in the same step, before anything is paid");
  await world.drive(run, world.isQuiet);
  life.close();
  assert.equal(await world.receivedWei(miner), shannonToWei(5_000n));
  assert.equal(await world.receivedWei(other), shannonToWei(7_000n));
  assert.deepEqual(await world.sums(), { minersShannon: 12_000n, financesShannon: 12_000n });
});
