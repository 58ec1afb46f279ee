/** The connection against a real redis-server: scripts, fates of failed commands, reconnection. */
import assert from "node:assert/strict";
import { createLogger, errorText, type LogRecord, silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { openStore, StoreError } from "./redis.ts";

const SET_ONE = {
  name: "set_one",
  source: `redis.call("SET", KEYS[1], ARGV[1]) return redis.call("GET", KEYS[1])`,
};

Deno.test("openStore() runs a script that the server has never seen, and again by its hash", async () => {
  await using redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 1, password: "" }, {
    log: silentLogger,
  });
  assert.equal(await store.script(SET_ONE, ["a"], ["1"]), "1");
  await store.command("SCRIPT", "FLUSH");
  assert.equal(await store.script(SET_ONE, ["a"], ["2"]), "2");
  assert.deepEqual(await store.multi([["SET", "b", "3"], ["GET", "b"]]), ["OK", "3"]);
  await store.close();
});

Deno.test("openStore() tells refused from away", async () => {
  const redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  await store.command("SET", "text", "abc");
  await assert.rejects(
    store.command("INCR", "text"),
    (error) => error instanceof StoreError && error.fate === "refused",
  );
  await redis.kill();
  await assert.rejects(
    store.command("GET", "text"),
    (error) => error instanceof StoreError && error.fate !== "refused",
  );
  await assert.rejects(
    store.command("GET", "text"),
    (error) => error instanceof StoreError && error.fate === "away",
  );
  await store.close();
  await redis[Symbol.asyncDispose]();
});

Deno.test(
  "openStore() gives a server up that is silent, and finds it again",
  async () => {
    await using redis = await startRedis();
    const store = await openStore(
      { endpoint: redis.endpoint, database: 0, password: "", timeoutMs: 1_000 },
      { log: silentLogger },
    );
    Deno.kill(redis.pid, "SIGSTOP");
    const unknown = (error: unknown) => error instanceof StoreError && error.fate === "unknown";
    await Promise.all([
      assert.rejects(store.command("INCR", "a"), unknown),
      assert.rejects(store.multi([["INCR", "b"]]), unknown),
      assert.rejects(store.script(SET_ONE, ["c"], ["1"]), unknown),
    ]);
    assert.equal(store.ready, false);
    await assert.rejects(
      store.command("INCR", "a"),
      (error) => error instanceof StoreError && error.fate === "away",
    );
    Deno.kill(redis.pid, "SIGCONT");
    while (!store.ready) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await store.command("PING"), "PONG");
    Deno.kill(redis.pid, "SIGSTOP");
    const last = assert.rejects(store.command("INCR", "a"), unknown);
    await store.close().catch(() => {});
    await last;
    Deno.kill(redis.pid, "SIGCONT");
  },
);

Deno.test("openStore() names the setting when Redis is not there", async () => {
  await assert.rejects(
    openStore({ endpoint: "/nonexistent/redis.sock", database: 0, password: "", timeoutMs: 300 }, {
      log: silentLogger,
    }),
    /redis\.endpoint/,
  );
});

Deno.test("openStore() names the password when it is wrong, missing or one too many", async () => {
  await using redis = await startRedis();
  const open = async (change: { password: string; username?: string }) => {
    const options = { endpoint: redis.endpoint, database: 0, ...change };
    const told = new AbortController();
    const log = createLogger(({ event }) => event === "redis.waiting" && told.abort(), "t");
    return await openStore(options, { log, wait: told.signal })
      .then(async (store) => (await store.close(), "open"), errorText);
  };
  assert.match(await open({ password: "x" }), /Cannot use .* leave redis\.password out: ERR AUTH/);
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  await store.command("CONFIG", "SET", "requirepass", "right");
  await store.close();
  assert.match(await open({ password: "" }), /asks for a password: write it into redis\.password/);
  assert.match(await open({ password: "x" }), /does not take redis\.password: write .*: WRONGPASS/);
  assert.match(await open({ username: "u", password: "right" }), /redis\.username and redis\.pass/);
  assert.equal(await open({ password: "right" }), "open");
});

Deno.test("openStore() waits for a Redis that comes later, and says so once", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-later-" });
  const options = { endpoint: `${dir}/redis.sock`, database: 0, password: "", timeoutMs: 100 };
  const records: LogRecord[] = [];
  const log = createLogger((record) => records.push(record), "ledger");
  const end = new AbortController();
  const opening = openStore(options, { log, wait: end.signal });
  const left = new AbortController();
  const leaving = openStore(options, { log: silentLogger, wait: left.signal });
  while (records.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  left.abort(new Error("stopped"));
  await assert.rejects(leaving, (error) => error instanceof StoreError && error.fate === "away");
  // Longer than an opening that does not wait.
  await assert.rejects(openStore(options, { log: silentLogger }), StoreError);
  await using _redis = await startRedis({ dir });
  const store = await opening;
  assert.equal(await store.command("PING"), "PONG");
  // A server that begins to listen may be met a moment too early: that is another reason.
  const told = records.filter(({ facts }) => /ENOENT/.test(String(facts.error)));
  assert.deepEqual(told.map(({ event }) => event), ["redis.waiting"]);
  assert.equal(records.at(-1)!.event, "redis.back");
  await store.close();
  await Deno.remove(dir, { recursive: true });
});
