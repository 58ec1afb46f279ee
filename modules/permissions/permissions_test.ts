/** Who may do what, for configurations of every kind, and that README.md says the same. */
import assert from "node:assert/strict";
import { parseConfig } from "../config/mod.ts";
import { netRight } from "./addresses.ts";
import { rightsFlags } from "./flags.ts";
import { CONFIG_COMMANDS, type Place, processRights } from "./process.ts";
import { type WorkerName, workerRights } from "./workers.ts";

const LIBRARY = "/opt/quarry/native/build/lib.so";
const WORKERS: WorkerName[] = ["stratum", "unlocker", "payouts", "stats", "alerts"];
const ADDRESS = "0x" + "11".repeat(20);
const place: Place = {
  ...{ root: "/opt/quarry", library: LIBRARY, config: "/etc/quarry/pool.json" },
  ...{
    secretFiles: ["/etc/quarry/redis.pass"],
    secretVariables: ["REDIS_PASSWORD"],
    argumentFiles: ["/tmp/backup"],
  },
  env: () => undefined,
};

function configOf(file: Record<string, unknown>) {
  const context = { baseDir: "/etc/quarry", readSecret: () => "secret" };
  return parseConfig(
    JSON.stringify({ coin: "exp", name: "a", dataDir: "/var/lib/q", ...file }),
    context,
  )
    .config;
}

const whole = configOf({
  network: "expanse",
  proxy: {
    ...{ enabled: true, listen: "0.0.0.0:8888" },
    stratum: { enabled: true, listen: "0.0.0.0:8008" },
    tls: { cert: "cert.pem", key: "key.pem" },
  },
  verifier: { dag: "file", dir: "/var/lib/dag" },
  api: { enabled: true, listen: "[::1]:8080" },
  upstream: [{ name: "n", url: "http://node:8545", timeout: "1s", ws: "wss://node/ws" }],
  redis: { endpoint: "redis:6379", password: { file: "redis.pass" } },
  unlocker: { enabled: true, daemon: "http://daemon:8545" },
  payouts: {
    ...{ enabled: true, daemon: "http://daemon:8545", address: ADDRESS },
    signer: { keystore: { file: "/etc/quarry/payer.json", passphraseEnv: "PASSPHRASE" } },
  },
  alerts: { webhook: { url: "https://hooks.example/x" } },
});

Deno.test("netRight() spells addresses as Deno's rights do", () => {
  assert.equal(netRight("https://a.example/path"), "a.example:443");
  assert.equal(netRight("http://[::1]:8545"), "[::1]:8545");
  assert.equal(netRight("ws://a"), "a:80");
  assert.equal(netRight("redis:6379"), "redis:6379");
  assert.equal(netRight("/run/redis.sock"), "unix:/run/redis.sock");
  assert.equal(netRight("10.0.0.0/8"), undefined);
  assert.equal(netRight("a sentence: 5"), undefined);
});

Deno.test("the statistics worker has Redis and nothing else", () => {
  assert.deepEqual(workerRights("stats", whole, place), {
    ...{ net: ["redis:6379"], read: false, write: false, env: false },
    ...{ ffi: false, run: false, sys: false, import: false },
  });
});

Deno.test("only the payer is given the key, and only the stratum workers the library", () => {
  for (const name of WORKERS) {
    const { read, env, ffi, run } = workerRights(name, whole, place);
    const files = Array.isArray(read) ? read.map(String) : [];
    assert.equal(files.includes("/etc/quarry/payer.json"), name === "payouts", name);
    assert.equal(JSON.stringify(env).includes("PASSPHRASE"), name === "payouts", name);
    assert.deepEqual(ffi, name === "stratum" ? [LIBRARY] : false, name);
    assert.equal(run, false, name);
  }
  const stratum = workerRights("stratum", whole, place);
  assert.ok(JSON.stringify(stratum.read).includes("/etc/quarry/cert.pem"));
});

Deno.test("a process without the payer cannot read the key, nor one without miners load code", () => {
  const { network: _, ...rest } = { network: 1 };
  const redis = { endpoint: "/run/redis.sock" };
  const api = configOf({ ...rest, redis, proxy: { enabled: false }, api: { enabled: true } });
  const rights = processRights("pool", api, place);
  assert.deepEqual([rights.run, rights.ffi], [[], []]);
  assert.ok(!rights.read.some((file) => file.includes("payer")));
  assert.ok(!rights.env.includes("PASSPHRASE"));
  assert.ok(rights.net.includes("unix:/run/redis.sock") && rights.net.includes("0.0.0.0:8080"));
  assert.ok(!rights.net.includes("0.0.0.0:8888"), "a door that is closed is none");
  assert.ok(
    rights.write.every((path) =>
      [...["/run/redis.sock", "/var/lib/q/exp-a"], "/var/lib/q/exp-a.admin"].includes(path)
    ),
  );
});

