/** The doctor on a pool that is well and on pools that are not: real Redis, a real chain. */
import assert from "node:assert/strict";
import { parseConfig } from "../modules/config/mod.ts";
import { startRedis } from "../tests/support/redis.ts";
import { startDevChain } from "./dev_chain.ts";
import { examine, linesOf } from "./doctor.ts";

const ADDRESS = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
const KEY = "0".repeat(63) + "1";

/** A configuration of everything, as text. */
function fileOf(redis: string, chain: string, dir: string, more: Record<string, unknown> = {}) {
  return JSON.stringify({
    ...{ coin: "t", name: "test", dataDir: dir },
    network: { chainId: 1337, rewards: [{ fromHeight: 0, reward: "2" }], depth: 20 },
    redis: { endpoint: redis },
    upstream: [{ name: "main", url: chain }],
    proxy: {
      listen: "127.0.0.1:0",
      stratum: { listen: "127.0.0.1:0", maxConn: 100 },
    },
    api: { listen: "127.0.0.1:0" },
    unlocker: { enabled: true, daemon: chain },
    payouts: {
      ...{ enabled: true, daemon: chain, address: ADDRESS, requirePeers: 1 },
      signer: { keyFile: `${dir}/key` },
    },
    ...more,
  });
}

async function troubles(text: string, dir: string): Promise<string[]> {
  const { config } = parseConfig(text, { baseDir: dir, readSecret: () => "" });
  const checks = await examine(config);
  assert.equal(
    linesOf(checks).at(-1),
    checks.some(({ state }) => state === "fail")
      ? `${checks.filter(({ state }) => state === "fail").length} to be mended.`
      : "All is well.",
  );
  return checks.filter(({ state }) => state === "fail").map(({ part, finding }) =>
    `${part}: ${finding}`
  );
}

// node-redis keeps a timer of its own for a while after a server that cannot be reached.
const LOSES_REDIS = { sanitizeOps: false, sanitizeResources: false };

Deno.test("doctor finds a pool well, and names what is not", LOSES_REDIS, async () => {
  await using redis = await startRedis({ durable: true });
  await using chain = await startDevChain({
    coinbase: ADDRESS,
    alloc: { [ADDRESS]: 10n ** 18n },
    pow: { hash: () => Promise.reject(new Error("nothing is mined here")) },
  });
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/key`, KEY, { mode: 0o600 });
    const well = fileOf(redis.endpoint, chain.url, dir);
    assert.deepEqual(await troubles(well, dir), []);
    const away = fileOf(`${dir}/none.sock`, "http://127.0.0.1:9", dir);
    const found = (await troubles(away, dir)).join("\n");
    assert.match(found, /redis: Cannot reach Redis/);
    assert.match(found, /nodes: Node main is unreachable/);
    chain.face.syncing = true;
    chain.face.peers = 0;
    await Deno.writeTextFile(`${dir}/key`, KEY.replace("1", "2"), { mode: 0o600 });
    const sick = await troubles(
      fileOf(redis.endpoint, chain.url, dir, { coinbases: ["0x" + "12".repeat(20)] }),
      dir,
    );
    assert.match(sick.join("\n"), /main is still syncing/);
    assert.match(sick.join("\n"), /which is not among coinbases/);
    assert.match(sick.join("\n"), /belongs to 0x2b5ad5c4795c026514f8317c7a215e218dccd6cf/);
    assert.match(sick.join("\n"), /has 0 peers, payouts.requirePeers is 1/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
