/** The doctor on a pool that is well and on pools that are not: real Redis, a real chain. */
import assert from "node:assert/strict";
import { parseConfig } from "../modules/config/mod.ts";
import { startChild } from "../tests/support/process.ts";
import { startRedis } from "../tests/support/redis.ts";
import { startDevChain } from "./dev_chain.ts";
import { judgeFiles, judgeProcessor } from "./doctor/machine_facts.ts";
import { poolChecks } from "./doctor/pool.ts";
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

Deno.test("doctor by scripts/quarry knows the machine within its rights", LOSES_REDIS, async () => {
  await using redis = await startRedis({ durable: true });
  await using chain = await startDevChain({
    coinbase: ADDRESS,
    alloc: { [ADDRESS]: 10n ** 18n },
    pow: { hash: () => Promise.reject(new Error("nothing is mined here")) },
  });
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${dir}/key`, KEY, { mode: 0o600 });
    const path = `${dir}/config.json`;
    // Neither folder is there yet.
    const more = {
      ...{ dataDir: `${dir}/state/data`, verifier: { dag: "file", dir: `${dir}/far/dag` } },
    };
    await Deno.writeTextFile(path, fileOf(redis.endpoint, chain.url, dir, more));
    const quarry = new URL("quarry", import.meta.url).pathname;
    const child = startChild(quarry, ["doctor", path, "--json"]);
    const code = await child.exit;
    const checks = JSON.parse(child.output()) as { state: string; finding: string; part: string }[];
    const failed = checks.filter(({ state }) => state === "fail").map(({ finding }) => finding);
    // A machine may lack room for datasets, or handles; what it has is known all the same.
    assert.deepEqual(failed.filter((one) => !/GiB|file handles/.test(one)), []);
    assert.equal(code, failed.length > 0 ? 1 : 0);
    const all = checks.map(({ part, finding }) => `${part}: ${finding}`).join("\n");
    for (
      const known of [
        ...[/machine: (\d+|unlimited) file handles/, /machine: .*(AVX|instructions)/],
        ...[/GiB of memory are free/, /GiB are free at .*dag, [3-9]/, /is free$/m],
        ...[/redis: as user default/, /nodes: main: .*synced/, /nodes: main mines for/],
        ...[/pool: no pool of this configuration runs here/, /money: .* are due/],
      ]
    ) assert.match(all, known);
    assert.doesNotMatch(all, /not known/);
    const fresh = { dataDir: `${dir}/other/data`, verifier: { dag: "off" } };
    await Deno.writeTextFile(path, fileOf(redis.endpoint, chain.url, dir, fresh));
    const again = startChild(quarry, ["doctor", path]);
    await again.exit;
    assert.match(again.output(), /GiB are free at .*other\/data, 1\.0 GiB/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("judgeFiles() and judgeProcessor() never take what they do not know for good", () => {
  assert.equal(judgeFiles({}, 100, 50).state, "note");
  assert.equal(judgeFiles({ files: "249" }, 100, 50).state, "fail");
  assert.equal(judgeFiles({ files: "250" }, 100, 50).state, "ok");
  assert.equal(judgeFiles({ files: "unlimited" }, 100, 50).state, "ok");
  const states = (facts: Parameters<typeof judgeProcessor>[0]) =>
    judgeProcessor(facts).map(({ state }) => state);
  assert.deepEqual(states({}), ["note"]);
  assert.deepEqual(states({ cpu: "fpu avx2 bmi1 bmi2", hugePages: "always [madvise] never" }), [
    ...["ok", "ok"],
  ]);
  assert.deepEqual(states({ cpu: "fpu avx", hugePages: "always madvise [never]" }), [
    ...["note", "note"],
  ]);
});

Deno.test("doctor names damaged journals, an open folder, a missing page and warnings", async () => {
  await using redis = await startRedis({ durable: true });
  const dir = await Deno.makeTempDir();
  try {
    const text = fileOf(redis.endpoint, "http://127.0.0.1:9", dir, {
      api: { listen: "127.0.0.1:0", static: `${dir}/no-page` },
    });
    const { config } = parseConfig(text, { baseDir: dir, readSecret: () => "" });
    await Deno.mkdir(`${dir}/t-test`, { mode: 0o700 });
    await Deno.writeTextFile(
      `${dir}/t-test/shares-0.journal`,
      '{"id":"a"}\n{"id":"b"}\n{"done":"a"}\n{"i',
    );
    await Deno.writeTextFile(`${dir}/t-test/shares-1.journal`, '{"id":"a"}\nxx\n{"id":"b"}\n');
    await Deno.mkdir(`${dir}/t-test.admin`);
    await Deno.chmod(`${dir}/t-test.admin`, 0o755);
    const checks = await poolChecks(config, [{ path: "name", message: "is odd" }]);
    const found = checks.map(({ state, finding }) => `${state} ${finding}`).join("\n");
    for (
      const wanted of [
        ...[/^note name: is odd$/m, /^note there is no page in/m, /^fail others can enter/m],
        ...[/^note shares-0\.journal: 1 batches/m, /^fail shares-1\.journal is damaged in line 2/m],
      ]
    ) assert.match(found, wanted);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
