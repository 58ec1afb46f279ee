/** The node's own account: one at a time, found again after lost replies, and never paid twice. */
import assert from "node:assert/strict";
import type { Hex } from "viem";
import { shannonToWei } from "../base/mod.ts";
import {
  Crash,
  crashAt,
  minerAddress,
  openPayerWorld,
  PAYER_KEY,
  payerAccount,
  type PayerWorld,
} from "../../tests/support/payer_world.ts";
import { HaltError } from "./halt.ts";
import { openNodeAccount } from "./node_account.ts";

async function openWorld(settings: Parameters<typeof openPayerWorld>[0] = {}) {
  const address = payerAccount.address.toLowerCase();
  const world = await openPayerWorld({ signer: () => openNodeAccount(address), ...settings });
  world.dev.face.keys.push(PAYER_KEY);
  return world;
}

async function assertPaidOnce(world: PayerWorld, login: string, amountShannon: bigint) {
  assert.equal(await world.receivedWei(login), shannonToWei(amountShannon));
  const rows = await world.store.command("ZRANGE", world.keys.paymentsOf(login), "0", "-1");
  assert.equal((rows as string[]).length, 1);
  const { minersShannon, financesShannon } = await world.sums();
  assert.equal(minersShannon, financesShannon);
}

for (const baseFee of [false, true]) {
  const kind = baseFee ? "EIP-1559" : "legacy";
  Deno.test(`createRun() has the node pay from its account, one at a time (${kind})`, async () => {
    await using world = await openWorld({ baseFee, options: { inFlight: 4 } });
    for (let i = 0; i < 3; i++) await world.credit(minerAddress(i), 5_000n - BigInt(i));
    const life = world.start();
    for (let i = 0; i < 5; i++) await life.step(world.lease);
    assert.equal((await world.payments.open()).length, 1);
    await world.drive(life, world.isQuiet);
    life.close();
    for (let i = 0; i < 3; i++) await assertPaidOnce(world, minerAddress(i), 5_000n - BigInt(i));
  });
}

for (const mined of [false, true]) {
  const where = mined ? "a block" : "the pool";
  Deno.test(`createRun() finds what the node sent in ${where} after its reply was lost`, async () => {
    await using world = await openWorld();
    await world.credit(minerAddress(1), 5_000n);
    await world.credit(minerAddress(2), 4_000n);
    world.dev.server.fail("eth_sendTransaction", 1, "lost");
    const life = world.start();
    for (let i = 0; i < 2; i++) await life.step(world.lease);
    assert.equal((await world.payments.open())[0]!.state, "signed");
    if (mined) world.dev.chain.mine(1);
    await life.step(world.lease);
    const open = await world.payments.open();
    assert.equal(open.length, 1);
    assert.equal(open[0]!.hashes.length, 2);
    const asked = world.dev.server.calls.filter((name) => name === "eth_sendTransaction");
    assert.equal(asked.length, 1);
    await world.drive(life, world.isQuiet);
    life.close();
    await assertPaidOnce(world, minerAddress(1), 5_000n);
    await assertPaidOnce(world, minerAddress(2), 4_000n);
  });
}

for (const when of ["before", "after"] as const) {
  Deno.test(`createRun() pays once by the node's account after dying ${when} any call`, async () => {
    await using world = await openWorld();
    for (let nth = 1, reached = true; reached; nth++) {
      const login = minerAddress(nth);
      await world.credit(login, 10_000n);
      const fault = crashAt(nth, when);
      reached = false;
      const life = world.start({ wrap: fault.wrap });
      try {
        await world.drive(life, world.isQuiet);
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
        reached = true;
      } finally {
        life.close();
      }
      const next = world.start();
      await world.drive(next, world.isQuiet);
      next.close();
      await assertPaidOnce(world, login, 10_000n);
      if (!reached) assert.ok(nth > 40, `only ${nth} calls were tried`);
    }
  });
}

Deno.test("createRun() halts when the account's nonce waits in the pool for somebody else", async () => {
  await using world = await openWorld();
  await world.credit(minerAddress(1), 5_000n);
  world.dev.server.fail("eth_sendTransaction", 1, "error");
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  const raw = await payerAccount.signTransaction({
    ...{ type: "legacy", chainId: 1337, nonce: 0, to: minerAddress(9) as Hex },
    ...{ value: 1n, gas: 21_000n, gasPrice: 2_000_000_000n },
  });
  await world.node.sendRawTransaction(raw);
  await assert.rejects(life.step(world.lease), (error) => {
    assert.ok(error instanceof HaltError);
    assert.match(error.message, /has another transaction/);
    return true;
  });
  assert.equal((await world.payments.open())[0]!.state, "signed");
  life.close();
});

Deno.test("createRun() does not carry on with a key what the node's account has begun", async () => {
  await using world = await openWorld();
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  life.close();
  await world.clock.advance(31_000);
  const next = world.start();
  Object.assign(next.payer, { signer: { address: world.from, sign: () => Promise.reject() } });
  await assert.rejects(next.step(world.lease), /was begun by the node's own account/);
  next.close();
});
