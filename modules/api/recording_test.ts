/** The five old endpoints over a real open-ethereum-pool's database give its recorded bodies. */
import assert from "node:assert/strict";
import { openRecordedWorld, recorded } from "../../tests/support/old_pool.ts";

const LOGIN = "0x1111111111111111111111111111111111111111";
const BODIES = [
  ["/api/stats", "api_stats.json"],
  ["/api/miners", "api_miners.json"],
  ["/api/blocks", "api_blocks.json"],
  ["/api/payments", "api_payments.json"],
  [`/api/accounts/${LOGIN}`, `api_accounts_${LOGIN}.json`],
] as const;

Deno.test("createApp() gives the recorded bodies byte for byte over the recorded database", async (t) => {
  const statsNowMs = JSON.parse(await recorded("api_stats.json")).now as number;
  const minersNowMs = JSON.parse(await recorded("api_miners.json")).now as number;
  await using world = await openRecordedWorld(statsNowMs);
  await world.collect();
  for (const [path, file] of BODIES) {
    await t.step(path, async () => {
      if (path === "/api/miners") await world.clock.advance(minersNowMs - world.clock.now());
      const response = await world.get(path);
      assert.equal(response.status, 200);
      assert.equal(await response.text(), await recorded(file));
    });
  }
});

Deno.test("createApp() still gives the recorded bodies after a purge and a second collection", async () => {
  const nowMs = JSON.parse(await recorded("api_stats.json")).now as number;
  await using world = await openRecordedWorld(nowMs);
  await world.collect();
  assert.equal(await world.purge(), 0);
  await world.collect();
  const response = await world.get("/api/stats");
  assert.equal(await response.text(), await recorded("api_stats.json"));
});

Deno.test("Collector.purge() removes the old pool's rows beyond each window", async () => {
  const nowMs = JSON.parse(await recorded("api_stats.json")).now as number;
  await using world = await openRecordedWorld(nowMs);
  const { store, keys, clock } = world;
  const shares = await store.command("ZCARD", keys.hashrate()) as number;
  await clock.advance(2 * 3_600_000);
  assert.equal(await world.purge(), shares);
  assert.equal(await store.command("ZCARD", keys.hashrate()), 0);
  assert.equal(await store.command("ZCARD", keys.hashrateOf(LOGIN)), shares);
  await world.collect();
  const account = await (await world.get(`/api/accounts/${LOGIN}`)).json();
  assert.equal(account.currentHashrate, 0);
  assert.equal(account.workersOffline, 1);
  assert(account.hashrate > 0);
  await clock.advance(2 * 3_600_000);
  assert.equal(await world.purge(), shares);
});
