/** The development chain through its JSON-RPC: work, uncles, reorganizations, money and trouble. */
import assert from "node:assert/strict";
import { type Hex, keccak256, parseGwei } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { FakeClock, WEI_PER_COIN } from "../../modules/base/mod.ts";
import { createNode, NodeError } from "../../modules/chain/mod.ts";
import type { PowCheck } from "./chain.ts";
import { type DevChain, type DevChainOptions, startDevChain } from "./start.ts";

const POOL = "0x" + "ab".repeat(20);
const MINER = "0x" + "cd".repeat(20) as Hex;
const PAYER = privateKeyToAccount(`0x${"07".repeat(32)}`);
const MIX = "0x" + "55".repeat(32);

/** Even nonces are solutions. */
const evenNonces: PowCheck = {
  hash: (_height, _header, nonce) =>
    Promise.resolve({
      mix: new Uint8Array(32).fill(0x55),
      result: nonce % 2n === 0n ? 1n : (1n << 256n) - 1n,
    }),
};

async function start(options: Partial<DevChainOptions> = {}) {
  const clock = new FakeClock();
  const dev = await startDevChain({ coinbase: POOL, pow: evenNonces, clock, ...options });
  const node = createNode({ name: "dev", url: dev.url, timeoutMs: 5_000 });
  return { dev, node, clock };
}

