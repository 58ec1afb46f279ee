/** What must be safe before a broadcast, with real replicas of a real redis-server. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { freePort } from "../../tests/support/process.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { createPersist } from "./persist.ts";
import { openStore, type Reply, type Store, StoreError } from "./redis.ts";

async function open(options: { durable?: boolean; port?: number } = {}) {
  const redis = await startRedis(options);
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  return {
    store,
    write: async () => void await store.command("INCR", "n"),
    async [Symbol.asyncDispose]() {
      await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

Deno.test("createPersist() waits for the replicas that are asked for, and says how many are there", async () => {
  const port = freePort();
  await using primary = await open({ port });
  await createPersist(primary.store, 0)(primary.write, "it");
  await assert.rejects(
    createPersist(primary.store, 1)(primary.write, "payment p"),
    /^PoolError: 0 of 1 replicas \(redis.waitReplicas\) have payment p: it is not broadcast/,
  );
  await using replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(port)] });
  const persist = createPersist(primary.store, 1);
  for (let tries = 0;; tries++) {
    try {
      await persist(primary.write, "payment p");
      break;
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
  const read = await openStore({ endpoint: replica.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  assert.equal(await read.command("GET", "n"), await primary.store.command("GET", "n"));
  await read.close();
  await assert.rejects(createPersist(primary.store, 2)(primary.write, "it"), /1 of 2 replicas/);
});

Deno.test("createPersist() works with and without an append-only file, on servers old and new", async () => {
  for (const durable of [false, true]) {
    await using server = await open({ durable });
    const persist = createPersist(server.store, 0);
    for (let i = 0; i < 2; i++) await persist(server.write, "it");
    assert.equal(await server.store.command("GET", "n"), "2");
  }
});

Deno.test("createPersist() believes WAITAOF, and no answer of another connection", async () => {
  await using server = await open();
  const persistOver = (answers: Record<string, () => Reply>) => {
    const store: Store = Object.create(server.store);
    store.command = (...args) => {
      const answer = answers[args[0]!];
      return answer === undefined ? server.store.command(...args) : Promise.resolve().then(answer);
    };
    return createPersist(store, 0)(server.write, "payment p");
  };
  await persistOver({ WAITAOF: () => [1, 0] });
  await assert.rejects(persistOver({ WAITAOF: () => [0, 0] }), /payment p not on its disk yet/);
  const off = new Error(
    "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
  );
  await persistOver({
    WAITAOF: () => {
      throw new StoreError("Redis refused WAITAOF", "refused", off);
    },
  });
  await assert.rejects(
    persistOver({
      WAITAOF: () => {
        throw new StoreError("Redis gave no answer to WAITAOF", "unknown");
      },
    }),
    /gave no answer/,
  );
  let id = 0;
  await assert.rejects(persistOver({ CLIENT: () => ++id }), /connection to Redis changed/);
});
