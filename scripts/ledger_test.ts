/** The ledger command: a file on disk and back, and what it says of files that are none. */
import assert from "node:assert/strict";
import { silentLogger } from "../modules/base/mod.ts";
import { createKeys, openStore, type Store } from "../modules/ledger/mod.ts";
import { openApiWorld } from "../tests/support/old_pool.ts";
import { startRedis } from "../tests/support/redis.ts";
import { main, runLedger } from "./ledger.ts";

const DUMP = new URL("../tests/fixtures/open-ethereum-pool/dump.rdb", import.meta.url).pathname;

Deno.test("ledger export and import carry a pool over, and say whether the books add up", async () => {
  await using world = await openApiWorld({ dump: DUMP });
  await using redis = await startRedis();
  const dir = await Deno.makeTempDir();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  try {
    const file = `${dir}/pool.jsonl`;
    const out = await runLedger(world, "export", file);
    assert.equal(out.exitCode, 0);
    assert.equal((await Deno.stat(file)).mode! & 0o077, 0);
    const deps = { store, keys: createKeys("{etc}") };
    assert.deepEqual(await runLedger(deps, "import", file), {
      line: `${out.line.split(" ")[0]} keys are under "{etc}:", "eth" before; the books add up`,
      exitCode: 0,
    });
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, text.slice(0, text.length / 2));
    await assert.rejects(runLedger({ store, keys: createKeys("x") }, "import", file), /cut|JSON/);
    assert.equal(await store.command("EXISTS", "x:finances"), 0);
  } finally {
    await store.close();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("ledger export leaves an earlier backup where it is while money moves, and of nothing", async () => {
  await using world = await openApiWorld({ dump: DUMP });
  const dir = await Deno.makeTempDir();
  try {
    const file = `${dir}/pool.jsonl`;
    await runLedger(world, "export", file);
    const backup = await Deno.readTextFile(file);
    const moving: Store = {
      ...world.store,
      command: async (...args) => {
        if (args[0] === "SCAN") await world.store.command("HINCRBY", "eth:finances", "paid", "1");
        return await world.store.command(...args);
      },
    };
    const { line, exitCode } = await runLedger({ ...world, store: moving }, "export", file);
    assert.equal(exitCode, 1);
    assert.match(line, /there is no new file/);
    const empty = await runLedger({ ...world, keys: createKeys("other") }, "export", file);
    assert.equal(empty.exitCode, 1);
    assert.match(empty.line, /nothing under "other:": check coin and redis\.database/);
    assert.equal(await Deno.readTextFile(file), backup);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name), [
      "pool.jsonl",
    ]);
    await assert.rejects(runLedger(world, "export", `${dir}/no/x`), /name a file in a folder/);
    await assert.rejects(runLedger(world, "import", `${dir}/no`), /name a file that an export/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("wrong usage of ledger is told before configuration and Redis are looked at", async () => {
  for (
    const args of [[], ["bogus", "x"], ["export"], ["export", "--json"], ["import", "x", "y"]]
  ) {
    assert.equal(await main(["/there/is/no.json", ...args]), 2, args.join(" "));
  }
  assert.equal(await main(["/there/is/no.json", "export", "--help"]), 0);
  assert.equal(await main(["/there/is/no.json", "export", "-"]), 1);
});
