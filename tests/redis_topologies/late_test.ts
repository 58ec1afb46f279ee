/** A whole pool that starts before its Redis: every part says once that it waits, then goes on. */
import assert from "node:assert/strict";
import { silentLogger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { denoArguments } from "../../scripts/process_rights.ts";
import { freePorts } from "../support/pool.ts";
import { freePort, startChild, until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

const WALLET = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a";
const KEY = "0x" + "11".repeat(32);
/** One line per connection that is waited for: two Deno workers hold miners. */
const WAITING = [
  ...["admin", "alerts", "api", "metrics", "mining", "payer", "stats"],
  ...["stratum", "stratum", "unlocker"],
];

interface Line {
  level: string;
  room: string;
  event: string;
  error?: string;
}

Deno.test("a pool waits for a Redis that comes later, and stops while it waits", async () => {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "quarry-late-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const pow = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => pow.close());
  const chain = stack.use(
    await startDevChain({ coinbase: WALLET, difficulty: 10n ** 15n, pow }),
  );
  const ports = freePorts();
  const path = `${dir}/pool.json`;
  const config = (extranonce: string) => ({
    ...{ threads: 2, coin: "t", name: "one", dataDir: `${dir}/data`, extranonce },
    network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
    proxy: {
      ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1 },
      stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
    },
    api: { enabled: true, listen: `127.0.0.1:${ports.api}` },
    metrics: { listen: `127.0.0.1:${freePort()}` },
    unlocker: { enabled: true, daemon: chain.url, depth: 32, immatureDepth: 16 },
    payouts: {
      ...{ enabled: true, daemon: chain.url, requirePeers: 0 },
      ...{ address: WALLET, signer: { privateKeyEnv: "TEST_KEY" } },
    },
    alerts: { webhook: { url: "http://127.0.0.1:9/" } },
    upstream: [{ name: "dev", url: chain.url }],
    redis: { endpoint: `${dir}/redis.sock` },
  });
  const start = async (extranonce: string) => {
    await Deno.writeTextFile(path, JSON.stringify(config(extranonce)));
    const env = { TEST_KEY: KEY };
    const child = stack.use(startChild(Deno.execPath(), denoArguments("pool", [path]), { env }));
    const lines = () =>
      child.output().split("\n").slice(0, -1).map((line) => JSON.parse(line) as Line);
    // A server that begins to listen may be met a moment too early: that is another reason.
    const waiting = () =>
      lines().filter(({ event, error }) => event === "redis.waiting" && /ENOENT/.test(error!))
        .map(({ room }) => room).sort();
    return { child, lines, waiting };
  };
  const isReady = async () => {
    const response = await fetch(`http://127.0.0.1:${ports.api}/readyz`);
    await response.body?.cancel();
    return response.status === 200;
  };

  const stopped = await start("leased");
  // Its number is leased before anything else is opened.
  await until("the lease to wait", () => stopped.waiting().length === 1, 60_000);
  assert.equal(await stopped.child.kill("SIGTERM"), 0, stopped.child.output());

  const { child, lines, waiting } = await start("single");
  await until("every part to wait", () => waiting().length >= WAITING.length, 60_000)
    .catch((error) => assert.fail(`${error}: ${child.output()}`));
  stack.use(await startRedis({ dir }));
  await until("the pool to be ready", isReady, 60_000);
  const ready = () => lines().filter(({ event }) => event === "worker.ready").length;
  await until("every Deno worker", () => ready() === 6, 60_000);
  assert.deepEqual(waiting(), WAITING);
  const errors = lines().filter(({ level }) => level === "error" || level === "fatal");
  assert.deepEqual(errors, []);
  assert.equal(lines().filter(({ event }) => event === "redis.back").length, WAITING.length);
  assert.equal(await child.kill("SIGTERM"), 0, child.output());
});
