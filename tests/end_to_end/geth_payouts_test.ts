/** Payments on real go-ethereum: outbid and replaced for a higher fee, and from the node's own account. */
import assert from "node:assert/strict";
import { getContractAddress, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import {
  bytesToHex,
  FakeClock,
  hexToBytes,
  nonceToHex,
  shannonToWei,
  silentLogger,
} from "../../modules/base/mod.ts";
import { parseConfig } from "../../modules/config/mod.ts";
import { openVerifier, type Verifier } from "../../modules/ethash/mod.ts";
import {
  createKeys,
  createPayments,
  type Lease,
  listOf,
  openStore,
} from "../../modules/ledger/mod.ts";
import { MULTISEND_CREATION, openRun, type PayerSetup } from "../../modules/payouts/mod.ts";
import { datasetDir, type Geth, type GethOptions, startGeth } from "../support/geth.ts";
import { until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

const PAYER_KEY: `0x${string}` = `0x${"07".repeat(32)}`;
const PAYER = privateKeyToAccount(PAYER_KEY).address.toLowerCase();
const rival = privateKeyToAccount(`0x${"08".repeat(32)}`);
const MINER = "0x" + "5a".repeat(20);
const GWEI = 1_000_000_000n;
/** Two transfers fill a block: whoever bids less waits. */
const GAS_LIMIT = 42_000;
const LEASE: Lease = { role: "payer", holder: "test", token: "1" };
const AMOUNT = 5_000_000n;

async function openWorld(
  stack: AsyncDisposableStack,
  signer: (dir: string) => Record<string, unknown>,
  options: Partial<GethOptions> = {},
  payouts: Record<string, unknown> = {},
) {
  const dir = await Deno.makeTempDir({ prefix: "quarry-geth-payouts-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  await Deno.writeTextFile(`${dir}/payer.key`, PAYER_KEY, { mode: 0o600 });
  const alloc = { [PAYER]: 10n ** 21n, [rival.address]: 10n ** 21n };
  const geth = stack.use(
    await startGeth({ dir: `${dir}/geth`, coinbase: "0x" + "c0".repeat(20), alloc, ...options }),
  );
  const redis = stack.use(await startRedis());
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  stack.defer(() => store.close());
  const keys = createKeys("eth");
  await store.multi([
    ["HSET", keys.own.lease("payer"), "token", "1"],
    ["HSET", keys.miner(MINER), "balance", `${AMOUNT}`],
    ["HSET", keys.finances(), "balance", `${AMOUNT}`],
  ]);
  const { config } = parseConfig(
    JSON.stringify({
      network: { chainId: geth.chainId, rewards: [{ fromHeight: 0, reward: "2" }] },
      payouts: {
        ...{ enabled: true, address: PAYER, signer: signer(dir), daemon: geth.url },
        ...{ requirePeers: 0, threshold: 1000, confirmations: 2, bumpAfter: "10m", ...payouts },
      },
    }),
    { baseDir: dir, readSecret: () => "" },
  );
  const clock = new FakeClock();
  const setup: PayerSetup = {
    ...{ prefix: "eth", network: { chainId: geth.chainId }, payouts: config.payouts },
    ...{ redis: {}, journal: `${dir}/payments.journal` },
  };
  const run = await openRun(setup, {
    ...{ store, keys, clock, log: silentLogger, event: () => {} },
    read: {
      file: (path) => Deno.readTextFileSync(path),
      mode: (path) => Deno.statSync(path).mode,
      env: () => undefined,
    },
  });
  stack.defer(() => run.close());
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => verifier.close());
  await verifier.prepare(1);
  await verifier.useDataset(1, await datasetDir());
  return { geth, store, keys, clock, run, verifier, payments: createPayments({ store, keys }) };
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** Makes the next block, once geth's work has all of these transactions. */
async function mineWith(geth: Geth, verifier: Verifier, hashes: string[]): Promise<void> {
  await until("a block of these transactions", async () => {
    const pending = await geth.call<{ transactions: string[] }>(
      ...["eth_getBlockByNumber", "pending", false] as const,
    );
    return hashes.every((hash) => pending.transactions.includes(hash));
  });
  const height = Number(await geth.call<string>("eth_blockNumber"));
  const [header, , target, next] = await geth.call<[string, string, string, string]>("eth_getWork");
  for (let startNonce = 0n;; startNonce += 65_536n) {
    const { solution } = await verifier.search({
      ...{ height: Number(next), headerHash: hexToBytes(header), target: BigInt(target) },
      ...{ startNonce, count: 65_536 },
    });
    if (solution === undefined) continue;
    const mix = bytesToHex(solution.mix);
    assert.equal(await geth.call("eth_submitWork", nonceToHex(solution.nonce), header, mix), true);
    break;
  }
  await until("the block", async () => Number(await geth.call<string>("eth_blockNumber")) > height);
}

/** A block full of a rival's transfers that pay well. */
async function mineRivals({ geth, verifier }: World): Promise<void> {
  const first = Number(await geth.call<string>("eth_getTransactionCount", rival.address, "latest"));
  const hashes: string[] = [];
  for (const nonce of [first, first + 1]) {
    const raw = await rival.signTransaction({
      ...{ type: "eip1559", chainId: geth.chainId, nonce, to: rival.address, value: 1n },
      ...{ gas: 21_000n, maxFeePerGas: 200n * GWEI, maxPriorityFeePerGas: 50n * GWEI },
    });
    hashes.push(await geth.call<string>("eth_sendRawTransaction", raw));
  }
  await mineWith(geth, verifier, hashes);
}

async function untilSent({ run, payments }: World) {
  return await until("a sent payment", async () => {
    await run.step(LEASE);
    return (await payments.open()).find(({ state }) => state === "sent");
  });
}

/** Mines and settles until it is booked; then the chain and the books agree. */
async function assertConfirmed(world: World, id: string, hash: string): Promise<void> {
  const { geth, verifier, run, payments, clock, store, keys } = world;
  await mineWith(geth, verifier, [hash]);
  for (let i = 0; i < 3; i++) {
    await mineWith(geth, verifier, []);
    await clock.advance(6_000);
    await run.step(LEASE);
  }
  assert.equal((await payments.payment(id))!.state, "confirmed");
  const rows = listOf(await store.command("ZRANGE", keys.paymentsAll(), "0", "-1"));
  assert.deepEqual(rows, [`${hash}:${MINER}:${AMOUNT}`]);
  const balance = BigInt(await geth.call<string>("eth_getBalance", MINER, "latest"));
  assert.equal(balance, shannonToWei(AMOUNT));
}

Deno.test("a payment that others outbid on geth is replaced by one with a higher fee, and paid once", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await openWorld(stack, (dir) => ({ keyFile: `${dir}/payer.key` }), {
    gasLimit: GAS_LIMIT,
  });
  const { geth, payments, run, clock } = world;
  const { id, signed } = await untilSent(world);
  for (let i = 0; i < 3; i++) await mineRivals(world);
  assert.equal(await geth.call("eth_getTransactionReceipt", signed!.hash), null);
  await clock.advance(601_000);
  await run.step(LEASE);
  const [bumped] = await payments.open();
  assert.equal(bumped!.state, "sent");
  assert.equal(bumped!.hashes.length, 2);
  assert.equal(await geth.call("eth_getTransactionByHash", signed!.hash), null);
  const waiting = await geth.call<{ nonce: string; maxPriorityFeePerGas: string }>(
    ...["eth_getTransactionByHash", bumped!.signed!.hash] as const,
  );
  assert.equal(Number(waiting.nonce), signed!.nonce);
  assert.ok(BigInt(waiting.maxPriorityFeePerGas) >= 50n * GWEI);
  await assertConfirmed(world, id, bumped!.signed!.hash);
});

Deno.test("geth pays from its own account, and what it sent is found again by its nonce", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await openWorld(stack, () => ({ node: true }), { unlockedKey: PAYER_KEY });
  const { geth, store, keys, run, clock, payments } = world;
  const { id, hashes } = await untilSent(world);
  assert.equal(hashes.length, 2);
  // As if the process had died before it read the reply.
  await store.multi([
    ["HSET", keys.own.payment(id), "state", "signed", "hash", hashes[0]!, "hashes", hashes[0]!],
  ]);
  await clock.advance(31_000);
  await run.step(LEASE);
  const [found] = await payments.open();
  assert.deepEqual([found!.state, found!.hashes], ["sent", hashes]);
  assert.equal(Number(await geth.call("eth_getTransactionCount", PAYER, "pending")), 1);
  await assertConfirmed(world, id, hashes[1]!);
});

Deno.test("geth pays many in one transaction, and a payee that refuses gets its debit back", async () => {
  await using stack = new AsyncDisposableStack();
  const contract = getContractAddress({ from: rival.address, nonce: 0n }).toLowerCase();
  const batch = { contract, size: 10 };
  const key = (dir: string) => ({ keyFile: `${dir}/payer.key` });
  const world = await openWorld(stack, key, {}, { batch });
  const { geth, verifier, run, clock, payments, store, keys } = world;
  const creation = await rival.signTransaction({
    ...{ type: "eip1559", chainId: geth.chainId, nonce: 0, data: MULTISEND_CREATION as Hex },
    ...{ gas: 1_000_000n, maxFeePerGas: 200n * GWEI, maxPriorityFeePerGas: GWEI },
  });
  await mineWith(geth, verifier, [await geth.call<string>("eth_sendRawTransaction", creation)]);
  // The contract itself takes no plain transfers: it is the payee that refuses.
  const others = [contract, "0x" + "5b".repeat(20), "0x" + "5c".repeat(20)];
  for (const login of others) {
    await store.multi([
      ["HINCRBY", keys.miner(login), "balance", `${AMOUNT}`],
      ["HINCRBY", keys.finances(), "balance", `${AMOUNT}`],
    ]);
  }
  const before = BigInt(await geth.call<string>("eth_getBalance", PAYER, "latest"));
  await untilSent(world);
  const open = await payments.open();
  const [hash, ...more] = new Set(open.map(({ signed }) => signed!.hash));
  assert.deepEqual([open.length, more.length], [4, 0]);
  await mineWith(geth, verifier, [hash!]);
  for (let i = 0; i < 3; i++) {
    await mineWith(geth, verifier, []);
    await clock.advance(6_000);
    await run.step(LEASE);
  }
  assert.deepEqual(await payments.open(), []);
  assert.deepEqual(await payments.held(), [contract]);
  for (const login of [MINER, ...others]) {
    const due = login === contract ? 0n : AMOUNT;
    const [paid, balance] = await store.command(
      ...["HMGET", keys.miner(login), "paid", "balance"],
    ) as (string | null)[];
    assert.deepEqual([BigInt(paid ?? 0), BigInt(balance ?? 0)], [due, AMOUNT - due]);
    const has = BigInt(await geth.call<string>("eth_getBalance", login, "latest"));
    assert.equal(has, shannonToWei(due));
  }
  const spent = before - BigInt(await geth.call<string>("eth_getBalance", PAYER, "latest"));
  const [gas, rest] = await store.command(
    ...["HMGET", keys.own.poolAccounts(), "gasShannon", "gasWeiRest"],
  ) as string[];
  assert.equal(spent, shannonToWei(3n * AMOUNT) + shannonToWei(BigInt(gas!)) + BigInt(rest!));
});
