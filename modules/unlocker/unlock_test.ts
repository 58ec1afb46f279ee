/** The unlocker over a development chain and a real redis-server: every fate of a found block. */
import assert from "node:assert/strict";
import type { Hex } from "viem";
import {
  A,
  B,
  CHAIN,
  find,
  money,
  PAYER,
  POOL,
  rows,
  withPool,
} from "../../tests/support/unlock_world.ts";
import { InvariantError, WEI_PER_COIN } from "../base/mod.ts";
import { networkOf } from "../chain/mod.ts";
import { acquireLease, FencedError, type Lease, readStatus, type Store } from "../ledger/mod.ts";
import { runLoop } from "./loop.ts";
import { unlockPass } from "./unlock.ts";

Deno.test("unlockPass() takes a block from candidate to immature to matured", async () => {
  await withPool(async (bench) => {
    const { dev, pass, events } = bench;
    await find(bench, 5);
    dev.chain.mine(9);
    await pass();
    assert.equal(await rows(bench, "candidates"), 1);
    dev.chain.mine(1);
    assert.equal((await pass()).immature, 1);
    // 2 coins less 1 percent, two to one; the fee goes to its address.
    const shares = { A: 1_320_000_000n, B: 660_000_000n, FEE: 20_000_000n };
    assert.deepEqual(await money(bench, "immature"), shares);
    assert.deepEqual(await pass(), { immature: 0, matured: 0, orphaned: 0, lost: 0, waiting: [] });
    dev.chain.mine(10);
    assert.equal((await pass()).matured, 1);
    assert.deepEqual(await money(bench, "balance"), shares);
    assert.deepEqual(await money(bench, "immature"), { A: 0n, B: 0n, FEE: 0n });
    assert.equal(await rows(bench, "matured"), 1);
    assert.equal((await pass()).matured, 0);
    assert.deepEqual(events, ["block.immature", "block.matured"]);
  });
});

Deno.test("unlockPass() credits an uncle at the height that includes it", async () => {
  await withPool(async (bench) => {
    const { dev, pass, store } = bench;
    dev.chain.nextIsUncle = true;
    await find(bench, 5);
    dev.chain.mine(20);
    assert.equal((await pass()).immature, 1);
    assert.equal((await money(bench, "immature")).FEE, 17_500_000n);
    const [member] = await store.command("ZRANGE", "t:blocks:immature", "0", "-1") as string[];
    assert.match(member!, /^1:0:/);
    assert.equal(await store.command("ZSCORE", "t:blocks:immature", member!), "2");
    dev.chain.mine(10);
    assert.equal((await pass()).matured, 1);
    assert.equal((await money(bench, "balance")).A, 1_155_000_000n);
  });
});

Deno.test("unlockPass() pays fees and uncles of a block as the chain does, burnt part aside", async () => {
  for (const baseFee of [false, true]) {
    await withPool(async (bench) => {
      const { dev, node, pass, store } = bench;
      dev.chain.nextIsUncle = true;
      await find(bench, 4);
      await node.sendRawTransaction(
        await PAYER.signTransaction({
          type: "eip1559",
          chainId: 1337,
          nonce: 0,
          to: B as Hex,
          value: 1n,
          gas: 21_000n,
          maxFeePerGas: 9_000_000_000n,
          maxPriorityFeePerGas: 3_000_000_007n,
        }),
      );
      const before = await node.getBalance(POOL);
      await find(bench, 5);
      const earnedWei = await node.getBalance(POOL) - before;
      const uncleWei = 2n * WEI_PER_COIN * 7n / 8n;
      dev.chain.mine(15);
      assert.equal((await pass()).immature, 2);
      const members = await store.command("ZRANGE", "t:blocks:immature", "0", "-1") as string[];
      const rewards = members.map((member) => BigInt(member.split(":").at(-1)!));
      assert.equal(rewards.reduce((sum, reward) => sum + reward, 0n), earnedWei);
      assert.ok(rewards.includes(uncleWei));
    }, { baseFee, modernReceipts: baseFee });
  }
});

Deno.test("unlockPass() keeps transaction fees for the pool when the rules say so", async () => {
  await withPool(async (bench) => {
    const { dev, node, pass, store } = bench;
    const gasPrice = 3_000_000_000n;
    const transaction = { chainId: 1337, nonce: 0, to: B as Hex, value: 1n, gas: 21_000n };
    await node.sendRawTransaction(
      await PAYER.signTransaction({ ...transaction, gasPrice, type: "legacy" }),
    );
    await find(bench, 5);
    dev.chain.mine(15);
    await pass({ keepTxFees: true });
    assert.equal((await money(bench, "immature")).FEE, 20_000_000n + 63_000n);
    const [member] = await store.command("ZRANGE", "t:blocks:immature", "0", "-1") as string[];
    assert.match(member!, /:2000000000000000000$/);
  });
});

