/** Payments that the old pool's payer left between debit and booking, on a real ledger and a chain. */
import assert from "node:assert/strict";
import type { Hex } from "viem";
import {
  minerAddress,
  openPayerWorld,
  payerAccount,
  type PayerWorld,
} from "../tests/support/payer_world.ts";
import { type CommandDeps, readCommand } from "./payouts.ts";

const MINER = minerAddress(1);

function run(world: PayerWorld, row: string) {
  const { payments, accounts, node, clock, options } = world;
  const deps: CommandDeps = {
    ...{ payments, address: world.from },
    chain: () =>
      Promise.resolve({
        ...{ payments, accounts, node, clock, options, chainId: 1337, ledger: world },
        settings: world.minerSettings,
        signer: { address: world.from },
        status: () => Promise.resolve(undefined),
      }),
  };
  return readCommand(["resolve", ...(row === "" ? [] : [row])])!(deps);
}

/** Debits as open-ethereum-pool does (storage/redis.go, LockPayouts and UpdateBalance). */
async function oldDebit({ store, clock }: PayerWorld, amount: string): Promise<string> {
  const row = `${MINER}:${amount}`;
  await store.command("SETNX", "eth:payments:lock", row);
  await store.multi([
    ["HINCRBY", `eth:miners:${MINER}`, "balance", `-${amount}`],
    ["HINCRBY", `eth:miners:${MINER}`, "pending", amount],
    ["HINCRBY", "eth:finances", "balance", `-${amount}`],
    ["HINCRBY", "eth:finances", "pending", amount],
    ["ZADD", "eth:payments:pending", String(Math.floor(clock.now() / 1000)), row],
  ]);
  return row;
}

/** What the old payer sends, from the same key. */
async function send(world: PayerWorld, shannon: bigint, nonce: number): Promise<string> {
  return await world.node.sendRawTransaction(
    await payerAccount.signTransaction({
      ...{ type: "legacy", chainId: 1337, nonce, to: MINER as Hex, gas: 21_000n },
      ...{ value: shannon * 1_000_000_000n, gasPrice: 2_000_000_000n },
    }),
  );
}

const account = (world: PayerWorld) => world.accounts.account(MINER);

Deno.test("resolve books what the old payer sent, and only once it is deep enough", async () => {
  await using world = await openPayerWorld();
  await world.credit(MINER, 5_000n);
  const row = await oldDebit(world, "5000");
  assert.match((await run(world, "")).lines[0]!, new RegExp(`resolve ${row} looks for it`));
  const hash = await send(world, 5_000n, 0);
  assert.match(
    (await run(world, row)).lines[0]!,
    /1 transactions of 0x\w+ wait in the node's pool/,
  );
  world.dev.chain.mine(1);
  assert.match((await run(world, row)).lines[0]!, /0 blocks deep, \d+ are wanted/);
  world.dev.chain.mine(world.options.confirmations);
  const done = await run(world, row);
  assert.deepEqual(done, {
    lines: [`${row} was paid by ${hash} in block 2, and is booked`],
    exitCode: 0,
  });
  const { balanceShannon, pendingShannon, paidShannon } = await account(world);
  assert.deepEqual([balanceShannon, pendingShannon, paidShannon], [0n, 0n, 5_000n]);
  assert.equal(await world.store.command("EXISTS", world.keys.paymentsLock()), 0);
  assert.deepEqual(await run(world, row), { lines: [`${row} is not pending`], exitCode: 1 });
  // The payer goes on by itself.
  await world.credit(MINER, 7_000n);
  const life = world.start();
  await world.drive(life, world.isQuiet);
  life.close();
  assert.equal((await account(world)).paidShannon, 12_000n);
});

Deno.test("resolve returns a debit whose transaction never left, among others of the same value", async () => {
  await using world = await openPayerWorld();
  await world.credit(MINER, 10_000n);
  const paid = await send(world, 5_000n, 0);
  world.dev.chain.mine(3);
  await world.store.command("ZADD", world.keys.paymentsOf(MINER), "1", `${paid}:5000`);
  const row = await oldDebit(world, "5000");
  world.dev.chain.mine(world.options.confirmations);
  assert.match(
    (await run(world, row)).lines[0]!,
    /was not sent in \d+ blocks since: the debit is returned/,
  );
  const { balanceShannon, pendingShannon } = await account(world);
  assert.deepEqual([balanceShannon, pendingShannon], [10_000n, 0n]);
});

Deno.test("resolve returns nothing that a young chain or another paying address may have paid", async () => {
  await using world = await openPayerWorld();
  await world.credit(MINER, 5_000n);
  await world.clock.advance(3_600_000);
  const row = await oldDebit(world, "5000");
  assert.match((await run(world, row)).lines[0]!, /0 blocks are younger than it, \d+ are wanted/);
  const hash = await send(world, 5_000n, 0);
  world.dev.chain.mine(world.options.confirmations + 1);
  const { lines, exitCode } = await run({ ...world, from: minerAddress(9) }, row);
  assert.match(
    lines[0]!,
    new RegExp(`stays pending: ${hash} has this value and is of ${world.from}`),
  );
  assert.equal(exitCode, 1);
  assert.equal((await account(world)).pendingShannon, 5_000n);
});

Deno.test("resolve takes a lock without a debit away, and refuses what is no row", async () => {
  await using world = await openPayerWorld();
  await world.credit(MINER, 10_000n);
  const row = `${MINER}:10000`;
  await world.store.command("SET", world.keys.paymentsLock(), row);
  assert.match((await run(world, row)).lines[0]!, /was locked and never debited/);
  assert.equal((await account(world)).balanceShannon, 10_000n);
  assert.equal((await run(world, row)).exitCode, 1);
  await assert.rejects(run(world, "bob:5"), /write 0xADDRESS:SHANNON/);
  // A payment of quarry's own is not the old pool's.
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  world.dev.chain.mine(world.options.confirmations + 1);
  const hash = (await world.payments.open())[0]!.signed!.hash;
  await assert.rejects(run(world, row), /Cannot settle/);
  await world.drive(life, world.isQuiet);
  life.close();
  const members = await world.store.command("ZRANGE", world.keys.paymentsOf(MINER), "0", "-1");
  assert.deepEqual(members, [`${hash}:10000`]);
});
