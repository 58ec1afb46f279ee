/** Each proof of work but plain Ethash, from a miner's share to the block's credit, on a whole pool. */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes, silentLogger } from "../../modules/base/mod.ts";
import { type EpochRule, openVerifier } from "../../modules/ethash/mod.ts";
import { createKeys, openStore, recordOf } from "../../modules/ledger/mod.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { LineClient } from "../support/line_client.ts";
import { freePorts, startPool } from "../support/pool.ts";
import { until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

const MINER = "0x" + "11".repeat(20);
const DIFFICULTY = 64n;
const RULES: EpochRule[] = [
  { algorithm: "frkhash" },
  { algorithm: "ubqhash", uip1Height: 0 },
  { algorithm: "etchash", ecip1099Height: 0 },
];

for (const rule of RULES) {
  Deno.test(`a pool mines ${rule.algorithm}: the share counts, the block is paid`, async () => {
    const dir = await Deno.makeTempDir({ prefix: "quarry-pow-" });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => Deno.remove(dir, { recursive: true }));
    const redis = stack.use(await startRedis());
    const pow = openVerifier({ rule, log: silentLogger });
    stack.defer(() => pow.close());
    await pow.prepare(1);
    const chain = stack.use(
      await startDevChain({ coinbase: "0x" + "ab".repeat(20), difficulty: DIFFICULTY, pow }),
    );
    const ports = freePorts();
    stack.use(
      await startPool(`${dir}/config.json`, {
        ...{ threads: 1, coin: "t", name: "one", dataDir: `${dir}/data` },
        network: { chainId: 1337, ...rule, rewards: [{ fromHeight: 0, reward: "2" }] },
        proxy: {
          ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
          stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
        },
        unlocker: {
          ...{ enabled: true, poolFee: 1, interval: "200ms", daemon: chain.url },
          ...{ depth: 32, immatureDepth: 16 },
        },
        api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
        upstream: [{ name: "dev", url: chain.url }],
        redis: { endpoint: redis.endpoint },
      }, ports),
    );
    const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
      log: silentLogger,
    });
    stack.defer(() => store.close());
    const client = await LineClient.ethProxy(ports.stratum, MINER);
    stack.defer(() => client.close());
    const { result: work } = await client.ask("eth_getWork", []);
    const header = (work as string[])[0]!;
    for (let n = 1n;; n++) {
      const { result, mix } = await pow.hash(1, hexToBytes(header), n);
      if (result * DIFFICULTY >= 1n << 256n) continue;
      const nonce = "0x" + n.toString(16).padStart(16, "0");
      const wrong = "0x" + (n + 1n).toString(16).padStart(16, "0");
      // Another nonce under the same mix digest is no share of any of them.
      assert.notEqual(await client.submitWhole(wrong, header, bytesToHex(mix)), "true");
      assert.equal(await client.submitWhole(nonce, header, bytesToHex(mix)), "true");
      break;
    }
    await until("the block in the chain", () => chain.chain.head.header.number >= 1);
    chain.chain.mine(33, { transactions: false, uncles: false });
    const miner = createKeys("t").miner(MINER);
    await until("the block's credit", async () => {
      return recordOf(await store.command("HGETALL", miner)).balance === "1980000000";
    });
  });
}
