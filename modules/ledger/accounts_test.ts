/** Accounts against a real redis-server: the recorded old pool, many pages, unreadable fields. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { type Account, createAccounts } from "./accounts.ts";
import { createKeys } from "./keys.ts";
import { openStore, StoreError } from "./redis.ts";

async function open() {
  const redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const keys = createKeys("eth");
  return {
    store,
    keys,
    accounts: createAccounts({ store, keys }),
    async [Symbol.asyncDispose]() {
      await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

Deno.test("all() gives each miner once, in bounded pages, and skips what is no miner", async () => {
  await using world = await open();
  const { store, keys, accounts } = world;
  const logins = Array.from({ length: 2_000 }, (_, i) => "0x" + String(i).padStart(40, "0"));
  await store.multi(logins.map((login, i) => ["HSET", keys.miner(login), "balance", String(i)]));
  await store.command("HSET", keys.miner("not-an-address"), "balance", "5");
  const all: Account[] = [];
  for await (const page of accounts.all()) {
    assert.ok(page.length < 1_000);
    all.push(...page);
  }
  assert.equal(all.length, logins.length);
  for (const { login, balanceShannon } of all) assert.equal(balanceShannon, BigInt(login.slice(2)));
});

Deno.test("account() reads beyond 2^53 and never takes an unreadable field for zero", async () => {
  await using world = await open();
  const { store, keys, accounts } = world;
  const login = "0x" + "1".repeat(40);
  await store.command("HSET", keys.miner(login), "balance", "9007199254740993", "paid", "-1");
  assert.deepEqual(await accounts.account(login), {
    login,
    immatureShannon: 0n,
    balanceShannon: 9_007_199_254_740_993n,
    pendingShannon: 0n,
    paidShannon: -1n,
  });
  await store.command("HSET", keys.miner(login), "immature", "1.5e3");
  const unreadable = await accounts.account(login).catch((error) => error);
  assert.ok(unreadable instanceof StoreError);
  assert.match(unreadable.message, new RegExp(`Cannot read eth:miners:${login} field immature`));
  assert.match(unreadable.mend, new RegExp(`backup, or HSET eth:miners:${login} immature AMOUNT`));
  await store.command("HSET", keys.finances(), "totalMined", "many");
  await assert.rejects(accounts.finances(), /Cannot read eth:finances field totalMined/);
});
