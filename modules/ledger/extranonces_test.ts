/** Spans of bound extranonces on a real server. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import {
  bindExtranonce,
  boundExtranonces,
  readSchemeSpans,
  unbindExtranonces,
} from "./extranonces.ts";
import { createKeys } from "./keys.ts";
import { openStore, StoreError } from "./redis.ts";

Deno.test("bindExtranonce() keeps spans until they are forgotten, and garbage is no span", async () => {
  await using redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const deps = { store, keys: createKeys("t") };
  const open = { scheme: "solo", fromHeight: 12 } as const;
  const ended = { scheme: "pplns", fromHeight: 1, toHeight: 20_000_000 } as const;
  await bindExtranonce(deps, "0001", open);
  await bindExtranonce(deps, "0a0002", ended);
  assert.deepEqual(await readSchemeSpans(deps, ["0001", "0003", "0a0002"]), [
    ...[open, undefined, ended],
  ]);
  await bindExtranonce(deps, "0001", { ...open, toHeight: 30 });
  assert.deepEqual(await readSchemeSpans(deps, ["0001"]), [{ ...open, toHeight: 30 }]);
  assert.deepEqual((await boundExtranonces(deps)).sort(), ["0001", "0a0002"]);
  await unbindExtranonces(deps, ["0001"]);
  await unbindExtranonces(deps, []);
  assert.deepEqual(await boundExtranonces(deps), ["0a0002"]);
  await assert.rejects(bindExtranonce(deps, "", open), /An extranonce has digits/);
  // A failed read is no "unbound".
  for (const text of ["", "solo", "solo:x:", "pps:1:", "solo:1:2:3"]) {
    await store.command("HSET", deps.keys.own.extranonces(), "0005", text);
    await assert.rejects(readSchemeSpans(deps, ["0005"]), /Cannot read an extranonce's scheme/);
  }
  await store.command("SET", deps.keys.own.extranonces(), "text");
  await assert.rejects(readSchemeSpans(deps, ["0005"]), StoreError);
  await store.close();
});
