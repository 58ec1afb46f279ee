/** Nodes far below what shares were recorded for: the pool says so, instead of handing out work. */
import assert from "node:assert/strict";
import { createKeys } from "../../modules/ledger/mod.ts";
import { LineClient } from "../support/line_client.ts";
import { until } from "../support/process.ts";
import { openWholePool } from "../support/whole_pool.ts";

const LOGIN = "0x" + "11".repeat(20);

Deno.test("the pool hands out no work seven heights below recorded shares, and again above", async () => {
  await using stack = new AsyncDisposableStack();
  const { pool, chain, ports, store } = await openWholePool(stack, {
    config: () => ({ proxy: { stateUpdateInterval: "100ms" } }),
  });
  const miner = await LineClient.ethProxy(ports.stratum, LOGIN);
  const getWork = async () => await miner.ask("eth_getWork", []);
  const readiness = async () => await (await fetch(`http://127.0.0.1:${ports.api}/readyz`)).text();
  // As another instance on the same chain would have it, or this one before its node fell back.
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
