/** Signed settings through the API into a real Redis, and on to the payer's plan. */
import assert from "node:assert/strict";
import { privateKeyToAccount } from "viem/accounts";
import { openApiWorld } from "../../tests/support/old_pool.ts";
import { createSettings, readActs } from "../ledger/mod.ts";

const MINER = privateKeyToAccount(`0x${"11".repeat(32)}`);
const LOGIN = MINER.address.toLowerCase();
const SETTINGS = {
  pool: { chainId: 61, address: "0x" + "ab".repeat(20) },
  ...{ thresholdShannon: 500n, thresholdMin: 100n, thresholdMax: 10_000n, cooldownMs: 3_600_000 },
};

// deno-lint-ignore no-explicit-any -- the body of a reply, looked at field by field
type Body = any;

Deno.test("POST /api/v2/settings takes what the payout address signed, once an hour", async () => {
  await using world = await openApiWorld({ settings: SETTINGS, nowMs: 1_700_000_000_000 });
  const view = async (): Promise<Body> =>
    await (await world.get(`/api/v2/miners/${MINER.address}/settings`)).json();
  async function post(change: Record<string, unknown>, account = MINER) {
    const { typedData } = await view();
    Object.assign(typedData.message, change);
    const signature = await account.signTypedData(typedData);
    const body = JSON.stringify({ message: typedData.message, signature });
    const response = await world.get("/api/v2/settings", { method: "POST", body });
    return { status: response.status, body: await response.json() as Body };
  }
  assert.deepEqual([(await view()).thresholdShannon, (await view()).ownThreshold], ["500", false]);
  const stranger = privateKeyToAccount(`0x${"22".repeat(32)}`);
  const forged = await post({ thresholdShannon: "9000" }, stranger);
  assert.equal(forged.status, 400);
  assert.match(forged.body.error.message, /^signature: it is of 0x1563915e/);
  const early = await post({ thresholdShannon: "900" });
  assert.deepEqual([early.status, early.body.error.code], [404, "unknown_miner"]);
  assert.equal(await world.store.command("EXISTS", world.keys.own.settings()), 0);
  await world.store.command("HSET", world.keys.miner(LOGIN), "lastShare", "1700000000");
  const changed = await post({ thresholdShannon: "900", notify: "rig@example.org" });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  assert.deepEqual([changed.body.thresholdShannon, changed.body.alerts], ["900", true]);
  // Nobody learns from the API where alerts go.
  assert.ok(!JSON.stringify(await view()).includes("example.org"));
  const settings = (await createSettings(world).read([LOGIN])).get(LOGIN);
  assert.deepEqual([settings?.thresholdShannon, settings?.notify], [900n, "rig@example.org"]);
  const again = await post({ thresholdShannon: "901" });
  assert.deepEqual([again.status, again.body.error.code], [429, "cooling_down"]);
  await world.clock.advance(3_600_000);
  const old = await post({ thresholdShannon: "901", nonce: "5" });
  assert.deepEqual([old.status, old.body.error.code], [409, "old_nonce"]);
  assert.equal((await post({ thresholdShannon: "0" })).body.ownThreshold, false);
  const acts = await readActs(world, 10);
  assert.deepEqual(acts.map(({ who, what }) => [who, what]), [
    [LOGIN, "settings.changed"],
    [LOGIN, "settings.changed"],
  ]);
});

Deno.test("POST /api/v2/settings names what is wrong with a message, and what is off", async () => {
  await using world = await openApiWorld({ settings: SETTINGS });
  const post = async (body: string) => {
    const response = await world.get("/api/v2/settings", { method: "POST", body });
    return [response.status, (await response.json() as Body).error.message];
  };
  assert.deepEqual((await post("{"))[0], 400);
  assert.deepEqual((await post("x".repeat(5_000)))[0], 413);
  const message = {
    ...{
      miner: LOGIN,
      thresholdShannon: "1.5",
      feeCeilingWei: "0",
      notify: "",
      nonce: 1,
      expiry: 2,
    },
  };
  assert.deepEqual(await post(JSON.stringify({ message, signature: "0x" })), [
    400,
    "message.thresholdShannon: write a whole number as text",
  ]);
  await using off = await openApiWorld();
  const response = await off.get("/api/v2/settings", { method: "POST", body: "{}" });
  assert.equal(response.status, 404);
  assert.match((await response.json() as Body).error.message, /must name payouts\.address/);
});
