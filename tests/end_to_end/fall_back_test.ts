/** Nodes far below what shares were recorded for: the pool says so, instead of handing out work. */
import assert from "node:assert/strict";
import { silentLogger } from "../../modules/base/mod.ts";
import { createKeys, openStore } from "../../modules/ledger/mod.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { LineClient } from "../support/line_client.ts";
import { freePorts, startPool } from "../support/pool.ts";
import { until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

const LOGIN = "0x" + "11".repeat(20);

Deno.test("the pool hands out no work seven heights below recorded shares, and again above", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-fall-back-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = stack.use(await startRedis());
  const ports = freePorts();
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: "0x" + "ab".repeat(20), difficulty: 10n ** 15n },
      pow: { hash: () => Promise.reject(new Error("no block is handed in here")) },
    }),
  );
  const pool = stack.use(
    await startPool(`${dir}/config.json`, {
      ...{ threads: 1, coin: "t", name: "one", dataDir: `${dir}/data` },
      network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
      proxy: {
        ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
        stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
        stateUpdateInterval: "100ms",
      },
      api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
      upstream: [{ name: "dev", url: chain.url }],
      redis: { endpoint: redis.endpoint },
    }, ports),
  );
  const miner = await LineClient.ethProxy(ports.stratum, LOGIN);
  const getWork = async () => await miner.ask("eth_getWork", []);
  const readiness = async () => await (await fetch(`http://127.0.0.1:${ports.api}/readyz`)).text();
  // As another instance on the same chain would have it, or this one before its node fell back.
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  stack.defer(() => store.close());
  await store.command("HSET", createKeys("t").own.chain(), "height", "50");
  await until("no work", async () => {
    const { error } = await getWork();
    return (error as { message: string } | undefined)?.message === "Work not ready";
  });
  assert.match(await readiness(), /every node is at height 1 or below, and work was at 50 already/);
  assert.match(pool.output(), /"work\.lost"/);
  // Height 43 is still too old for shares, 44 is not.
  chain.chain.mine(42, { transactions: false, uncles: false });
  const asked = chain.server.calls.length;
  await until("further questions", () => chain.server.calls.length > asked + 2);
  assert.equal((await getWork()).result, null);
  chain.chain.mine(1, { transactions: false, uncles: false });
  await until("work", async () => Array.isArray((await getWork()).result));
  await until("readiness", async () => !(await readiness()).includes("Mining is not ready"));
  miner.close();
});
