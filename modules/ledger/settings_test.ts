/** Settings of miners against a real redis-server: the newest stays, nonsense is never a default. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { createKeys } from "./keys.ts";
import { openStore } from "./redis.ts";
import { createSettings } from "./settings.ts";

const A = "0x" + "a".repeat(40), B = "0x" + "b".repeat(40);
const keys = createKeys("eth");

async function open() {
  const redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  return {
    store,
    settings: createSettings({ store, keys }),
    async [Symbol.asyncDispose]() {
      await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

Deno.test("write() keeps the newest, whatever order messages come in", async () => {
  await using world = await open();
  const { settings } = world;
  const first = { thresholdShannon: 2n ** 60n, feeCeilingWei: 10n ** 18n, nonce: 5, updatedAt: 7 };
  assert.equal(await settings.write(A, first), true);
  assert.equal(await settings.write(A, { ...first, thresholdShannon: 1n }), false);
  assert.equal(await settings.write(A, { nonce: 4, updatedAt: 9 }), false);
  assert.deepEqual(await settings.read([A, B]), new Map([[A, first]]));
  assert.equal(await settings.write(A, { nonce: 6, updatedAt: 8 }), true);
  assert.deepEqual(await settings.read([A]), new Map([[A, { nonce: 6, updatedAt: 8 }]]));
});

Deno.test("read() reads any number of logins and throws on what it cannot read", async () => {
  await using world = await open();
  const { settings, store } = world;
  const logins = Array.from({ length: 1_100 }, (_, i) => "0x" + i.toString(16).padStart(40, "0"));
  await settings.write(logins[1_099]!, { thresholdShannon: 3n, nonce: 1, updatedAt: 1 });
  assert.deepEqual([...(await settings.read(logins)).keys()], [logins[1_099]]);
  assert.equal((await settings.read([])).size, 0);
  for (const text of ["x", "{}", '{"nonce":1,"updatedAt":1,"thresholdShannon":5}', "null"]) {
    await store.command("HSET", keys.own.settings(), B, text);
    await assert.rejects(settings.read([B]), /Cannot read the settings of 0xb/);
  }
  await store.command("HSET", keys.own.settings(), B, "x");
  await assert.rejects(settings.write(B, { nonce: 1, updatedAt: 1 }), /Redis refused/);
  await assert.rejects(settings.write("bob", { nonce: 1, updatedAt: 1 }), /settings of bob/);
});
