/** The commands for payments, over a real ledger. */
import assert from "node:assert/strict";
import {
  minerAddress,
  openPayerWorld,
  payerAccount,
  type PayerWorld,
} from "../tests/support/payer_world.ts";
import { readStatus, writeStatus } from "../modules/ledger/mod.ts";
import { type CommandDeps, type CommandResult, main, readCommand } from "./payouts.ts";

export function depsOf(world: PayerWorld): CommandDeps {
  const { payments, accounts, node, clock, options } = world;
  return {
    ...{ payments, address: world.from },
    chain: () =>
      Promise.resolve({
        ...{ payments, accounts, node, clock, options, chainId: 1337, ledger: world },
        settings: world.minerSettings,
        signer: { address: world.from },
        status: async () => (await readStatus(world))["payer"],
      }),
  };
}

function runCommand(args: string[], deps: CommandDeps): Promise<CommandResult> {
  const command = readCommand(args);
  assert.ok(command !== undefined, args.join(" "));
  return command(deps);
}

/** Everything in Redis, to show that nothing was written. */
async function dump(world: PayerWorld): Promise<string> {
  const names = (await world.store.command("KEYS", "*") as string[]).sort();
  return JSON.stringify(
    await Promise.all(names.map(async (name) => [name, await world.store.command("DUMP", name)])),
  );
}

