/** Each proof of work but plain Ethash, from a miner's share to the block's credit, on a whole pool. */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes } from "../../modules/base/mod.ts";
import type { EpochRule } from "../../modules/ethash/mod.ts";
import { createKeys, recordOf } from "../../modules/ledger/mod.ts";
import { LineClient } from "../support/line_client.ts";
import { until } from "../support/process.ts";
import { openWholePool, quickUnlocker } from "../support/whole_pool.ts";

const MINER = "0x" + "11".repeat(20);
const DIFFICULTY = 64n;
const RULES: EpochRule[] = [
  { algorithm: "frkhash" },
  { algorithm: "ubqhash", uip1Height: 0 },
  { algorithm: "etchash", ecip1099Height: 0 },
];

for (const rule of RULES) {
  Deno.test(`a pool mines ${rule.algorithm}: the share counts, the block is paid`, async () => {
    await using stack = new AsyncDisposableStack();
    const { pow, chain, ports, store } = await openWholePool(stack, {
      ...{ rule, difficulty: DIFFICULTY },
      config: (node) => ({ unlocker: quickUnlocker(node) }),
    });
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
