/** A whole pool over a real Sentinel trio: its sessions outlive the master, and no true is lost. */
import assert from "node:assert/strict";
import { silentLogger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { createKeys, listOf, openStore, recordOf } from "../../modules/ledger/mod.ts";
import { buildLoad, startLoad } from "../../scripts/bench_stratum/parts.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { freePorts, startPool } from "../support/pool.ts";
import { until } from "../support/process.ts";
import { MASTER, startSentinels } from "../support/topologies.ts";

const keys = createKeys("{t}");

Deno.test("a pool's miners stay while Redis fails over, and every true is stored once", async () => {
  await buildLoad();
  const dir = await Deno.makeTempDir({ prefix: "quarry-failover-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const topology = stack.use(await startSentinels());
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => verifier.close());
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: "0x" + "ab".repeat(20), difficulty: 10n ** 15n, pow: verifier },
    }),
  );
  const ports = freePorts();
  const pool = stack.use(
    await startPool(`${dir}/pool.json`, {
      ...{ threads: 2, coin: "{t}", name: "one", dataDir: `${dir}/data` },
      network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
      proxy: {
        // Difficulty 1: every nonce is a share.
        ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
        stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
      },
      api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
      upstream: [{ name: "dev", url: chain.url }],
      redis: { sentinels: topology.nodes, sentinelMaster: MASTER, waitReplicas: 1 },
    }, ports),
  );
  const store = await openStore({
    ...{ endpoint: "", database: 0, password: "" },
    sentinel: { nodes: topology.nodes, master: MASTER, password: "" },
  }, { log: silentLogger });
  stack.defer(() => store.close());
  const before = store.server;
  const stored = async () => listOf(await store.command("ZRANGE", keys.pow(), "0", "-1"));
  const nonces = `${dir}/nonces`;
  // Paced: a miner that is refused does not come again at once.
  const load = startLoad({
    ...{ port: ports.stratum, sessions: 64, active: 64, seconds: 12, rate: 400, nonces },
  });
  await until("shares to be counted", async () => (await stored()).length > 300);
  await topology.master.kill();
  await until("another master to be found", () => store.ready && store.server !== before, 60_000);
  const atFailover = (await stored()).length;
  const { lost, unanswered } = await load.next("done");
  // It writes the last nonces when it ends.
  await load[Symbol.asyncDispose]();
  assert.deepEqual({ lost, unanswered }, { lost: 0, unanswered: 0 }, "sessions stay");
  await until("the pool to be ready", async () => {
    const response = await fetch(`http://127.0.0.1:${ports.api}/readyz`);
    await response.body?.cancel();
    return response.status === 200;
  });
  const told = (await Deno.readTextFile(nonces)).split("\n").filter((nonce) => nonce !== "");
  const members = await stored();
  const kept = new Set(members.map((member) => member.slice(2, 18)));
  assert.equal(new Set(told).size, told.length, "no nonce was told true twice");
  assert.deepEqual(told.filter((nonce) => !kept.has(nonce)), [], "told true and gone");
  assert.equal(members.length, told.length, "nothing is counted that was not told true");
  assert.ok(members.length > atFailover, "shares go on after the failover");
  const round = recordOf(await store.command("HGETALL", keys.roundCurrent()));
  const sum = Object.values(round).reduce((total, value) => total + BigInt(value), 0n);
  assert.equal(sum, BigInt(members.length));
  assert.equal(await pool.stop(), 0);
});