async function control(dev: DevChain, method: string, ...params: unknown[]) {
  const response = await fetch(dev.url, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = await response.json();
  assert.equal(error, undefined);
  return result;
}

function pay(nonce: number, valueWei: bigint, more: { gasPrice?: bigint; to?: Hex } = {}) {
  return PAYER.signTransaction({
    type: "legacy",
    chainId: 1337,
    nonce,
    to: more.to ?? MINER,
    value: valueWei,
    gas: 21_000n,
    gasPrice: more.gasPrice ?? parseGwei("2"),
  });
}

Deno.test("startDevChain() takes a solution, pays the reward and serves the block", async () => {
  const { dev, node } = await start();
  await using _ = dev;
  const work = await node.getWork();
  assert.equal(work?.height, 1);
  assert.equal(await node.submitWork("0x0000000000000001", work!.headerHash, MIX), false);
  assert.equal(
    await node.submitWork("0x0000000000000002", work!.headerHash, "0x" + "00".repeat(32)),
    false,
  );
  assert.equal(await node.submitWork("0x0000000000000002", "0x" + "00".repeat(32), MIX), false);
  assert.equal(await node.submitWork("0x0000000000000002", work!.headerHash, MIX), true);
  assert.equal(await node.submitWork("0x0000000000000002", work!.headerHash, MIX), true);
  const block = await node.getBlock("latest");
  assert.equal(block?.number, 1);
  assert.equal(block?.nonce, "0x0000000000000002");
  assert.equal(block?.mixHash, MIX);
  assert.equal(block?.miner, POOL);
  assert.deepEqual(await node.getBlock(block!.hash), block);
  assert.equal(await node.getBalance(POOL), 2n * WEI_PER_COIN);
  assert.equal(await node.getBlock(2), undefined);
});

Deno.test("startDevChain() calls work stale after seven further blocks, as geth does", async () => {
  const { dev, node } = await start();
  await using _ = dev;
  const work = await node.getWork();
  dev.chain.mine(6);
  assert.equal(await node.submitWork("0x0000000000000002", work!.headerHash, MIX), true);
  dev.chain.mine(1);
  assert.equal(await node.submitWork("0x0000000000000004", work!.headerHash, MIX), false);
});

Deno.test("dev_uncle makes the next solution an uncle that the following block includes and pays", async () => {
  const { dev, node } = await start();
  await using _ = dev;
  await control(dev, "dev_uncle");
  const work = await node.getWork();
  assert.equal(await node.submitWork("0x0000000000000002", work!.headerHash, MIX), true);
  assert.equal((await node.getBlock(1))?.miner, "0x00000000000000000000000000000000000f111e");
  await control(dev, "dev_mine", 1, MINER);
  const including = await node.getBlock(2);
  const uncle = await node.getUncle(2, 0);
  assert.equal(including?.uncles.length, 1);
  assert.equal(uncle?.hash, including?.uncles[0]);
  assert.equal(uncle?.nonce, "0x0000000000000002");
  assert.equal(uncle?.miner, POOL);
  assert.equal(await node.getUncle(2, 1), undefined);
  assert.equal(await node.getBalance(POOL), 2n * WEI_PER_COIN * 7n / 8n);
  assert.equal(await node.getBalance(MINER), 2n * WEI_PER_COIN * 33n / 32n);
});

Deno.test("dev_reorg takes blocks, rewards and receipts back; dev_extend brings them again", async () => {
  const { dev, node } = await start({ alloc: { [PAYER.address]: 10n * WEI_PER_COIN } });
  await using _ = dev;
  const work = await node.getWork();
  assert.equal(await node.submitWork("0x0000000000000002", work!.headerHash, MIX), true);
  const ours = await node.getBlock(1);
  const hash = await node.sendRawTransaction(await pay(0, WEI_PER_COIN));
  dev.chain.mine(1);
  assert.equal((await node.getReceipt(hash))?.blockNumber, 2);
  await control(dev, "dev_reorg", 2);
  assert.equal(await node.blockNumber(), 3);
  assert.equal(await node.getBalance(POOL), 0n);
  assert.equal(await node.getReceipt(hash), undefined);
  assert.equal((await node.getTransaction(hash))?.blockHash, undefined);
  assert.equal((await node.getBlock(1))?.miner, "0x00000000000000000000000000000000000f111e");
  await control(dev, "dev_mine", 1);
  assert.deepEqual((await node.getBlock(4))?.uncles, []);
  assert.equal((await node.getReceipt(hash))?.blockNumber, 4);
  await control(dev, "dev_extend", ours!.hash);
  assert.equal((await node.getBlock(1))?.hash, ours!.hash);
  assert.equal(await node.getBalance(POOL), 2n * WEI_PER_COIN);
});

Deno.test("eth_sendRawTransaction refuses with geth's words and pays exactly", async () => {
  const { dev, node } = await start({ alloc: { [PAYER.address]: 3n * WEI_PER_COIN } });
  await using _ = dev;
  const refused = async (raw: string) => {
    const error = await node.sendRawTransaction(raw).then(() => undefined, (error) => error);
    assert.ok(error instanceof NodeError, "expected a refusal");
    return error.reason;
  };
  const first = await pay(0, WEI_PER_COIN);
  const hash = await node.sendRawTransaction(first);
  assert.equal(hash, keccak256(first));
  assert.equal(await refused(first), "already known");
  assert.equal(await refused(await pay(0, 1n)), "replacement transaction underpriced");
  assert.match(await refused(await pay(1, 3n * WEI_PER_COIN)), /insufficient funds for gas/);
  assert.match(await refused("0x1234"), /rlp/);
  assert.equal(await node.getTransactionCount(PAYER.address, "latest"), 0);
  assert.equal(await node.getTransactionCount(PAYER.address, "pending"), 1);
  await control(dev, "dev_hold");
  dev.chain.mine(1);
  assert.equal(await node.getReceipt(hash), undefined);
  await control(dev, "dev_hold", false);
  dev.chain.mine(1, { transactions: true, uncles: false, miner: POOL as Hex });
  assert.equal(await refused(first), "nonce too low");
  const receipt = await node.getReceipt(hash);
  assert.equal(receipt?.succeeded, true);
  assert.equal(receipt?.effectiveGasPrice, parseGwei("2"));
  assert.equal(await node.getBalance(MINER), WEI_PER_COIN);
  const feeWei = 21_000n * parseGwei("2");
  assert.equal(await node.getBalance(POOL), 2n * WEI_PER_COIN + feeWei);
  assert.equal(await node.getBalance(PAYER.address), 2n * WEI_PER_COIN - feeWei);
  const block = await node.getBlock(2, true);
  assert.equal(block?.transactions[0]?.valueWei, WEI_PER_COIN);
  assert.equal((await node.getBlockReceipts(block!)).length, 1);
});

Deno.test("startDevChain() burns the base fee and reverts where ordered", async () => {
  const { dev, node } = await start({
    baseFee: true,
    alloc: { [PAYER.address]: 3n * WEI_PER_COIN },
  });
  await using _ = dev;
  await control(dev, "dev_revert", MINER);
  const raw = await PAYER.signTransaction({
    type: "eip1559",
    chainId: 1337,
    nonce: 0,
    to: MINER,
    value: WEI_PER_COIN,
    gas: 21_000n,
    maxFeePerGas: parseGwei("5"),
    maxPriorityFeePerGas: parseGwei("1"),
  });
  const hash = await node.sendRawTransaction(raw);
  dev.chain.mine(1, { transactions: true, uncles: false, miner: POOL as Hex });
  const receipt = await node.getReceipt(hash);
  assert.equal(receipt?.succeeded, false);
  const baseFee = await node.baseFee();
  assert.equal(baseFee, parseGwei("1") * 7n / 8n);
  assert.equal(receipt?.effectiveGasPrice, parseGwei("1") + baseFee!);
  assert.equal(await node.getBalance(POOL), 2n * WEI_PER_COIN + 21_000n * parseGwei("1"));
  assert.equal(await node.getBalance(MINER), 0n);
  assert.equal(
    await node.getBalance(PAYER.address),
    3n * WEI_PER_COIN - 21_000n * (parseGwei("1") + baseFee!),
  );
});

Deno.test("dev_fail and dev_dropTx make the node misbehave as ordered", async () => {
  const { dev, node } = await start({ alloc: { [PAYER.address]: 3n * WEI_PER_COIN } });
  await using _ = dev;
  const kinds = { error: "refused", null: "garbage", http500: "status", html: "garbage" } as const;
  for (const [kind, expected] of Object.entries({ ...kinds, drop: "garbage" })) {
    await control(dev, "dev_fail", "eth_blockNumber", 1, kind);
    const error = await node.blockNumber().then(() => undefined, (error) => error);
    assert.equal(error?.kind, expected, kind);
    assert.equal(await node.blockNumber(), 0);
  }
  await control(dev, "dev_fail", "eth_sendRawTransaction", 1, "lost");
  const raw = await pay(0, 5n);
  await assert.rejects(node.sendRawTransaction(raw));
  assert.equal((await node.getTransaction(keccak256(raw)))?.valueWei, 5n);
  assert.equal(await control(dev, "dev_dropTx", keccak256(raw)), true);
  assert.equal(await node.getTransaction(keccak256(raw)), undefined);
});

Deno.test("startDevChain() can be an old node: three elements of work, receipts without price", async () => {
  const { dev, node } = await start({
    workTellsHeight: false,
    modernReceipts: false,
    alloc: { [PAYER.address]: 3n * WEI_PER_COIN },
  });
  await using _ = dev;
  assert.equal((await node.getWork())?.height, 1);
  await node.sendRawTransaction(await pay(0, 5n));
  dev.chain.mine(1);
  const block = await node.getBlock(1, true);
  const receipts = await node.getBlockReceipts(block!);
  assert.equal(receipts[0]?.effectiveGasPrice, undefined);
  assert.equal(block?.transactions[0]?.gasPrice, parseGwei("2"));
});

Deno.test("startDevChain() posts new work to the addresses that listen", async () => {
  const works: string[][] = [];
  const heard = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const stop = new AbortController();
  const listener = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} },
    async (request) => {
      works.push(await request.json());
      heard[works.length - 1]?.resolve();
      return new Response();
    },
  );
  {
    const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/`;
    const { dev } = await start({ notify: [url] });
    await using _ = dev;
    await heard[0]!.promise;
    dev.chain.mine(1);
    await heard[1]!.promise;
  }
  assert.deepEqual(works.map((work) => work[3]), ["0x1", "0x2"]);
  stop.abort();
  await listener.finished;
});

Deno.test("startDevChain() adds filler blocks at the block time", async () => {
  const { dev, node, clock } = await start({ blockTimeMs: 3_000 });
  await using _ = dev;
  await clock.advance(9_000);
  assert.equal(await node.blockNumber(), 3);
});

Deno.test("startDevChain() keeps solved blocks near the clock when it is paced", async () => {
  const { dev, node, clock } = await start({ paced: true, difficulty: 1_000n });
  await using _ = dev;
  dev.chain.mine(10);
  assert.equal(dev.chain.difficulty, 1_000n, "fillers are nobody's work");
  await clock.advance(20_000);
  const solve = async () => {
    const { headerHash } = (await node.getWork())!;
    assert.equal(await node.submitWork("0x0000000000000002", headerHash, MIX), true);
    return dev.chain.difficulty;
  };
  for (let i = 0; i < 3; i++) assert.equal(await solve(), 1_000n, "a burst is luck");
  const faster = [];
  for (let i = 0; i < 3; i++) faster.push(await solve());
  assert.deepEqual(faster, [1_500n, 2_250n, 3_375n]);
  await clock.advance(1_500);
  assert.equal(await solve(), 3_375n, "ahead, but no further");
});