Deno.test("unlockPass() keeps an orphan's round until depth, then returns its shares once", async () => {
  await withPool(async (bench) => {
    const { dev, pass, store, events } = bench;
    const round = await find(bench, 5);
    await store.command("HSET", "t:shares:roundCurrent", A, "1");
    await store.command("HSET", "t:stats", "roundShares", "1");
    dev.chain.reorganize(1, { transactions: false, uncles: false });
    dev.chain.mine(9);
    assert.equal((await pass()).orphaned, 1);
    assert.equal(await store.command("EXISTS", round), 1);
    dev.chain.mine(10);
    assert.equal((await pass()).lost, 1);
    assert.equal((await pass()).lost, 0);
    assert.equal(await store.command("EXISTS", round), 0);
    assert.equal(await store.command("HGET", "t:shares:roundCurrent", A), "201");
    assert.equal(await store.command("HGET", "t:stats", "roundShares"), "301");
    assert.deepEqual(await money(bench, "immature"), {});
    assert.deepEqual(events, ["block.orphaned", "block.lost"]);
  });
});

Deno.test("unlockPass() brings a pending orphan back when the chain does", async () => {
  await withPool(async (bench) => {
    const { dev, pass } = bench;
    await find(bench, 5);
    const ours = dev.chain.head.hash;
    dev.chain.reorganize(1, { transactions: false, uncles: false });
    dev.chain.mine(10);
    assert.equal((await pass()).orphaned, 1);
    dev.chain.extend(ours, { transactions: false, uncles: false });
    dev.chain.mine(10);
    assert.equal((await pass()).matured, 1);
    assert.equal((await money(bench, "balance")).A, 1_320_000_000n);
  });
});

Deno.test("unlockPass() takes immature credits back when the chain drops the block", async () => {
  await withPool(async (bench) => {
    const { dev, pass } = bench;
    await find(bench, 5);
    dev.chain.mine(10);
    assert.equal((await pass()).immature, 1);
    dev.chain.reorganize(11, { transactions: false, uncles: false });
    dev.chain.mine(10);
    assert.equal((await pass()).lost, 1);
    assert.deepEqual(await money(bench, "immature"), { A: 0n, B: 0n, FEE: 0n });
    assert.deepEqual(await money(bench, "balance"), {});
  });
});

Deno.test("unlockPass() waits for a node that is synced and fresh, and for the second one", async () => {
  await withPool(async (bench) => {
    const { dev, clock, pass, deps, rules, lease } = bench;
    await find(bench, 5);
    dev.chain.reorganize(1, { transactions: false, uncles: false });
    dev.chain.mine(20);
    dev.face.syncing = true;
    assert.match((await pass()).waiting[0]!, /syncing/);
    dev.face.syncing = false;
    await clock.advance(3_700_000);
    assert.match((await pass()).waiting[0]!, /minutes old/);
    dev.chain.mine(1);
    const doubting = { ...deps.node, name: "second", blockNumber: () => Promise.resolve(3) };
    const report = await unlockPass({ ...deps, confirmWith: doubting }, rules, lease);
    assert.match(report.waiting[0]!, /second says undecided/);
    assert.equal(await rows(bench, "candidates"), 1);
    assert.equal((await pass()).orphaned, 1);
  });
});

Deno.test("unlockPass() leaves everything for the next pass when the node fails", async () => {
  await withPool(async (bench) => {
    const { dev, pass } = bench;
    await find(bench, 5);
    dev.chain.mine(20);
    for (const kind of ["error", "null", "html"] as const) {
      for (const method of ["eth_getBlockByNumber", "eth_getBlockByHash", "eth_syncing"]) {
        dev.server.fail(method, 1, kind);
        const report = await pass().catch(() => undefined);
        assert.notEqual(report?.immature, 1, `${kind} ${method}`);
        assert.equal(await rows(bench, "candidates"), 1);
        dev.server.fail(method, 0, kind);
      }
    }
    assert.equal((await pass()).immature, 1);
  });
});

