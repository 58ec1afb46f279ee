/** Exports on a real server: everything comes back, a cut or changed file is refused unwritten. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { openApiWorld } from "../../tests/support/old_pool.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { checkExport, exportLedger, importLedger, keysOf } from "./export.ts";
import { createKeys } from "./keys.ts";
import type { LedgerDeps } from "./leases.ts";
import { openStore, type Store } from "./redis.ts";

const DUMP = new URL("../../tests/fixtures/open-ethereum-pool/dump.rdb", import.meta.url).pathname;

async function linesOf(deps: LedgerDeps): Promise<string[]> {
  const lines: string[] = [];
  await exportLedger(deps, 1_700_000_000_000, (line) => {
    lines.push(line);
    return Promise.resolve();
  });
  return lines;
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  for (const line of lines) yield await Promise.resolve(line);
}

async function withEmpty(work: (store: Store) => Promise<void>): Promise<void> {
  await using redis = await startRedis();
  const options = { endpoint: redis.endpoint, database: 0, password: "" };
  const store = await openStore(options, { log: silentLogger });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

Deno.test("exportLedger() and importLedger() carry a whole pool to another prefix", async () => {
  await using world = await openApiWorld({ dump: DUMP });
  const { store } = world;
  await store.command("RPUSH", "eth:list", "b", "a", "b");
  await store.command("SADD", "eth:blacklist", ...Array.from({ length: 5_001 }, (_, i) => `m${i}`));
  await store.command("SET", "eth:quarry:batch:x", "reply", "PX", "600000");
  await store.command("SET", "eth2:other", "another pool's");
  await store.command("HSET", world.keys.own.lease("payer"), "token", "7");
  const lines = await linesOf(world);
  assert.deepEqual(await checkExport(each(lines)), { prefix: "eth" });
  await withEmpty(async (target) => {
    const keys = createKeys("{eth}");
    const count = await importLedger({ store: target, keys }, each(lines));
    const names = await keysOf(target, "{eth}");
    assert.equal(names.length, count);
    assert.equal(count, (await keysOf(store, "eth")).length - 1);
    assert.ok(!names.some((name) => name.includes("other") || name.includes("lease")));
    const again = await linesOf({ store: target, keys });
    const plain = (all: string[]) =>
      all.slice(1, -1).map((line) => line.replace(/,"lifeMs":\d+/, "")).filter((line) =>
        !line.includes('"key":"quarry:lease')
      );
    assert.ok(plain(again).join("\n") === plain(lines).join("\n"));
    assert.equal(await target.command("SCARD", "{eth}:blacklist"), 5_001);
    assert.ok(Number(await target.command("PTTL", "{eth}:quarry:batch:x")) > 0);
    await assert.rejects(importLedger({ store: target, keys }, each(lines)), /already/);
  });
});

Deno.test("checkExport() refuses a file that was cut, changed, or written while money moved", async () => {
  await using world = await openApiWorld({ dump: DUMP });
  const lines = await linesOf(world);
  const changed = lines.map((line) => line.replace('"immature","', '"immature","1'));
  const cases: [string[], RegExp][] = [
    [lines.slice(0, -1), /was cut/],
    [[...lines.slice(0, 5), ...lines.slice(6)], /was changed/],
    [changed, /was changed/],
    [[...lines, "{}"], /after its end/],
    [["{}", lines.at(-1)!], /no export/],
    [["x"], /no JSON object/],
    [[], /no export/],
  ];
  for (const [file, expected] of cases) await assert.rejects(checkExport(each(file)), expected);
  const moving: Store = {
    ...world.store,
    command: async (...args) => {
      if (args[0] === "SCAN") await world.store.command("HINCRBY", "eth:finances", "paid", "1");
      return await world.store.command(...args);
    },
  };
  const moved = await linesOf({ ...world, store: moving });
  await assert.rejects(checkExport(each(moved)), /while money moved/);
});

Deno.test("importLedger() that is cut leaves nothing behind, and can be run again", async () => {
  await using world = await openApiWorld({ dump: DUMP });
  const lines = await linesOf(world);
  await withEmpty(async (target) => {
    const keys = createKeys("eth");
    let left = 7;
    const dying: Store = {
      ...target,
      command: (...args) =>
        left-- > 0 ? target.command(...args) : Promise.reject(new Error("the process died")),
    };
    await assert.rejects(importLedger({ store: dying, keys }, each(lines)), /died/);
    assert.deepEqual(await keysOf(target, "eth"), []);
    assert.ok(await importLedger({ store: target, keys }, each(lines)) > 20);
    assert.deepEqual(await keysOf(target, "eth-import"), []);
  });
});
