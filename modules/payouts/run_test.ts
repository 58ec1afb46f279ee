/** The payer over a real redis-server and a development chain: order, reorganizations, refusals. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { PoolError, shannonToWei } from "../base/mod.ts";
import { backgroundSave, FencedError } from "../ledger/mod.ts";
import { minerAddress, openPayerWorld, sendForeign } from "../../tests/support/payer_world.ts";
import { until } from "../../tests/support/process.ts";
import { HaltError } from "./halt.ts";
import { openPaymentJournal } from "./journal.ts";
import { createRun } from "./run.ts";

Deno.test("createRun() sends the next payment only when the last one has a receipt", async () => {
  await using world = await openPayerWorld();
  for (let i = 0; i < 3; i++) await world.credit(minerAddress(i), 5_000n - BigInt(i));
  const life = world.start();
  const sent = () => world.dev.server.calls.filter((name) => name === "eth_sendRawTransaction");
  for (let i = 0; i < 5; i++) await life.step(world.lease);
  assert.equal(sent().length, 1);
  world.dev.chain.mine(1);
  await life.step(world.lease);
  await life.step(world.lease);
  assert.equal(sent().length, 2);
  assert.equal((await world.payments.open()).length, 2);
  await world.drive(life, world.isQuiet);
  life.close();
  for (let i = 0; i < 3; i++) {
    assert.equal(await world.receivedWei(minerAddress(i)), shannonToWei(5_000n - BigInt(i)));
  }
  assert.deepEqual(await world.sums(), { minersShannon: 14_997n, financesShannon: 14_997n });
});

Deno.test("createRun() pays on a chain with a base fee by EIP-1559", async () => {
  await using world = await openPayerWorld({ baseFee: true });
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  life.close();
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
  const rows = await world.store.command("ZRANGE", world.keys.paymentsAll(), "0", "-1") as string[];
  const hash = rows[0]!.split(":")[0]!;
  const response = await fetch(world.dev.url, {
    method: "POST",
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "eth_getTransactionByHash",
      params: [hash],
    }),
  });
  assert.equal((await response.json()).result.type, "0x2");
});

Deno.test("createRun() sends the same bytes again when a reorganization takes the receipt", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  world.dev.chain.mine(1);
  await life.step(world.lease);
  const [mined] = await world.payments.open();
  assert.notEqual(mined!.mined, undefined);
  world.dev.chain.reorganize(1, { transactions: false, uncles: false });
  world.dev.chain.mempool.drop(mined!.signed!.hash);
  // A restart in this moment must not mistake the fallen nonce for a node that is behind.
  life.close();
  const next = world.start();
  await next.step(world.lease);
  const [again] = await world.payments.open();
  assert.equal(again!.mined, undefined);
  await world.drive(next, world.isQuiet);
  next.close();
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
  assert.equal((await world.payments.payment(mined!.id))!.state, "confirmed");
  assert.equal(world.records.some(({ event }) => event === "payment.receipt.vanished"), true);
});

Deno.test("createRun() returns the debit of a failed transaction and holds the miner", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  world.dev.chain.reverts.add(minerAddress(1));
  await world.drive(life, async () => (await world.payments.open()).length === 0);
  const account = await world.accounts.account(minerAddress(1));
  assert.deepEqual([account.balanceShannon, account.pendingShannon], [5_000n, 0n]);
  assert.deepEqual(await world.payments.held(), [minerAddress(1)]);
  await world.drive(life, () => Promise.resolve(false), 4).catch(() => {});
  assert.equal(await world.receivedWei(minerAddress(1)), 0n);
  assert.deepEqual(await world.payments.open(), []);
  life.close();
});

Deno.test("createRun() leaves out a payee that the node refuses, without a debit", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 9_000n);
  await world.credit(minerAddress(2), 5_000n);
  world.dev.chain.reverts.add(minerAddress(1));
  const life = world.start();
  await world.drive(life, async () => await world.receivedWei(minerAddress(2)) > 0n);
  life.close();
  const account = await world.accounts.account(minerAddress(1));
  assert.deepEqual([account.balanceShannon, account.pendingShannon], [9_000n, 0n]);
});

Deno.test("createRun() halts on a nonce that nobody knows, until a human accepts it", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  const hash = await sendForeign(world, 1);
  world.dev.chain.mine(1);
  await world.credit(minerAddress(2), 6_000n);
  await world.clock.advance(60_000);
  for (let i = 0; i < 2; i++) {
    await assert.rejects(life.step(world.lease), (error) => {
      assert.ok(error instanceof HaltError);
      assert.match(error.message, new RegExp(`Nonce 1 of .* was used by transaction ${hash}`));
      assert.match(error.mend, /accept 1/);
      return true;
    });
  }
  assert.equal(await world.receivedWei(minerAddress(2)), 0n);
  assert.equal((await world.accounts.account(minerAddress(2))).balanceShannon, 6_000n);
  await world.payments.acceptNonce(world.from, 1);
  await world.drive(life, world.isQuiet);
  life.close();
  assert.equal(await world.receivedWei(minerAddress(2)), shannonToWei(6_000n));
});

Deno.test("createRun() does not mind what the address did before the first payment", async () => {
  await using world = await openPayerWorld();
  await sendForeign(world, 0);
  world.dev.chain.mine(1);
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  life.close();
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
});

Deno.test("createRun() waits while a stranger's transaction of its address is pending", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  await sendForeign(world, 0);
  const life = world.start();
  await life.step(world.lease);
  await assert.rejects(life.step(world.lease), /did not sign wait in the node's pool/);
  assert.equal((await world.accounts.account(minerAddress(1))).balanceShannon, 5_000n);
  assert.deepEqual(await world.payments.open(), []);
  life.close();
});

Deno.test("createRun() halts when its own nonce was used by a stranger, and displaces on a human's word", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  world.dev.server.fail("eth_sendRawTransaction", 1, "drop");
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  const [payment] = await world.payments.open();
  assert.equal(payment!.state, "signed");
  await sendForeign(world, 0);
  world.dev.chain.mine(1);
  await assert.rejects(life.step(world.lease), /was used by 0x[0-9a-f]{64}, which nobody knows/);
  await world.payments.acceptNonce(world.from, 0);
  await world.drive(life, world.isQuiet);
  life.close();
  assert.equal((await world.payments.payment(payment!.id))!.state, "displaced");
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
  assert.deepEqual(await world.sums(), { minersShannon: 5_000n, financesShannon: 5_000n });
});

Deno.test("createRun() books a payment again that Redis lost after the broadcast", async () => {
  await using world = await openPayerWorld();
  const { store } = world;
  await world.credit(minerAddress(1), 5_000n);
  const names = async () => await store.command("KEYS", "eth:*") as string[];
  for (const name of await names()) await store.command("COPY", name, `saved:${name}`);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  life.close();
  for (const name of await names()) await store.command("DEL", name);
  for (const name of await store.command("KEYS", "saved:*") as string[]) {
    await store.command("RENAME", name, name.slice("saved:".length));
  }
  assert.equal((await world.accounts.account(minerAddress(1))).balanceShannon, 5_000n);
  const next = world.start();
  await world.drive(next, world.isQuiet);
  next.close();
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
  assert.equal((await world.accounts.account(minerAddress(1))).paidShannon, 5_000n);
});

Deno.test("createRun() books two lost payments of one miner again, one after the other", async () => {
  await using world = await openPayerWorld();
  const { store } = world;
  await world.credit(minerAddress(1), 5_000n);
  const names = async () => await store.command("KEYS", "eth:*") as string[];
  for (const name of await names()) await store.command("COPY", name, `saved:${name}`);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  await world.credit(minerAddress(1), 6_000n);
  await world.drive(life, world.isQuiet);
  life.close();
  for (const name of await names()) await store.command("DEL", name);
  for (const name of await store.command("KEYS", "saved:*") as string[]) {
    await store.command("RENAME", name, name.slice("saved:".length));
  }
  // The unlocker matures again what the second payment was made of.
  await world.credit(minerAddress(1), 6_000n);
  const next = world.start();
  for (let i = 0; i < 40; i++) {
    await next.step(world.lease).catch((error) => assert.ok(!(error instanceof HaltError), error));
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  next.close();
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(11_000n));
  assert.equal((await world.accounts.account(minerAddress(1))).paidShannon, 11_000n);
  assert.deepEqual(await world.payments.open(), []);
});

Deno.test("createRun() signs no nonce twice when Redis forgets a payment between two steps", async () => {
  await using world = await openPayerWorld();
  const { store } = world;
  await world.credit(minerAddress(1), 5_000n);
  await world.credit(minerAddress(2), 4_000n);
  const life = world.start();
  await life.step(world.lease);
  const names = async () => await store.command("KEYS", "eth:*") as string[];
  for (const name of await names()) await store.command("COPY", name, `saved:${name}`);
  await life.step(world.lease);
  const [sent] = await world.payments.open();
  world.dev.chain.mempool.drop(sent!.signed!.hash);
  for (const name of await names()) await store.command("DEL", name);
  for (const name of await store.command("KEYS", "saved:*") as string[]) {
    await store.command("RENAME", name, name.slice("saved:".length));
  }
  for (let i = 0; i < 20; i++) {
    await life.step(world.lease).catch((error) => assert.ok(!(error instanceof HaltError), error));
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  assert.deepEqual(life.payer.journal.entries().map(({ nonce }) => nonce), [0, 1]);
  life.close();
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
  assert.equal(await world.receivedWei(minerAddress(2)), shannonToWei(4_000n));
});

Deno.test("createRun() is not confused by what a former address has signed", async () => {
  await using world = await openPayerWorld();
  const { payments, lease } = world;
  const genesis = (await world.node.getBlock(0))!.hash;
  const scope = { coin: "eth", chainId: 1337, genesis };
  const journal = openPaymentJournal(world.journalPath, scope);
  const old = { id: "old", login: minerAddress(7), amountShannon: 2_000n };
  const from = "0x" + "99".repeat(20), hash = "0x" + "88".repeat(32);
  await journal.add({ ...old, from, nonce: 1, raw: "0x01", hash });
  journal.close();
  for (let nonce = 0; nonce < 3; nonce++) {
    await sendForeign(world, nonce);
    world.dev.chain.mine(1);
  }
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
  // Its nonce 1 is used by another address: that says nothing about this payment.
  await world.credit(old.login, 2_000n);
  await payments.reserve(lease, old, 1_700_000_000);
  await payments.sign(lease, "old", { nonce: 1, raw: "0x01", hash, from }, 1_700_000_000);
  await assert.rejects(
    life.step(lease),
    (error) => error instanceof HaltError && /signed by another address/.test(error.message),
  );
  assert.equal((await world.accounts.account(old.login)).pendingShannon, 2_000n);
  life.close();
});

Deno.test("createRun() halts when a lost payment cannot be booked again", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  life.close();
  await world.store.command("FLUSHALL");
  await world.store.command("HSET", world.keys.own.lease("payer"), "token", "1");
  const next = world.start();
  await assert.rejects(next.step(world.lease), /cannot be booked again: poor/);
  next.close();
});

Deno.test("createRun() halts on rows that the old pool left pending", async () => {
  await using world = await openPayerWorld();
  await world.store.command("ZADD", world.keys.paymentsPending(), "1", `${minerAddress(1)}:77`);
  const life = world.start();
  await assert.rejects(life.step(world.lease), (error) => error instanceof HaltError);
  life.close();
});

Deno.test("createRun() refuses a node that is syncing, lonely or too dear", async () => {
  await using world = await openPayerWorld({ options: { requirePeers: 5, maxFeeWei: 5n } });
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await assert.rejects(life.step(world.lease), /has 3 peers, payouts.requirePeers is 5/);
  world.dev.face.peers = 5;
  world.dev.face.syncing = true;
  await assert.rejects(life.step(world.lease), /still syncing/);
  world.dev.face.syncing = false;
  await assert.rejects(
    life.step(world.lease),
    (error) => error instanceof PoolError && /more than payouts.maxFee allows/.test(error.message),
  );
  assert.deepEqual(await world.payments.open(), []);
  life.close();
});

Deno.test("createRun() pays as far as the wallet reaches and says what it lacks", async () => {
  await using world = await openPayerWorld({ walletWei: shannonToWei(200_000n) });
  await world.credit(minerAddress(1), 190_000n);
  await world.credit(minerAddress(2), 5_000n);
  const life = world.start();
  await world.drive(life, async () => await world.receivedWei(minerAddress(2)) > 0n);
  life.close();
  assert.ok(world.records.some(({ event }) => event === "payouts.wallet.short"));
});

Deno.test("createRun() stops at once when its lease is lost", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await life.step(world.lease);
  await world.store.command("HSET", world.keys.own.lease("payer"), "token", "2");
  await assert.rejects(life.step(world.lease), (error) => error instanceof FencedError);
  assert.equal((await world.accounts.account(minerAddress(1))).balanceShannon, 5_000n);
  life.close();
});

Deno.test("createRun() has Redis save after a run that paid, and not after one that did not", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  let saves = 0;
  const afterRun = async () => {
    saves++;
    await backgroundSave(world.store);
  };
  const run = createRun(life.payer, { afterRun });
  for (let i = 0; i < 12; i++) {
    await run.step(world.lease);
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  life.close();
  assert.equal(saves, 1);
  const dump = `${dirname(world.endpoint)}/dump.rdb`;
  await until("the RDB file", async () => (await Deno.stat(dump)).isFile);
});