Deno.test("unlockPass() finishes a cut step with the plan it began with", async () => {
  await withPool(async (bench) => {
    const { dev, deps, rules, lease, pass, store } = bench;
    await find(bench, 5);
    dev.chain.mine(15);
    let left = 1;
    const cut: Store = {
      ...store,
      script: (...call) =>
        left-- > 0 ? store.script(...call) : Promise.reject(new Error("the connection is lost")),
    };
    await assert.rejects(unlockPass({ ...deps, store: cut }, rules, lease), /lost/);
    const immature = await money(bench, "immature");
    assert.equal(Object.keys(immature).length, 2);
    assert.equal(await rows(bench, "candidates"), 1);
    // The fee changes and the block leaves the chain meanwhile: neither may split the credits.
    dev.chain.reorganize(16, { transactions: false, uncles: false });
    assert.equal((await pass({ feeMillionths: 50_000_000n })).immature, 1);
    assert.equal((await money(bench, "immature")).A, 1_320_000_000n);
    assert.equal((await money(bench, "immature")).FEE, 20_000_000n);
  });
});

Deno.test("runLoop() unlocks, says what it does, and a spare takes over", async () => {
  await withPool(async (bench) => {
    const { dev, clock, deps, rules, lease, store } = bench;
    await find(bench, 5);
    dev.chain.mine(10);
    const options = { ...rules, intervalMs: 5_000, instance: "spare" };
    const stop = new AbortController();
    const done = runLoop(options, deps, stop.signal);
    const until = async (state: string) => {
      for (let i = 0; i < 500; i++) {
        if ((await readStatus(deps)).unlocker?.state === state) return;
        await clock.advance(1_000);
      }
      assert.fail(`never ${state}: ${JSON.stringify(await readStatus(deps))}`);
    };
    await until("standby");
    assert.equal(await rows(bench, "candidates"), 1);
    await store.command("HDEL", deps.keys.own.lease("unlocker"), "token", "untilMs");
    await until("running");
    assert.equal(await rows(bench, "immature"), 1);
    dev.server.fail("eth_syncing", 1, "html");
    await until("retrying");
    await until("running");
    stop.abort();
    await done;
    dev.chain.mine(10);
    await assert.rejects(unlockPass(deps, rules, lease), FencedError);
  });
});

Deno.test("unlockPass() that slept while another unlocker worked is fenced, it finds no contradiction", async () => {
  await withPool(async (bench) => {
    const { dev, deps, rules, lease, pass, store, node } = bench;
    await find(bench, 5);
    dev.chain.mine(10);
    await pass();
    dev.chain.mine(10);
    // The block is matured, and its round gone, between this pass's look at the chain and its own.
    const sleeping: typeof node = {
      ...node,
      async getBlockReceipts(block) {
        await store.command("HSET", deps.keys.own.lease("unlocker"), "untilMs", "0");
        const other = await acquireLease(deps, "unlocker", "other", 600_000);
        assert.equal((await unlockPass(deps, rules, other as Lease)).matured, 1);
        return await node.getBlockReceipts(block);
      },
    };
    await assert.rejects(unlockPass({ ...deps, node: sleeping }, rules, lease), FencedError);
    assert.deepEqual(await rows(bench, "matured"), 1);
  });
});

Deno.test("runLoop() halts on a contradiction, says why, and goes on once it is mended", async () => {
  await withPool(async (bench) => {
    const { clock, deps, rules, store, lease } = bench;
    const wrong = { ...rules, network: networkOf({ ...CHAIN, chainId: 5 }) };
    await assert.rejects(unlockPass(deps, wrong, lease), InvariantError);
    const stop = new AbortController();
    const options = Object.assign(wrong, { intervalMs: 1_000, instance: "test" });
    const done = runLoop(options, deps, stop.signal);
    for (let i = 0; i < 500; i++) {
      if ((await readStatus(deps)).unlocker?.state === "halted") break;
      await clock.advance(100);
    }
    const { unlocker } = await readStatus(deps);
    assert.equal(unlocker?.state, "halted");
    assert.match(unlocker!.reason, /chain 1337, network private is chain 5/);
    assert.equal(await store.command("HGET", deps.keys.own.lease("unlocker"), "token"), null);
    // Once mended it goes on by itself.
    wrong.network = rules.network;
    for (let i = 0; i < 500; i++) {
      if ((await readStatus(deps)).unlocker?.state === "running") break;
      await clock.advance(1_000);
    }
    assert.equal((await readStatus(deps)).unlocker?.state, "running");
    stop.abort();
    await done;
  });
});