Deno.test("a program is run only for a configured firewall, and only that one", () => {
  assert.deepEqual(processRights("pool", whole, place).run, []);
  const banning = { enabled: true, ipset: "banned" };
  const file = { proxy: { enabled: true, stratum: { enabled: true }, policy: { banning } } };
  const rights = processRights("pool", configOf(file), place);
  assert.deepEqual(rights.run, ["/usr/sbin/ipset"]);
});

Deno.test("a worker's rights are part of its process's", () => {
  const rights = processRights("pool", whole, place);
  for (const name of WORKERS) {
    const worker = workerRights(name, whole, place);
    for (const kind of ["net", "read", "write", "env", "ffi"] as const) {
      const wanted = worker[kind];
      if (wanted === false) continue;
      for (const one of wanted as string[]) {
        assert.ok((rights[kind] as string[]).includes(one), `${name} ${kind} ${one}`);
      }
    }
  }
});

Deno.test("miners' webhooks open the network to whom they are sent, and nothing more", () => {
  const alerts = { webhook: { url: "https://hooks.example/x" }, minerWebhooks: true };
  const config = configOf({ alerts });
  assert.equal(processRights("pool", config, place).net, "any");
  assert.equal(workerRights("alerts", config, place).net, true);
  assert.notEqual(workerRights("stats", config, place).net, true);
});

Deno.test("no command is given everything, and flags escape commas", () => {
  for (const command of CONFIG_COMMANDS) {
    const flags = rightsFlags(processRights(command, whole, place));
    for (const flag of flags) assert.doesNotMatch(flag, /^(-A|--allow-all|--allow-\w+)$/, command);
    assert.equal(flags[0], "--no-prompt");
  }
  const odd = { ...processRights("audit", whole, place), read: ["/a,b"] };
  assert.ok(rightsFlags(odd).includes("--allow-read=/a,,b"));
});

Deno.test("README.md has the table of what the code gives", async () => {
  const text = await Deno.readTextFile(new URL("README.md", import.meta.url));
  for (const name of WORKERS) {
    const rights = workerRights(name, whole, place);
    const row = new RegExp(`^\\| \`${name}\` +\\|(.*)\\|$`, "m").exec(text)?.[1]?.split("|");
    assert.ok(row, `a row for ${name}`);
    const kinds = ["net", "read", "write", "env", "ffi"] as const;
    for (const [index, kind] of kinds.entries()) {
      assert.equal(row[index]!.trim() !== "-", rights[kind] !== false, `${name} ${kind}`);
    }
  }
  for (const command of CONFIG_COMMANDS) {
    const rights = processRights(command, whole, place);
    const row = new RegExp(
      `^\\| \`quarry ?${command === "pool" ? "" : command}\` +\\|(.*)\\|$`,
      "m",
    )
      .exec(text)?.[1]?.split("|");
    assert.ok(row, `a row for ${command}`);
    for (
      const [index, kind] of (["net", "read", "write", "env", "ffi", "run"] as const).entries()
    ) {
      const given = rights[kind].length > 0 || (kind === "run" && command === "pool");
      assert.equal(row[index]!.trim() !== "-", given, `${command} ${kind}`);
    }
  }
});

/** What a worker with these rights is refused, as `kind` each. */
async function refusals(permissions: Deno.PermissionOptionsObject, args: unknown) {
  const url = new URL("../../tests/fixtures/workers/greedy.ts", import.meta.url);
  const worker = new Worker(url, { type: "module", deno: { permissions } });
  try {
    return await new Promise<Record<string, string>>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(args);
    });
  } finally {
    worker.terminate();
  }
}

Deno.test("a worker that tries what it may not is refused, by Deno itself", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-rights-" });
  await Deno.writeTextFile(`${dir}/payer.key`, "11".repeat(32));
  using door = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = door.addr as Deno.NetAddr;
  const { port: closed } = { port: port === 65_535 ? 1 : port + 1 };
  const config = configOf({
    redis: { endpoint: `127.0.0.1:${port}` },
    payouts: {
      ...{ enabled: true, address: ADDRESS, daemon: `http://127.0.0.1:${port}` },
      signer: { keyFile: `${dir}/payer.key` },
    },
  });
  const args = { file: `${dir}/payer.key`, port, closed };
  const none = {
    ...{ read: "NotCapable", write: "NotCapable", env: "NotCapable", run: "NotCapable" },
    ...{ ffi: "NotCapable", sys: "NotCapable", elsewhere: "NotCapable" },
  };
  for (const name of WORKERS) {
    const rights = workerRights(name, config, place);
    const mayRead = name === "payouts";
    const expected = { ...none, redis: "ok", ...(mayRead ? { read: "ok" } : {}) };
    assert.deepEqual(await refusals(rights, args), expected, name);
  }
  await Deno.remove(dir, { recursive: true });
});
