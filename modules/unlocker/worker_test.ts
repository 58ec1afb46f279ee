/** The unlocker as a real Deno worker: ready, at work, stopped; and honest when Redis is not there. */
import assert from "node:assert/strict";
import { startDevChain } from "../../scripts/dev_chain.ts";
import { until } from "../../tests/support/process.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { silentLogger } from "../base/mod.ts";
import { networkOf } from "../chain/mod.ts";
import { createKeys, openStore, readStatus } from "../ledger/mod.ts";
import type { UnlockerWorkerOptions } from "./mod.ts";

const POOL = "0x" + "ab".repeat(20);

function optionsFor(endpoint: string, url: string): UnlockerWorkerOptions {
  return {
    logLevel: "error",
    redis: { endpoint, database: 0, password: "" },
    prefix: "t",
    node: { name: "dev", url, timeoutMs: 2_000 },
    miningNodes: [{ name: "dev", url, timeoutMs: 2_000 }],
    unlocker: {
      network: networkOf({
        chainId: 1337,
        algorithm: "ethash",
        rewards: [{ fromHeight: 0, reward: "2" }],
        baseFee: "none",
      }),
      ...{ depth: 20, immatureDepth: 10, keepTxFees: false, feeMillionths: 0n, feeAddress: "" },
      ...{ rounding: "floor", coinbases: [], returnShares: true, headAgeMsMax: 3_600_000 },
      ...{ intervalMs: 50, instance: "test" },
    },
  };
}

async function withWorker(
  options: UnlockerWorkerOptions,
  work: (worker: Worker, heard: (type: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const waits = new Map<string, () => void>();
  const seen = new Set<string>();
  worker.onmessage = ({ data }) => {
    seen.add(data.type);
    waits.get(data.type)?.();
  };
  worker.postMessage({ type: "start", options });
  await work(
    worker,
    (type) => new Promise((resolve) => seen.has(type) ? resolve() : waits.set(type, resolve)),
  );
  worker.terminate();
}

Deno.test("worker.ts unlocks between start and stop", async () => {
  await using redis = await startRedis();
  await using dev = await startDevChain({
    coinbase: POOL,
    pow: { hash: () => Promise.resolve({ mix: new Uint8Array(32), result: 1n }) },
  });
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const work = dev.chain.pending();
  const zeros = "0x" + "00".repeat(32);
  const response = await fetch(dev.url, {
    method: "POST",
    body: JSON.stringify({
      id: 1,
      method: "eth_submitWork",
      params: ["0x0000000000000007", work.sealHash, zeros],
    }),
  });
  assert.equal((await response.json()).result, true);
  const round = "t:shares:round1:0x0000000000000007";
  await store.command("HSET", round, "0x" + "0a".repeat(20), "3");
  const member = `0x0000000000000007:${work.sealHash}:${zeros}:1700:20000:3`;
  await store.command("ZADD", "t:blocks:candidates", "1", member);
  dev.chain.mine(10);
  await withWorker(optionsFor(redis.endpoint, dev.url), async (worker, heard) => {
    await heard("ready");
    await heard("event");
    assert.equal(await store.command("HGET", "t:finances", "immature"), "2000000000");
    await until("the status", async () => {
      return (await readStatus({ store, keys: createKeys("t") }))["unlocker"]?.state === "running";
    });
    worker.postMessage({ type: "stop" });
    await heard("stopped");
  });
  await store.close();
});

Deno.test("worker.ts waits for a Redis that is not there, says so, and stops all the same", async () => {
  const options = optionsFor("/nonexistent/redis.sock", "http://127.0.0.1:1/");
  options.logLevel = "warn";
  await withWorker(options, async (worker, heard) => {
    await heard("log");
    worker.postMessage({ type: "stop" });
    await heard("stopped");
  });
});
