/** Several payments in flight: order, room, displacement, the wallet, and what Redis has lost. */
import assert from "node:assert/strict";
import { shannonToWei } from "../base/mod.ts";
import {
  minerAddress,
  openPayerWorld,
  type PayerWorld,
  sendForeign,
} from "../../tests/support/payer_world.ts";

/** Hashes and nonces of what is open, in the order in which it was opened. */
async function openNonces(world: PayerWorld) {
  return (await world.payments.open()).map(({ signed, state }) => `${signed?.nonce} ${state}`);
}

Deno.test("createRun() keeps several payments in flight, in order, and no more than allowed", async () => {
  await using world = await openPayerWorld({ options: { inFlight: 3 } });
  for (let i = 0; i < 5; i++) await world.credit(minerAddress(i), 5_000n - BigInt(i));
  const life = world.start();
  for (let i = 0; i < 8; i++) await life.step(world.lease);
  assert.deepEqual(await openNonces(world), ["0 sent", "1 sent", "2 sent"]);
  world.dev.chain.mempool.hold(true);
  world.dev.chain.mine(5);
  await life.step(world.lease);
  assert.equal((await openNonces(world)).length, 3);
  world.dev.chain.mempool.hold(false);
  await world.drive(life, world.isQuiet);
  assert.deepEqual(life.payer.journal.entries().map(({ nonce }) => nonce), [0, 1, 2, 3, 4]);
  life.close();
  for (let i = 0; i < 5; i++) {
    assert.equal(await world.receivedWei(minerAddress(i)), shannonToWei(5_000n - BigInt(i)));
  }
});

Deno.test("createRun() sends nothing behind a payment that no node took", async () => {
  await using world = await openPayerWorld({ options: { inFlight: 3 } });
  for (let i = 0; i < 3; i++) await world.credit(minerAddress(i), 5_000n - BigInt(i));
  world.dev.server.fail("eth_sendRawTransaction", 100, "error");
  const life = world.start();
  for (let i = 0; i < 4; i++) await life.step(world.lease);
  assert.deepEqual(await openNonces(world), ["0 signed"]);
  world.dev.server.fail("eth_sendRawTransaction", 0, "error");
  await world.drive(life, world.isQuiet);
  life.close();
  assert.deepEqual(life.payer.journal.entries().map(({ nonce }) => nonce), [0, 1, 2]);
});

Deno.test("createRun() displaces one of several in flight and settles the others", async () => {
  await using world = await openPayerWorld({ options: { inFlight: 3 } });
  for (let i = 0; i < 3; i++) await world.credit(minerAddress(i), 5_000n - BigInt(i));
  const life = world.start();
  for (let i = 0; i < 4; i++) await life.step(world.lease);
  const open = await world.payments.open();
  assert.equal(open.length, 3);
  for (const { signed } of open) world.dev.chain.mempool.drop(signed!.hash);
  await sendForeign(world, 0);
  world.dev.chain.mine(1);
  await assert.rejects(life.step(world.lease), /which nobody knows/);
  await world.payments.acceptNonce(world.from, 0);
  await world.drive(life, world.isQuiet);
  life.close();
  assert.equal((await world.payments.payment(open[0]!.id))!.state, "displaced");
  for (let i = 0; i < 3; i++) {
    assert.equal(await world.receivedWei(minerAddress(i)), shannonToWei(5_000n - BigInt(i)));
  }
});

Deno.test("createRun() does not spend on new payments what those in flight may still take", async () => {
  const walletWei = shannonToWei(150_000n);
  await using world = await openPayerWorld({ options: { inFlight: 3 }, walletWei });
  await world.credit(minerAddress(1), 100_000n);
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  await world.credit(minerAddress(2), 20_000n);
  await world.clock.advance(60_000);
  for (let i = 0; i < 3; i++) await life.step(world.lease);
  assert.deepEqual(await openNonces(world), ["0 sent"]);
  assert.ok(world.records.some(({ event }) => event === "payouts.wallet.short"));
  life.close();
});

Deno.test("createRun() books several lost payments in flight again, in their order", async () => {
  await using world = await openPayerWorld({ options: { inFlight: 3 } });
  const { store } = world;
  for (let i = 0; i < 3; i++) await world.credit(minerAddress(i), 5_000n - BigInt(i));
  const names = async () => await store.command("KEYS", "eth:*") as string[];
  for (const name of await names()) await store.command("COPY", name, `saved:${name}`);
  const life = world.start();
  for (let i = 0; i < 4; i++) await life.step(world.lease);
  life.close();
  for (const name of await names()) await store.command("DEL", name);
  for (const name of await store.command("KEYS", "saved:*") as string[]) {
    await store.command("RENAME", name, name.slice("saved:".length));
  }
  const next = world.start();
  await next.step(world.lease);
  assert.deepEqual(await openNonces(world), ["0 sent", "1 sent", "2 sent"]);
  await world.drive(next, world.isQuiet);
  assert.deepEqual(next.payer.journal.entries().map(({ nonce }) => nonce), [0, 1, 2]);
  next.close();
  assert.deepEqual(await world.sums(), { minersShannon: 14_997n, financesShannon: 14_997n });
});
