/** A node's push reaches the miners long before the next poll would, and nobody else's does. */
import assert from "node:assert/strict";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { LineClient } from "../support/line_client.ts";
import { freePorts, startPool } from "../support/pool.ts";
import { freePort } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

Deno.test("work that a node pushes to notifyListen is mined at once", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-push-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = stack.use(await startRedis());
  const [ports, notify] = [freePorts(), freePort()];
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: "0x" + "ab".repeat(20), difficulty: 10n ** 15n },
      pow: { hash: () => Promise.reject(new Error("no block is handed in here")) },
      notify: [`http://127.0.0.1:${notify}/`],
    }),
  );
  stack.use(
    await startPool(`${dir}/config.json`, {
      ...{ threads: 1, coin: "t", name: "one", dataDir: `${dir}/data` },
      network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
      proxy: {
        ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
        stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
        // By polling alone the test would wait for an hour.
        ...{ notifyListen: `127.0.0.1:${notify}`, blockRefreshInterval: "1h" },
      },
      upstreamCheckInterval: "1h",
      api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
      upstream: [{ name: "dev", url: chain.url }],
      redis: { endpoint: redis.endpoint },
    }, ports),
  );
  const miner = await LineClient.stratum1(ports.stratum, "0x" + "11".repeat(20));
  const before = miner.headerHash;
  for (let block = 0; block < 3; block++) {
    chain.chain.mine(1, { transactions: false, uncles: false });
    const [, , header] = JSON.parse((await miner.line())!).params;
    assert.notEqual("0x" + header, before);
  }
  miner.close();
});
