/** The metrics door over a real Redis: every thread's series, and what is missing while Redis is. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { count, keepSample, METERS, sampleMeters } from "../metrics/mod.ts";
import { createKeys, openStore, type Overview, writeOverview } from "../ledger/mod.ts";
import { startRedis, type TestRedis } from "../../tests/support/redis.ts";
import { serveMetrics } from "./metrics_door.ts";

const deps = { log: silentLogger, clock: systemClock };

function optionsOf({ endpoint }: TestRedis) {
  return { endpoint, database: 0, password: "" };
}

async function scrape(port: number, path = "/metrics"): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return await response.text();
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const untilMs = Date.now() + 20_000;
  while (!await holds()) {
    assert.ok(Date.now() < untilMs, "It did not come within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("/metrics has the ledger's sums, and none of them while Redis is away", async () => {
  const redis = await startRedis();
  const options = { prefix: "t", redis: optionsOf(redis), version: "9.9.9" };
  await using stack = new AsyncDisposableStack();
  stack.use(redis);
  const store = await openStore(optionsOf(redis), deps);
  await store.command("HSET", "t:finances", "balance", "7000000000", "paid", "12");
  await store.command("ZADD", "t:blocks:immature", "5", "a", "6", "b");
  const status = { state: "halted", reason: "r", mend: "m", sinceMs: 5_000 };
  await store.command("HSET", "t:quarry:status", "payer", JSON.stringify(status));
  await writeOverview(
    { store, keys: createKeys("t") },
    { miners: 3, collectedAtMs: 5_000 } as Overview,
  );
  const door = await serveMetrics({ listen: { hostname: "127.0.0.1", port: 0 }, ...options }, deps);
  stack.defer(() => door.close());
  await until(async () => (await scrape(door.port)).includes('quarry_ledger_up{worker="main"} 1'));

  const text = await scrape(door.port);
  for (
    const line of [
      'quarry_money_shannon{state="balance",worker="main"} 7000000000',
      'quarry_money_shannon{state="paid",worker="main"} 12',
      'quarry_money_shannon{state="pending",worker="main"} 0',
      'quarry_blocks{state="immature",worker="main"} 2',
      'quarry_loop_state{loop="payer",state="halted",worker="main"} 1',
      'quarry_loop_state{loop="payer",state="running",worker="main"} 0',
      'quarry_lease_held{role="payer",worker="main"} 0',
      'quarry_build_info{version="9.9.9",worker="main"} 1',
      'quarry_miners{worker="main"} 3',
      'quarry_invariants_broken{worker="main"} 0',
    ]
  ) assert.ok(text.includes(`${line}\n`), `${line} in ${text}`);

  const { own } = createKeys("t");
  for (const key of [own.status(), own.snapshot("overview")]) await store.command("DEL", key);
  await until(async () => !(await scrape(door.port)).includes("quarry_loop_state{"));
  assert.doesNotMatch(await scrape(door.port), /^quarry_(loop|miners|statistics)/m);
  await store.close();

  await redis.kill();
  await until(async () => (await scrape(door.port)).includes('quarry_ledger_up{worker="main"} 0'));
  assert.doesNotMatch(await scrape(door.port), /^quarry_(money|blocks|loop_state|lease)/m);
});

Deno.test("/metrics tells threads apart, and has nothing else", async () => {
  const redis = await startRedis();
  await using stack = new AsyncDisposableStack();
  stack.use(redis);
  const options = { prefix: "t", redis: optionsOf(redis), version: "1" };
  const door = await serveMetrics({ listen: { hostname: "127.0.0.1", port: 0 }, ...options }, deps);
  stack.defer(() => door.close());
  count("quarry_jobs_total");
  const jobs = (await sampleMeters()).filter(({ name }) => name === "quarry_jobs_total");
  keepSample("stratum 0", jobs);
  keepSample("stratum 0", jobs);
  keepSample("stratum 1", jobs);
  const text = await scrape(door.port);
  for (const worker of ["main", "stratum 0", "stratum 1"]) {
    assert.equal(text.split(`quarry_jobs_total{worker="${worker}"}`).length, 2, text);
  }
  for (const [, name] of text.matchAll(/^# TYPE (\S+) /gm)) assert.ok(name! in METERS, name);
  assert.match(await scrape(door.port, "/"), /Not found: the metrics are at \/metrics/);
});
