/** A script torn by a crash of Redis does not come back at its next start. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { cutAppendOnly, sizeOfAppendOnly } from "../../tests/support/aof.ts";
import { until } from "../../tests/support/process.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { rewriteAppendOnly } from "./append_only.ts";
import { openStore, recordOf, type Store } from "./redis.ts";

const ADD = {
  name: "add",
  source:
    `for _, field in ipairs({ "a", "b", "c" }) do redis.call("HINCRBY", KEYS[1], field, 1) end`,
};

Deno.test("rewriteAppendOnly() keeps half a script of a crash from being applied later", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-torn-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  /** One life of the server; gives what it holds in the end. */
  async function live(work: (store: Store) => Promise<void>, rewrite: boolean) {
    const redis = await startRedis({ durable: true, dir });
    const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
      log: silentLogger,
      ...(rewrite ? { onReady: (store) => rewriteAppendOnly(store, silentLogger) } : {}),
    });
    await work(store);
    const held = recordOf(await store.command("HGETALL", "h"));
    await store.close();
    await redis.kill();
    return held;
  }
  const add = async (store: Store) => void await store.script(ADD, ["h"], []);
  await live(async (store) => {
    await add(store);
    await add(store);
  }, false);
  // Within the third effect of the second run.
  await cutAppendOnly(dir, await sizeOfAppendOnly(dir) - 30);
  const once = { a: "1", b: "1", c: "1" }, twice = { a: "2", b: "2", c: "2" };
  assert.deepEqual(await live(() => Promise.resolve(), false), once);
  const held = await live(async (store) => {
    await until("the rewrite", async () => {
      const info = String(await store.command("INFO", "persistence"));
      return /aof_last_rewrite_time_sec:\d/.test(info) && info.includes("rewrite_in_progress:0");
    });
    assert.equal(await rewriteAppendOnly(store, silentLogger), false, "once is enough");
    await add(store);
  }, true);
  assert.deepEqual(held, twice);
  assert.deepEqual(await live(() => Promise.resolve(), false), twice);
});
