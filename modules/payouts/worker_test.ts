/** The payer's Deno worker, with real Redis, a development chain and a key from the environment. */
import assert from "node:assert/strict";
import { type Facts, shannonToWei, silentLogger, systemClock } from "../base/mod.ts";
import { parseConfig } from "../config/mod.ts";
import { readStatus } from "../ledger/mod.ts";
import { supervise } from "../workers/mod.ts";
import { minerAddress, openPayerWorld, PAYER_KEY } from "../../tests/support/payer_world.ts";
import { until } from "../../tests/support/process.ts";
import type { PayerWorkerOptions } from "./mod.ts";

const KEY = "QUARRY_TEST_PAYER_KEY";

function optionsOf(
  world: Awaited<ReturnType<typeof openPayerWorld>>,
  payouts: Record<string, unknown> = {},
): PayerWorkerOptions {
  const file = {
    network: { chainId: 1337, rewards: [{ fromHeight: 0, reward: "2" }] },
    payouts: {
      enabled: true,
      address: world.from,
      signer: { privateKeyEnv: KEY },
      daemon: world.dev.url,
      requirePeers: 0,
      threshold: 1000,
      ...payouts,
    },
  };
  const { config } = parseConfig(JSON.stringify(file), { baseDir: "/", readSecret: () => "" });
  return structuredClone({
    prefix: "eth",
    redis: { endpoint: world.endpoint, database: 0, password: "" },
    logLevel: "warn",
    instance: "test",
    network: { chainId: 1337 },
    payouts: config.payouts,
    journal: world.journalPath,
  });
}

/** Runs the worker until an event or a log line says that it is far enough. */
async function runUntil(
  options: PayerWorkerOptions,
  enough: (name: string, facts: Facts) => boolean,
  andThen: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const worker = supervise({
    name: "payouts",
    url: new URL("./worker.ts", import.meta.url),
    options,
    onEvent: (name, facts) => void (enough(name, facts) && resolve()),
  }, {
    log: silentLogger,
    sink: ({ event, facts }) => void (enough(event, facts) && resolve()),
    clock: systemClock,
  });
  await promise;
  await until("what follows", andThen);
  assert.equal(await worker.stop(10_000), true);
}

Deno.test("the payer's worker sends a payment and gives its lease back when stopped", async () => {
  await using world = await openPayerWorld();
  await world.store.command("DEL", world.keys.own.lease("payer"));
  await world.credit(minerAddress(1), 5_000n);
  Deno.env.set(KEY, PAYER_KEY);
  try {
    await runUntil(optionsOf(world), (name) => name === "payment.sent");
  } finally {
    Deno.env.delete(KEY);
  }
  const [payment] = await world.payments.open();
  assert.equal(payment!.state, "sent");
  world.dev.chain.mine(1);
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
  assert.equal(
    await world.store.command("HGET", world.keys.own.lease("payer"), "token"),
    null,
  );
});

Deno.test("the payer's worker says why it halts when the key is another's", async () => {
  await using world = await openPayerWorld();
  await world.store.command("DEL", world.keys.own.lease("payer"));
  Deno.env.set(KEY, "0x" + "08".repeat(32));
  try {
    await runUntil(optionsOf(world), (name) => name === "payouts.halted");
  } finally {
    Deno.env.delete(KEY);
  }
  const { payer } = await readStatus(world);
  assert.equal(payer!.state, "halted");
  assert.match(payer!.reason, /the key of payouts.signer belongs to/);
  assert.match(payer!.mend, /payouts.signer/);
});

Deno.test("the payer's worker names the unreadable balance that stops everybody's payments", async () => {
  await using world = await openPayerWorld();
  await world.store.command("DEL", world.keys.own.lease("payer"));
  await world.credit(minerAddress(1), 5_000n);
  const key = world.keys.miner(minerAddress(2));
  await world.store.command("HSET", key, "balance", "12x");
  Deno.env.set(KEY, PAYER_KEY);
  const status = async () => (await readStatus(world)).payer;
  try {
    await runUntil(
      optionsOf(world),
      (name) => name === "payouts.failed",
      async () => (await status())?.state === "retrying",
    );
  } finally {
    Deno.env.delete(KEY);
  }
  const { reason, mend } = (await status())!;
  assert.match(reason, new RegExp(`Cannot read ${key} field balance: .*"12x"`));
  assert.match(mend, new RegExp(`restore it from a backup, or HSET ${key} balance AMOUNT`));
  assert.deepEqual(await world.payments.open(), []);
});