Deno.test("readCommand() lists what is open and stands against a rollback until nothing is", async () => {
  await using world = await openPayerWorld();
  await world.credit(minerAddress(1), 5_000n);
  const run = (...args: string[]) => runCommand(args, depsOf(world));
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

Deno.test("readCommand() accepts a nonce, releases a held miner and explains itself", async () => {
  await using world = await openPayerWorld();
  const run = (...args: string[]) => runCommand(args, depsOf(world));
  assert.equal((await run("accept", "7")).exitCode, 0);
  assert.equal(await world.payments.ownerOfNonce(world.from, 7), "accepted");
  await world.store.command("SADD", world.keys.own.paymentsHeld(), minerAddress(1));
  assert.deepEqual((await run("open")).lines, [`held ${minerAddress(1)}`]);
  assert.equal((await run("release", minerAddress(1))).exitCode, 0);
  assert.equal((await run("release", minerAddress(1))).exitCode, 1);
  const held = world.keys.own.paymentsHeld();
  await world.store.command("SADD", held, minerAddress(1), minerAddress(2));
  assert.deepEqual((await run("release", "all")).lines, ["2 miners may be paid again"]);
});

Deno.test("wrong usage of payouts is told before configuration and Redis are looked at", async () => {
  const wrong = [[], ["bogus"], ["accept", "x"], ["release", "bob"], ["settle"], ["open", "x"]];
  for (const args of [...wrong, ["resolve", "--json", "x"], ["--dry-run", "--yaml"]]) {
    assert.equal(await main(["/there/is/no.json", ...args]), 2, args.join(" "));
  }
  assert.equal(await main(["/there/is/no.json", "--help"]), 0);
  assert.equal(await main(["/there/is/no.json", "open"]), 1);
});

Deno.test("readCommand() --dry-run prints what the next run then pays, and touches nothing", async () => {
  await using world = await openPayerWorld({ options: { dailyCapShannon: 9_000n } });
  await world.credit(minerAddress(1), 5_000n);
  await world.credit(minerAddress(2), 4_000n);
  await world.credit(minerAddress(3), 3_000n);
  await world.credit(minerAddress(4), 999n);
  await world.credit(minerAddress(5), 2_000n);
  await world.credit(minerAddress(6), 8_000n);
  await world.store.command("SADD", world.keys.own.paymentsHeld(), minerAddress(6));
  const before = await dump(world);
  const run = (...args: string[]) => runCommand(args, depsOf(world));
  const { lines, exitCode } = await run("--dry-run");
  assert.equal(exitCode, 0);
  assert.deepEqual(lines, [
    `pay      5000 Shannon to ${minerAddress(1)}: 5000000000000 wei, nonce 0, 21000 gas at ` +
    "1000000000 wei, at most 21000000000000 wei for gas",
    `pay      4000 Shannon to ${minerAddress(2)}: 4000000000000 wei, nonce 1, 21000 gas at ` +
    "1000000000 wei, at most 21000000000000 wei for gas",
    `skip     ${minerAddress(6)}: held`,
    `skip     ${minerAddress(3)}: cap`,
    `skip     ${minerAddress(5)}: cap`,
    `skip     ${minerAddress(4)}: below threshold`,
    `total    2 payments of 9000 Shannon from ${world.from} on chain 1337, at most ` +
    "51000000000000 wei with gas",
    "nothing was sent or written",
  ]);
  const json = JSON.parse((await run("--dry-run", "--json")).lines[0]!);
  assert.equal(json.totalShannon, "9000");
  assert.equal(await dump(world), before);
  assert.equal(world.dev.server.calls.includes("eth_sendRawTransaction"), false);
  const life = world.start();
  for (let i = 0; i < 12; i++) {
    await life.step(world.lease);
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  assert.deepEqual(
    life.payer.journal.entries().map(({ login, nonce, amountShannon }) => [
      ...[login, nonce, String(amountShannon)],
    ]),
    json.payments.map((one: Record<string, unknown>) => [
      ...[one["login"], one["nonce"], one["amountShannon"]],
    ]),
  );
  life.close();
});

Deno.test("readCommand() --dry-run names what holds the run up", async () => {
  await using world = await openPayerWorld({ options: { requirePeers: 9, maxFeeWei: 5n } });
  await world.credit(minerAddress(1), 5_000n);
  await world.store.command("ZADD", world.keys.paymentsPending(), "1", `${minerAddress(2)}:77`);
  const { lines, exitCode } = await runCommand(["--dry-run"], depsOf(world));
  assert.equal(exitCode, 1);
  assert.match(lines[0]!, /^first .*payouts.requirePeers is 9/);
  assert.match(lines[1]!, /^first .*rows of the old pool/);
  assert.match(lines[2]!, /^first .*payouts.maxFee/);
  assert.match(lines[3]!, /^total +no plan: mend/);
});

Deno.test("readCommand() resolve explains each state, and is content only when nothing needs a human", async () => {
  await using world = await openPayerWorld();
  const run = (...args: string[]) => runCommand(args, depsOf(world));
  assert.deepEqual(await run("resolve"), {
    lines: ["nothing is open, nobody is held"],
    exitCode: 0,
  });
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  const [payment] = await world.payments.open();
  const texts = async () => (await run("resolve")).lines.join("\n");
  assert.match(
    await texts(),
    /sent: 5000 Shannon[^]*waits in the node's pool[^]*waits for a block/,
  );
  assert.equal((await run("resolve")).exitCode, 0);
  world.dev.chain.mempool.drop(payment!.signed!.hash);
  assert.match(await texts(), /not known to the node[^]*nonce 0 is free[^]*same bytes again/);
  assert.equal((await run("resolve")).exitCode, 1);
  await world.node.sendRawTransaction(payment!.signed!.raw);
  world.dev.chain.mine(2);
  assert.match(await texts(), /was mined in block 2, 1 blocks deep[^]*booked as paid in 2 blocks/);
  assert.equal((await run("resolve")).exitCode, 0);
  await world.drive(life, world.isQuiet);
  life.close();
  const status = { state: "halted", reason: "odd", mend: "look", sinceMs: 1 } as const;
  await writeStatus(world, "payer", status);
  await world.store.command("SADD", world.keys.own.paymentsHeld(), minerAddress(7));
  const raw = await payerAccount.signTransaction({
    ...{ type: "legacy", chainId: 1337, nonce: 1, to: world.from as `0x${string}` },
    ...{ value: 1n, gas: 21_000n, gasPrice: 2_000_000_000n },
  });
  await world.node.sendRawTransaction(raw);
  world.dev.chain.mine(1);
  const { lines, exitCode } = await run("resolve");
  assert.equal(exitCode, 1);
  assert.match(lines[0]!, /^trouble +the payer is halted: odd \(look\)/);
  assert.match(lines[1]!, /^trouble .* is held/);
  assert.match(lines[2]!, /^trouble +nonce 1 was used .*accept 1/);
});

Deno.test("readCommand() resolve tells failed and displaced payments", async () => {
  await using world = await openPayerWorld();
  const run = (...args: string[]) => runCommand(args, depsOf(world));
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  for (let i = 0; i < 2; i++) await life.step(world.lease);
  const [payment] = await world.payments.open();
  life.close();
  world.dev.chain.reverts.add(minerAddress(1));
  world.dev.chain.mine(1);
  const failed = await run("resolve");
  assert.match(failed.lines.join("\n"), /failed in block 2[^]*debit returns and the miner is held/);
  world.dev.chain.reorganize(1, { transactions: false, uncles: false });
  world.dev.chain.mempool.drop(payment!.signed!.hash);
  const raw = await payerAccount.signTransaction({
    ...{ type: "legacy", chainId: 1337, nonce: 0, to: world.from as `0x${string}` },
    ...{ value: 1n, gas: 21_000n, gasPrice: 2_000_000_000n },
  });
  const hash = await world.node.sendRawTransaction(raw);
  world.dev.chain.mine(1);
  const displaced = await run("resolve", "--json");
  assert.equal(displaced.exitCode, 1);
  const [one] = JSON.parse(displaced.lines[0]!).payments;
  assert.match(one.chain.at(-1), new RegExp(`nonce 0 was used by ${hash}`));
  assert.match(one.next, /accept 0/);
});
