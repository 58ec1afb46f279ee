/**
 * A Sentinel trio that is heard over TLS alone, with exactly the samples' users: from the
 * configuration's own text to the other side of a failover, and nothing is denied to anybody.
 */
import assert from "node:assert/strict";
import { createLogger, silentLogger } from "../../modules/base/mod.ts";
import { loadConfig, plain } from "../../modules/config/mod.ts";
import { openStore, type RedisOptions, StoreError } from "../../modules/ledger/mod.ts";
import { samplePassword, SENTINEL_SAMPLE } from "../support/acl.ts";
import { makeCertificate } from "../support/certificate.ts";
import { until } from "../support/process.ts";
import { cli, MASTER, startSentinels } from "../support/topologies.ts";

Deno.test("the pool finds its master over TLS, as a user of Sentinels and servers, after a failover too", async () => {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "quarry-guarded-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const [server, pool] = [makeCertificate("redis"), makeCertificate("pool")];
  const files = {
    ...{
      "redis.pem": server.cert,
      "redis.key": server.key,
      "trusted.pem": server.cert + pool.cert,
    },
    ...{ "pool.pem": pool.cert, "pool.key": pool.key },
    password: await samplePassword("quarry"),
    sentinelPassword: await samplePassword("quarry", SENTINEL_SAMPLE),
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${dir}/${name}`, text);
  }
  const topology = stack.use(
    await startSentinels({
      ...{ cert: `${dir}/redis.pem`, key: `${dir}/redis.key`, ca: `${dir}/trusted.pem` },
    }),
  );
  const config = {
    coin: "exp",
    redis: {
      ...{ sentinels: topology.nodes, sentinelMaster: MASTER, waitReplicas: 1 },
      ...{ username: "quarry", password: { file: `${dir}/password` } },
      ...{ sentinelUsername: "quarry", sentinelPassword: { file: `${dir}/sentinelPassword` } },
      // Addresses are what Sentinels name: the certificate has them, and no serverName is needed.
      tls: { ca: "redis.pem", cert: "pool.pem", key: "pool.key" },
    },
  };
  await Deno.writeTextFile(`${dir}/pool.json`, JSON.stringify(config));
  const options: RedisOptions = plain(loadConfig(`${dir}/pool.json`).config.redis);
  const store = await openStore(options, { log: silentLogger });
  stack.defer(() => store.close());
  const write = { name: "write", source: 'return redis.call("HINCRBY", KEYS[1], "n", 1)' };
  assert.equal(await store.script(write, ["exp:guarded"], []), 1);
  assert.ok(Number(await store.command("WAIT", "2", "5000")) >= 2, "replicas log in as well");

  await refusals(options);

  const before = store.server;
  await topology.master.kill();
  await until("another master to be found", () => store.ready && store.server !== before, 60_000);
  assert.equal(await store.script(write, ["exp:guarded"], []), 2, "what was written is there");
  await until("the other replica to follow it", async () => {
    return Number(await store.command("WAIT", "1", "500")) >= 1;
  }, 60_000);
  const [, ...others] = topology.servers;
  for (const one of [...others, ...topology.sentinels]) {
    const log = await cli(one, "ACL", "LOG");
    const reasons = [...log.matchAll(/^reason\n(\w+)$/gm)].map(([, reason]) => reason);
    // Who was turned away on purpose had a wrong password, and never got as far as a command.
    assert.deepEqual(reasons.filter((reason) => reason !== "auth"), [], `${one.port}: ${log}`);
  }
});

/** Neither plain text, nor another user, nor a stranger's certificate gets anywhere. */
async function refusals(options: RedisOptions): Promise<void> {
  const { tls: _, ...plainText } = options;
  const { sentinel } = options;
  const stranger = makeCertificate("stranger");
  const cases: [RedisOptions, RegExp][] = [
    [plainText, /ECONNRESET|closed|EPIPE/i],
    [{ ...options, sentinel: { ...sentinel!, password: "wrong" } }, /WRONGPASS/],
    [{ ...options, sentinel: { nodes: sentinel!.nodes, master: MASTER, password: "" } }, /NOAUTH/],
    [{ ...options, password: "wrong" }, /WRONGPASS/],
    [{ ...options, tls: { ...options.tls, ...stranger } }, /alert/],
    [{ ...options, tls: { ...options.tls, ca: stranger.cert } }, /certificate/i],
    [{ ...options, sentinel: { ...sentinel!, master: "other" } }, /redis\.sentinelMaster/],
  ];
  await Promise.all(cases.map(async ([wrong, reason]) => {
    const reasons: string[] = [];
    const end = new AbortController();
    const log = createLogger(({ event, facts }) => {
      assert.equal(event, "redis.waiting");
      reasons.push(String(facts.error));
    }, "ledger");
    const opening = openStore(wrong, { log, wait: end.signal });
    const refused = assert.rejects(
      opening,
      (error) => error instanceof StoreError && error.fate === "away",
    );
    await until(`a refusal (${reason})`, () => reasons.some((text) => reason.test(text)))
      .catch((error) => assert.fail(`${error}: ${reasons}`));
    end.abort(new Error("refused"));
    await refused;
  }));
}
