/**
 * Whole worlds of the simulation, every script and view of them, over a Redis that forbids what the
 * documents do not ask for: under the sample's users, over TLS, and in one slot of a real Cluster.
 */
import assert from "node:assert/strict";
import { silentLogger } from "../../modules/base/mod.ts";
import { openStore, type RedisOptions, type Store, StoreError } from "../../modules/ledger/mod.ts";
import { makeCertificate } from "../support/certificate.ts";
import { freePort } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { ACL_SAMPLE, samplePassword } from "../support/acl.ts";
import { startCluster } from "../support/topologies.ts";
import { runWorld } from "../simulation/run_world.ts";

const DAYS = 4;
/** What the world itself does to Redis, and no pool. */
const OF_THE_WORLD = new Set(["FLUSHALL", "SWAPDB", "SCRIPT"]);

Deno.test("the pool runs under exactly the sample's user, over TLS", async () => {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "quarry-tls-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const [server, client] = [makeCertificate("redis"), makeCertificate("pool")];
  const files = { "server.pem": server.cert, "server.key": server.key, "client.pem": client.cert };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${dir}/${name}`, text);
  }
  const port = freePort();
  const redis = stack.use(
    await startRedis({
      args: [
        ...["--tls-port", String(port), "--tls-auth-clients", "yes"],
        ...["--tls-cert-file", `${dir}/server.pem`, "--tls-key-file", `${dir}/server.key`],
        ...["--tls-ca-cert-file", `${dir}/client.pem`, "--aclfile", ACL_SAMPLE.pathname],
      ],
    }),
  );
  const tls = { ca: server.cert, ...client, serverName: "localhost" };
  const options = (username: string, password: string): RedisOptions => ({
    ...{ endpoint: `127.0.0.1:${port}`, database: 0, username, password, tls },
    timeoutMs: 2_000,
  });
  const open = async (user: string) => {
    const own = options(user, await samplePassword(user));
    const store = await openStore(own, { log: silentLogger });
    stack.defer(() => store.close());
    return store;
  };
  const [pool, admin, reader] = [
    await open("quarry"),
    await open("admin"),
    await open("quarry-read"),
  ];
  const report = await runWorld(7, DAYS, besides(pool, admin), "exp");
  assert.equal(report.failure, undefined);
  assert.deepEqual(await admin.command("ACL", "LOG"), [], "nothing was denied");

  const denied = (store: Store, ...command: string[]) =>
    assert.rejects(
      store.command(...command),
      (error) =>
        error instanceof StoreError && error.fate === "refused" &&
        /NOPERM/.test(String(error.cause)),
      command.join(" "),
    );
  await denied(pool, "SET", "other:key", "1");
  await denied(pool, "EVAL", 'return redis.call("GET", KEYS[1])', "1", "etc:finances");
  await denied(pool, "FLUSHALL");
  await denied(pool, "CONFIG", "SET", "appendfsync", "no");
  await denied(pool, "KEYS", "*");
  assert.ok(Array.isArray(await reader.command("HGETALL", "exp:finances")));
  await denied(reader, "HSET", "exp:finances", "paid", "1");
  await denied(reader, "GET", "other:key");
  // Neither a wrong password, nor a stranger's certificate, nor none at all.
  const refused = (wrong: RedisOptions) =>
    assert.rejects(openStore({ ...wrong, timeoutMs: 700 }, { log: silentLogger }), StoreError);
  await refused(options("quarry", "wrong"));
  const known = options("quarry", await samplePassword("quarry"));
  await refused({ ...known, tls: { ca: client.cert, ...client, serverName: "localhost" } });
  await refused({ ...known, tls: { ...tls, serverName: "elsewhere" } });
  await refused({ ...known, tls: { ca: server.cert, serverName: "localhost" } });
  void redis;
});

Deno.test("every key that a script touches lies in the pool's slot", async () => {
  await using cluster = await startCluster("{t}");
  const store = await openStore({
    ...{ endpoint: "", database: 0, password: "" },
    cluster: { nodes: cluster.nodes, key: "{t}" },
  }, { log: silentLogger });
  try {
    const report = await runWorld(8, DAYS, inOneDatabase(store), "{t}");
    assert.equal(report.failure, undefined);
    const slot = String(await store.command("CLUSTER", "KEYSLOT", "{t}"));
    const [all, inSlot] = [
      await store.command("DBSIZE"),
      await store.command("CLUSTER", "COUNTKEYSINSLOT", slot),
    ];
    assert.ok(Number(all) > 50);
    assert.equal(inSlot, all);
  } finally {
    await store.close();
  }
});

/** The world's own commands go to another user; all that the pool sends stays its own. */
function besides(pool: Store, admin: Store): Store {
  return {
    get ready() {
      return pool.ready;
    },
    get connection() {
      return pool.connection;
    },
    get server() {
      return pool.server;
    },
    command: (...args) => (OF_THE_WORLD.has(args[0]!) ? admin : pool).command(...args),
    multi: (commands) => pool.multi(commands),
    script: (script, keys, args) =>
      (script.name.startsWith("simulation_") ? admin : pool).script(script, keys, args),
    close: () => Promise.resolve(),
  };
}

/** A Cluster has one database: the world's checkpoint lies under another prefix of the same slot. */
function inOneDatabase(store: Store): Store {
  const move = (from: string, to: string, how: string) => ({
    name: `simulation_${how}_${to}`,
    source: `
      for _, key in ipairs(redis.call("KEYS", "${to}:*")) do redis.call("DEL", key) end
      for _, key in ipairs(redis.call("KEYS", "${from}:*")) do
        redis.call("${how}", key, "${to}:" .. string.sub(key, ${from.length + 2}))
      end
      return 1`,
  });
  return {
    ...besides(store, store),
    get connection() {
      return store.connection;
    },
    get server() {
      return store.server;
    },
    async command(...args) {
      if (args[0] !== "SWAPDB") return await store.command(...args);
      return await store.script(move("{t}copy", "{t}", "RENAME"), ["{t}:any"], []);
    },
    script: (script, keys, args) =>
      script.name === "simulation_checkpoint"
        ? store.script(move("{t}", "{t}copy", "COPY"), ["{t}:any"], [])
        : store.script(script, keys, args),
  };
}
