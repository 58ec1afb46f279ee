/** Instance numbers on a real server: never two instances with one. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { leaseInstance } from "./instances.ts";
import { createKeys } from "./keys.ts";
import { openStore } from "./redis.ts";

Deno.test("leaseInstance() gives each instance a number of its own, and the same one again", async () => {
  await using redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const deps = { store, keys: createKeys("t") };
  const take = (holder: string, lifeMs = 60_000, wanted?: number) =>
    leaseInstance(deps, { holder, lifeMs, ...(wanted === undefined ? {} : { wanted }) });
  // One after the other: the first that send a script in full may overtake each other.
  for (const [name, number] of [["a", 0], ["b", 1], ["a", 0]] as const) {
    assert.equal(await take(name), number);
  }
  assert.equal(await take("c", 60_000, 1), undefined);
  assert.equal(await take("c", 60_000, 200), 200);
  assert.equal(await take("c"), 200);
  // A lease that ran out goes to the next one; its former holder gets another.
  await take("b", 0);
  assert.equal(await take("d"), 1);
  assert.equal(await take("b"), 2);
  const all = await Promise.all(Array.from({ length: 252 }, (_, i) => take(`n${i}`)));
  assert.equal(new Set(all).size, 252);
  assert.equal(await take("one too many"), undefined);
  await store.close();
});
