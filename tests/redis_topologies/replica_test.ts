/** An API that reads from a real replica: what goes where, and what it says when one of them goes. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../../modules/base/mod.ts";
import { openStore, readFromReplica, type Store } from "../../modules/ledger/mod.ts";
import { freePort, until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

const open = (endpoint: string) =>
  openStore({ endpoint, database: 0, password: "", timeoutMs: 500 }, { log: silentLogger });

Deno.test("readFromReplica() reads the replica while it keeps up, and says when it reads old things", async () => {
  const port = freePort();
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "quarry-replica-" });
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const masterServer = () =>
    startRedis({
      ...{ port, dir, durable: true },
      args: ["--repl-diskless-sync-delay", "0"],
    });
  let master = await masterServer();
  stack.defer(() => master.kill());
  const replica = stack.use(
    await startRedis({
      args: ["--replicaof", "127.0.0.1", String(port), "--replica-read-only", "no"],
    }),
  );
  const [own, theirs] = [await open(master.endpoint), await open(replica.endpoint)];
  const deps = { clock: systemClock, log: silentLogger };
  const store: Store = readFromReplica(own, theirs, 10_000, deps);
  stack.defer(() => store.close());

  await own.command("SET", "who", "master");
  await until("the replica to have it", async () => await theirs.command("GET", "who") !== null);
  // Not what a replica does: it tells the two servers apart.
  await theirs.command("SET", "who", "replica");
  const who = () => store.command("GET", "who");
  await until("the replica to be read", async () => await who() === "replica");
  const [both] = await store.multi([["GET", "who"], ["TYPE", "who"]]);
  assert.equal(both, "replica");
  assert.equal(store.stale, "");

  // What was written here is read at once, whoever has it by then.
  assert.equal(await store.command("HSET", "settings", "a", "1"), 1);
  assert.equal(await store.command("HGET", "settings", "a"), "1");
  assert.equal(await own.command("HGET", "settings", "a"), "1");
  await until("the replica to be read again", async () => await who() === "replica");
  const script = { name: "note", source: 'return redis.call("SET", KEYS[1], ARGV[1])' };
  assert.equal(await store.script(script, ["note"], ["b"]), "OK");
  assert.equal(await own.command("GET", "note"), "b");
  await until("the replica to be read again", async () => await who() === "replica");

  // A silent replica: the master is read, and nothing is old.
  Deno.kill(replica.pid, "SIGSTOP");
  await until("the master to be read", async () => await who() === "master");
  assert.equal(store.stale, "");
  Deno.kill(replica.pid, "SIGCONT");
  await until("the replica to be read again", async () => await who() === "replica");

  // Without the master what is read is what there is, and it is said to be old.
  await master.kill();
  await until("it to be called stale", () => store.stale !== "");
  assert.match(store.stale!, /the replica has lost its master|the master is away/);
  assert.equal(await who(), "replica");
  await assert.rejects(store.command("SET", "who", "nobody"));
  master = await masterServer();
  await until("it to be fresh again", () => store.stale === "" && own.ready);
});
