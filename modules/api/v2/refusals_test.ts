/** `/api/v2` where there is nothing to give: requests for headers alone, wrong queries, damaged rows. */
import assert from "node:assert/strict";
import { openApiWorld } from "../../../tests/support/old_pool.ts";
import { NO_FACTS } from "./facts.ts";

const LOGIN = "0x" + "ab".repeat(20);
const START_MS = 1_700_000_400_000;

Deno.test("createV2() answers HEAD of the doorbell without a stream, and names what it cannot read", async () => {
  await using world = await openApiWorld({ nowMs: START_MS, facts: NO_FACTS });
  const { store, keys } = world;
  await world.collect();
  for (let i = 0; i < 10; i++) {
    const head = await world.get("/api/v2/events", { method: "HEAD" });
    assert.equal(head.status, 200, "the ninth stream of an address would be refused");
  }
  for (const query of ["limit=1&limit=2", "limit=x", "limit=0", "limit=101", "limit=1.5"]) {
    const { error } = await (await world.get(`/api/v2/blocks?${query}`)).json();
    assert.equal(error.message, "limit: write a whole number from 1 to 100", query);
  }
  await store.command("HSET", keys.miner(LOGIN), "balance", "abc");
  const damaged = await world.get(`/api/v2/miners/${LOGIN}`);
  assert.equal(damaged.status, 503, "a balance that cannot be read is no zero");
  assert.match((await damaged.json()).error.message, /cannot be read/);
});
