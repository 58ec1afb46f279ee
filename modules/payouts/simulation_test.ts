/** A seeded storm over the real ledger: crashes, reorganizations, lost replies, rising fees, held pools. */
import assert from "node:assert/strict";
import { PoolError, shannonToWei } from "../base/mod.ts";
import {
  Crash,
  crashAt,
  minerAddress,
  openPayerWorld,
  PAYER_KEY,
  type PayerWorld,
} from "../../tests/support/payer_world.ts";
import { HaltError } from "./halt.ts";
import { openNodeAccount } from "./node_account.ts";

const GWEI = 1_000_000_000n;
const MINERS = 6;
const ROUNDS = 80;

/** Numbers in [0, below) from a seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** One thing that goes wrong, or just goes on. */
async function disturb(world: PayerWorld, random: (below: number) => number): Promise<void> {
  const { dev, clock, payments } = world;
  const methods = [
    ...["eth_sendRawTransaction", "eth_sendTransaction", "eth_getTransactionReceipt"],
    ...["eth_getTransactionCount", "eth_getBlockByNumber", "eth_pendingTransactions"],
  ];
  const kinds = ["error", "lost", "http500", "null"] as const;
  switch (random(9)) {
    case 0:
      return dev.chain.mempool.hold(random(2) === 0);
    case 1:
      return void dev.chain.reorganize(1 + random(2), { transactions: false, uncles: false });
    case 2: {
      const open = (await payments.open()).filter(({ signed }) => signed !== undefined);
      const one = open[random(open.length || 1)];
      if (one !== undefined) dev.chain.mempool.drop(one.hashes[random(one.hashes.length)]!);
      return;
    }
    case 3:
      return dev.server.fail(methods[random(methods.length)]!, 1, kinds[random(kinds.length)]!);
    case 4:
      dev.face.tipWei = BigInt(1 + random(20)) * GWEI;
      return;
    case 5:
      return await clock.advance(601_000);
    default:
      dev.chain.mine(1);
      return await clock.advance(31_000);
  }
}

/** Steps a process a few times; it may die before or after any of its calls. */
async function live(world: PayerWorld, random: (below: number) => number): Promise<void> {
  const fault = crashAt(
    random(4) === 0 ? 1 + random(40) : Infinity,
    random(2) ? "before" : "after",
  );
  const life = world.start({ wrap: fault.wrap });
  try {
    for (let left = 1 + random(6); left > 0; left--) {
      try {
        await life.step(world.lease);
      } catch (error) {
        if (error instanceof Crash) return;
        // What passes by itself may be met; what needs a human may not.
        assert.ok(error instanceof PoolError && !(error instanceof HaltError), error as Error);
        assert.notEqual((error as Error).name, "InvariantError", (error as Error).message);
      }
      await disturb(world, random);
    }
  } finally {
    life.close();
  }
}

async function storm(seed: number, byNode: boolean): Promise<void> {
  const random = randomFrom(seed);
  await using world = await openPayerWorld({
    baseFee: random(2) === 0,
    options: { inFlight: 1 + random(4), bumpAfterMs: 600_000 },
    ...(byNode ? { signer: () => openNodeAccount(world.from) } : {}),
  });
  if (byNode) world.dev.face.keys.push(PAYER_KEY);
  world.dev.chain.mine(3);
  const owed = new Array<bigint>(MINERS).fill(0n);
  let paidNonces = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const n = random(MINERS), amount = BigInt(1_000 + random(9_000));
    if (random(3) === 0) {
      await world.credit(minerAddress(n), amount);
      owed[n]! += amount;
    }
    await live(world, random);
  }
  world.dev.chain.mempool.hold(false);
  const life = world.start();
  for (let i = 0; i < 400 && !await world.isQuiet(); i++) {
    await life.step(world.lease).catch((error) => {
      assert.ok(error instanceof PoolError && !(error instanceof HaltError), error);
    });
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
  }
  for (const { nonce } of life.payer.journal.entries()) {
    paidNonces = Math.max(paidNonces, nonce + 1);
  }
  life.close();
  assert.equal(await world.isQuiet(), true);
  const used = await world.node.getTransactionCount(world.from, "latest");
  assert.equal(used, paidNonces);
  for (const [n, amount] of owed.entries()) {
    const account = await world.accounts.account(minerAddress(n));
    assert.equal(account.paidShannon + account.balanceShannon, amount);
    assert.equal(await world.receivedWei(minerAddress(n)), shannonToWei(account.paidShannon));
  }
  const rows = await world.store.command("ZCARD", world.keys.paymentsAll());
  assert.equal(rows, used);
  const { minersShannon, financesShannon } = await world.sums();
  assert.equal(minersShannon, financesShannon);
}

for (const byNode of [false, true]) {
  const signer = byNode ? "the node's account" : "a key";
  Deno.test(`createRun() pays every miner what is owed, once, through a storm, by ${signer}`, async () => {
    const start = Number(Deno.env.get("QUARRY_SEED") ?? 1);
    for (let seed = start; seed < start + 2; seed++) {
      try {
        await storm(seed, byNode);
      } catch (error) {
        throw new Error(`QUARRY_SEED=${seed} fails`, { cause: error });
      }
    }
  });
}
