/** Blocks that no row accounts for, and rewards compared with balances, on a development chain. */
import assert from "node:assert/strict";
import type { Hex } from "viem";
import { B, find, money, PAYER, POOL, rows, withPool } from "../../tests/support/unlock_world.ts";
import { WEI_PER_COIN } from "../base/mod.ts";
import { networkOf } from "../chain/mod.ts";
import { readScannedHeight, readUnknownBlocks } from "../ledger/mod.ts";

const ASIDE = { transactions: false, uncles: false };

Deno.test("scanBlocks() finds blocks and uncles that nobody's share found, each once", async () => {
  await withPool(async (bench) => {
    const { dev, pass, deps, events } = bench;
    await find(bench, 5);
    // Somebody mines to the pool's address without the pool: a block, then one that becomes an uncle.
    dev.chain.mine(1, { ...ASIDE, miner: POOL as Hex });
    dev.chain.nextIsUncle = true;
    const uncle = await find(bench, 6);
    await deps.store.command("DEL", "t:blocks:candidates", uncle);
    dev.chain.mine(12);
    await pass();
    const blocks = await readUnknownBlocks(deps);
    assert.deepEqual(blocks.map(({ kind, height, uncleHeight }) => [kind, height, uncleHeight]), [
      ["unknown", 1, 0],
      ["unknown", 2, 0],
      ["unknown", 4, 3],
    ]);
    assert.equal(blocks[2]!.rewardWei, 2n * WEI_PER_COIN * 7n / 8n);
    assert.deepEqual(events, ["block.unknown", "block.unknown", "block.unknown"]);
    assert.equal(await readScannedHeight(deps), dev.chain.head.header.number - 10);
    await pass();
    assert.equal(events.length, 3);
  });
});

Deno.test("scanBlocks() leaves what the ledger knows: candidates, immature and matured blocks", async () => {
  await withPool(async (bench) => {
    const { dev, pass, deps } = bench;
    await find(bench, 5);
    dev.chain.mine(15);
    await find(bench, 7);
    dev.chain.mine(15);
    const { immature, matured } = await pass();
    assert.deepEqual([immature, matured], [2, 1]);
    assert.deepEqual(await readUnknownBlocks(deps), []);
    // A search from the start again: matured rows are known too.
    await deps.store.command("SET", deps.keys.own.blocksScanned(), "0");
    await pass();
    assert.deepEqual(await readUnknownBlocks(deps), []);
  });
});

Deno.test("scanBlocks() reports a block that comes back after its shares were returned", async () => {
  await withPool(async (bench) => {
    const { dev, pass, deps, events } = bench;
    await find(bench, 5);
    const ours = dev.chain.head.hash;
    dev.chain.reorganize(1, ASIDE);
    dev.chain.mine(20);
    await pass();
    assert.equal(await rows(bench, "matured"), 1);
    assert.deepEqual(events, ["block.orphaned", "block.lost"]);
    // The deepest reorganisation there is: the search has passed, so it is begun again.
    dev.chain.extend(ours, ASIDE);
    dev.chain.mine(30);
    await deps.store.command("SET", deps.keys.own.blocksScanned(), "0");
    await pass();
    const [back, ...others] = await readUnknownBlocks(deps);
    assert.equal(others.length, 0);
    assert.equal(back?.kind, "returned");
    assert.equal(back?.rewardWei, 2n * WEI_PER_COIN);
    assert.deepEqual(events.slice(2), ["block.returned"]);
    assert.deepEqual(await money(bench, "balance"), {});
  });
});

Deno.test("scanBlocks() looks again when the node lacks an uncle, and then finds it", async () => {
  await withPool(async (bench) => {
    const { dev, pass, deps } = bench;
    dev.chain.nextIsUncle = true;
    const uncle = await find(bench, 6);
    await deps.store.command("DEL", "t:blocks:candidates", uncle);
    dev.chain.mine(12);
    dev.server.fail("eth_getUncleByBlockHashAndIndex", 1, "null");
    await pass();
    assert.deepEqual(await readUnknownBlocks(deps), []);
    assert.equal(await readScannedHeight(deps), undefined);
    dev.server.fail("eth_getUncleByBlockHashAndIndex", 0, "null");
    await pass();
    assert.ok((await readUnknownBlocks(deps)).some(({ uncleHeight }) => uncleHeight > 0));
  });
});

Deno.test("crossCheck holds a credit back when the chain paid less than the rules say", async () => {
  await withPool(async (bench) => {
    const { dev, pass, node, rules } = bench;
    const transaction = { chainId: 1337, nonce: 0, to: B as Hex, value: 1n, gas: 21_000n };
    await node.sendRawTransaction(
      await PAYER.signTransaction({ ...transaction, gasPrice: 3_000_000_000n, type: "legacy" }),
    );
    dev.chain.nextIsUncle = true;
    await find(bench, 4);
    await find(bench, 5);
    dev.chain.mine(12);
    const rewards = [{ fromHeight: 0, reward: "3" }];
    const generous = networkOf({ chainId: 1337, algorithm: "ethash", rewards, baseFee: "none" });
    const report = await pass({ network: generous, crossCheck: true });
    assert.equal(report.immature, 0);
    assert.equal(report.waiting.length, 2);
    assert.match(report.waiting[0]!, /the rules of private say \d+: compare network/);
    assert.equal((await pass({ ...rules, crossCheck: true })).immature, 2);
  });
});
