/** The keys of Redis: every way to reach it, and what cannot go together. */
import assert from "node:assert/strict";
import { loadConfig } from "./load.ts";
import { parseConfig } from "./parse.ts";
import { ConfigError } from "./problem.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

function parse(redis: unknown, more: Record<string, unknown> = {}) {
  return parseConfig(JSON.stringify({ coin: "exp", ...more, redis }), {
    baseDir: "/etc/quarry",
    readSecret: (where) => `secret of ${JSON.stringify(where)}`,
    readText(path) {
      if (path === "/etc/quarry/none.pem") throw new Error("cannot be read");
      return path.endsWith(".pem") ? PEM : "no certificate";
    },
  });
}

function problemsOf(redis: unknown, more: Record<string, unknown> = {}): string[] {
  try {
    parse(redis, more);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, problem, mend }) => `${path}: ${problem}, ${mend}`);
  }
  return [];
}

Deno.test("parseConfig() reads TLS, its files from the folder of the configuration", () => {
  const { redis } = parse({ tls: { ca: "ca.pem", serverName: "redis.pool" } }).config;
  assert.deepEqual(redis.tls, { ca: PEM, serverName: "redis.pool" });
  assert.deepEqual(parse({ tls: {} }).config.redis.tls, {});
  assert.equal(parse({}).config.redis.tls, undefined);
});

Deno.test("parseConfig() reads Sentinels, and warns when a failover promises nothing", () => {
  const file = {
    ...{ sentinels: ["a:26379", "b:26379"], sentinelMaster: "pool", sentinelUsername: "u" },
    ...{ sentinelPassword: { credential: "sentinel" }, waitReplicas: 1 },
  };
  const { config, warnings } = parse(file);
  assert.deepEqual(config.redis.sentinel, {
    ...{ nodes: ["a:26379", "b:26379"], master: "pool", username: "u" },
    password: 'secret of {"credential":"sentinel"}',
  });
  assert.deepEqual(warnings.filter(({ path }) => path.startsWith("redis")), []);
  const without = parse({ ...file, waitReplicas: 0 }).warnings;
  assert.match(without.find(({ path }) => path === "redis.sentinels")!.message, /waitReplicas/);
});

Deno.test("parseConfig() reads a Cluster whose prefix keeps the pool in one slot", () => {
  const { redis } = parse({ cluster: ["a:7000"], waitReplicas: 1 }, { coin: "{exp}" }).config;
  assert.deepEqual(redis.cluster, { nodes: ["a:7000"], key: "{exp}" });
});

Deno.test("parseConfig() names what does not go together, and the mend", () => {
  const cluster = { cluster: ["a:1"], waitReplicas: 1 };
  const cases: [unknown, RegExp, Record<string, unknown>?][] = [
    [cluster, /^coin: is "exp".*one slot.*write "\{exp\}".*migrate CONFIG --rename/],
    [{ ...cluster, database: 3 }, /^redis.database: is not 0.*leave it out/, { coin: "{exp}" }],
    [{ ...cluster, sentinels: ["b:1"] }, /^redis.cluster: stands beside/, { coin: "{exp}" }],
    [{ cluster: ["/run/a.sock"] }, /^redis.cluster.0: is a path.*host:port/, { coin: "{exp}" }],
    [{ tls: {}, endpoint: "/run/redis.sock" }, /^redis.tls: stands beside a unix socket/],
    [{ tls: { cert: "a.pem" } }, /^redis.tls.key: is missing, give certificate and key together/],
    [{ tls: { ca: "none.pem" } }, /^redis.tls.ca: cannot be read, make it readable/],
    [{ tls: { ca: "ca.txt" } }, /^redis.tls.ca: is no PEM file: \/etc\/quarry\/ca.txt/],
    [{ sentinels: [] }, /^redis.sentinels: /],
    [{ replica: "nowhere" }, /^redis.replica: expected host:port/],
    [{ password: { file: "a", env: "B" } }, /^redis.password: needs exactly one of file, env and/],
  ];
  for (const [redis, expected, more] of cases) {
    const problems = problemsOf(redis, more);
    assert.equal(problems.length, 1, `${JSON.stringify(redis)}: ${problems}`);
    assert.match(problems[0]!, expected);
  }
});

Deno.test("parseConfig() warns of a replica that nobody reads", () => {
  const { warnings } = parse({ replica: "b:6379" }, { api: { enabled: false } });
  assert.ok(warnings.some(({ path }) => path === "redis.replica"));
  const { config } = parse({ replica: "b:6379", replicaMaxLag: "3s" });
  assert.equal(config.redis.replica, "b:6379");
  assert.equal(config.redis.replicaMaxLagMs, 3_000);
});

Deno.test("loadConfig() reads a password from systemd's credentials", async () => {
  const dir = await Deno.makeTempDir();
  const before = Deno.env.get("CREDENTIALS_DIRECTORY");
  try {
    const path = `${dir}/pool.json`;
    await Deno.writeTextFile(path, '{"redis": {"password": {"credential": "redis"}}}');
    await Deno.writeTextFile(`${dir}/redis`, "hunter2\n");
    Deno.env.delete("CREDENTIALS_DIRECTORY");
    assert.throws(() => loadConfig(path), /redis.password: is a credential.*systemd/);
    Deno.env.set("CREDENTIALS_DIRECTORY", dir);
    const { config, secrets } = loadConfig(path);
    assert.equal(config.redis.password, "hunter2");
    assert.deepEqual(secrets, [{ file: `${dir}/redis` }]);
  } finally {
    if (before === undefined) Deno.env.delete("CREDENTIALS_DIRECTORY");
    else Deno.env.set("CREDENTIALS_DIRECTORY", before);
    await Deno.remove(dir, { recursive: true });
  }
});
