/** New blocks of real go-ethereum reach the pool by push and by WebSocket, hours before it would ask. */
import assert from "node:assert/strict";
import {
  bytesToHex,
  createLogger,
  hexToBytes,
  type LogRecord,
  nonceToHex,
  silentLogger,
  systemClock,
} from "../../modules/base/mod.ts";
import { openVerifier, type Verifier } from "../../modules/ethash/mod.ts";
import { openWatching } from "../../modules/stratum/watching.ts";
import type { Job } from "../../modules/work/mod.ts";
import { datasetDir, type Geth, startGeth } from "../support/geth.ts";
import { LineClient } from "../support/line_client.ts";
import { freePorts, startPool } from "../support/pool.ts";
import { freePort, until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

const COINBASE = "0x" + "ab".repeat(20);
const HOURS_MS = 10 * 3_600_000;

/** A verifier that finds a block of the least difficulty in a moment. */
async function openMiner(stack: AsyncDisposableStack): Promise<Verifier> {
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => verifier.close());
  await verifier.prepare(1);
  await verifier.useDataset(1, await datasetDir());
  return verifier;
}

/** Makes geth's next block; gives the header that was solved. */
async function mineBlock(geth: Geth, verifier: Verifier): Promise<string> {
  const [header, , target, height] = await geth.call<[string, string, string, string]>(
    "eth_getWork",
  );
  for (let startNonce = 0n;; startNonce += 65_536n) {
    const { solution } = await verifier.search({
      ...{ height: Number(height), headerHash: hexToBytes(header), target: BigInt(target) },
      ...{ startNonce, count: 65_536 },
    });
    if (solution === undefined) continue;
    const mix = bytesToHex(solution.mix);
    assert.equal(await geth.call("eth_submitWork", nonceToHex(solution.nonce), header, mix), true);
    return header;
  }
}

async function withDir(stack: AsyncDisposableStack): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "quarry-geth-push-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  return dir;
}

Deno.test("geth --miner.notify: a new block's work reaches miners before polling would", async () => {
  await using stack = new AsyncDisposableStack();
  const dir = await withDir(stack);
  const verifier = await openMiner(stack);
  const [ports, notify] = [freePorts(), freePort()];
  const flags = ["--miner.notify", `http://127.0.0.1:${notify}/geth`];
  const geth = stack.use(await startGeth({ dir: `${dir}/geth`, coinbase: COINBASE, flags }));
  const redis = stack.use(await startRedis());
  const pool = stack.use(
    await startPool(`${dir}/config.json`, {
      ...{ threads: 1, coin: "t", name: "one", dataDir: `${dir}/data` },
      network: {
        ...{ chainId: geth.chainId, algorithm: "ethash" },
        rewards: [{ fromHeight: 0, reward: "2" }],
      },
      proxy: {
        ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
        stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
        ...{ notifyListen: `127.0.0.1:${notify}`, blockRefreshInterval: "10h" },
      },
      upstreamCheckInterval: "10h",
      api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
      upstream: [{ name: "geth", url: geth.url }],
      redis: { endpoint: redis.endpoint },
    }, ports),
  );
  const miner = await LineClient.stratum1(ports.stratum, "0x" + "11".repeat(20));
  for (let block = 0; block < 5; block++) {
    const solved = await mineBlock(geth, verifier);
    const next = await until("geth's next work", async () => {
      const [header] = await geth.call<string[]>("eth_getWork");
      return header !== solved && header;
    });
    // There may be more than one header for a height; the newest comes last.
    let header = "";
    while (header !== next) header = "0x" + JSON.parse((await miner.line())!).params[2];
  }
  miner.close();
  assert.doesNotMatch(pool.output(), /push\.denied|push\.ignored|notify\.(broken|stranger)/);
});

Deno.test("geth: a whole header pushed, or a head over WebSocket, has the work fetched", async (t) => {
  await using stack = new AsyncDisposableStack();
  const dir = await withDir(stack);
  const verifier = await openMiner(stack);
  const [notify, ws] = [freePort(), freePort()];
  const ways: [string, string[], { notify: boolean; ws?: string }][] = [
    ["notify.full", ["--miner.notify", `http://127.0.0.1:${notify}`, "--miner.notify.full"], {
      notify: true,
    }],
    ["newHeads", ["--ws", "--ws.addr", "127.0.0.1", "--ws.port", `${ws}`, "--ws.api", "eth"], {
      ...{ notify: false, ws: `ws://127.0.0.1:${ws}` },
    }],
  ];
  for (const [name, flags, way] of ways) {
    await t.step(name, async () => {
      await using inner = new AsyncDisposableStack();
      const geth = inner.use(await startGeth({ dir: `${dir}/${name}`, coinbase: COINBASE, flags }));
      const [jobs, logs]: [Job[], LogRecord[]] = [[], []];
      const watching = await openWatching({
        upstreams: [{ name: "geth", url: geth.url, timeoutMs: 10_000 }],
        ...{ blockRefreshIntervalMs: HOURS_MS, upstreamCheckIntervalMs: HOURS_MS },
        chainId: geth.chainId,
        heads: way.ws === undefined ? [] : [{ name: "geth", ws: way.ws }],
        ...(way.notify
          ? {
            notify: {
              ...{ hostname: "127.0.0.1", port: notify },
              nodes: [{ name: "geth", notifyFrom: ["127.0.0.1"] }],
            },
          }
          : {}),
      }, {
        ...{ clock: systemClock, log: createLogger((record) => logs.push(record), "mining") },
        ...{ onJob: (job) => jobs.push(job), onWorkLost: (reason) => assert.fail(reason) },
      });
      inner.defer(() => watching.close());
      await until("the first job", () => jobs.length > 0);
      for (let block = 0; block < 3; block++) {
        const { height } = jobs.at(-1)!;
        await mineBlock(geth, verifier);
        await until("the next block's job", () => jobs.at(-1)!.height === height + 1);
      }
      assert.deepEqual(logs.filter(({ level }) => level !== "info"), []);
    });
  }
});
