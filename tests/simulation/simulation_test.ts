/** Two thousand days of worlds in which everything goes wrong, and not a Shannon does. */
import assert from "node:assert/strict";
import { silentLogger } from "../../modules/base/mod.ts";
import { openStore } from "../../modules/ledger/mod.ts";
import { startRedis } from "../support/redis.ts";
import { runWorld } from "./run_world.ts";

/** One process each: two thirds of a world's time its process waits for its Redis or the other way. */
const PROCESSES = 3;
const WORLDS = 34, DAYS = 20;

Deno.test("the pool's money adds up over 2,000 days of seeded trouble", async () => {
  const runs = Array.from({ length: PROCESSES }, async (_, n) => {
    const seed = String(1 + n * WORLDS);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", "scripts/simulate.ts"],
        ...["--seed", seed, "--days", String(DAYS), "--worlds", String(WORLDS)],
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  });
  for (const { code, output } of await Promise.all(runs)) assert.equal(code, 0, output);
});

Deno.test("runWorld() makes the same world of the same seed", async () => {
  await using redis = await startRedis();
  const options = { endpoint: redis.endpoint, database: 0, password: "" };
  const store = await openStore(options, { log: silentLogger });
  try {
    const first = await runWorld(5, 4, store);
    assert.deepEqual(await runWorld(5, 4, store), first);
    assert.notEqual((await runWorld(6, 4, store)).digest, first.digest);
  } finally {
    await store.close();
  }
});
