/** `/api/v2` over a database of a real open-ethereum-pool: all rows, page by page, and as CSV. */
import assert from "node:assert/strict";
import { type ApiWorld, openRecordedWorld, recorded } from "../../../tests/support/old_pool.ts";
import { csvOf } from "./csv.ts";
import * as shape from "./schemas.ts";

const LOGIN = "0x1111111111111111111111111111111111111111";

async function oldWorld(): Promise<ApiWorld> {
  const world = await openRecordedWorld(JSON.parse(await recorded("api_stats.json")).now);
  await world.collect();
  return world;
}

async function json(world: ApiWorld, path: string) {
  const response = await world.get(`/api/v2${path}`);
  assert.equal(response.status, 200, path);
  return await response.json();
}

/** All items, page by page. */
async function all<T>(world: ApiWorld, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const join = path.includes("?") ? "&" : "?";
    const page: { items: T[]; nextCursor: string | null } = await json(
      world,
      cursor === null ? path : `${path}${join}before=${cursor}`,
    );
    items.push(...page.items);
    assert(items.length < 1_000, "pages without an end");
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

Deno.test("createV2() pages through every block of an old pool, each once", async () => {
  await using world = await oldWorld();
  const { store, keys } = world;
  const count = async (key: string) => await store.command("ZCARD", key) as number;
  const lists = [keys.candidates(), keys.immature(), keys.matured()];
  const total = (await Promise.all(lists.map(count))).reduce((sum, one) => sum + one);
  const blocks = await all<shape.Block>(world, "/blocks?limit=7");
  assert.equal(blocks.length, total);
  assert.equal(new Set(blocks.map((block) => JSON.stringify(block))).size, total);
  const heights = blocks.map(({ height }) => height);
  assert.deepEqual(heights, heights.toSorted((a, b) => b - a));
  for (const block of blocks) shape.block.parse(block);
  const byState = await Promise.all(
    ["candidate", "immature", "matured", "orphaned"].map((state) =>
      all<shape.Block>(world, `/blocks?limit=5&state=${state}`)
    ),
  );
  assert.deepEqual(
    byState.flat().map(({ height }) => height).sort(),
    heights.toSorted(),
  );
  for (const block of blocks) assert.equal(block.finder, null);
});

Deno.test("createV2() pages through an old pool's payments and credits, exact to the Shannon", async () => {
  await using world = await oldWorld();
  const { store, keys } = world;
  const sum = (items: { amountShannon: string }[]) =>
    items.reduce((total, item) => total + BigInt(item.amountShannon), 0n);
  const finances = await store.command("HGET", keys.finances(), "paid");
  assert.equal(String(sum(await all(world, "/payments?limit=2"))), finances);
  const miner = shape.miner.parse(await json(world, `/miners/${LOGIN}`));
  const paid = await all<shape.Payment>(world, `/miners/${LOGIN}/payments?limit=2`);
  assert.equal(paid.length, miner.paymentsTotal);
  assert.equal(String(sum(paid)), miner.balance.paidShannon);
  const credits = await all<shape.Credit>(world, `/miners/${LOGIN}/credits?limit=3`);
  const immature = credits.filter(({ state }) => state === "immature");
  const matured = credits.filter(({ state }) => state === "matured");
  assert.equal(String(sum(immature)), miner.balance.immatureShannon);
  const { unpaidShannon, pendingShannon, paidShannon } = miner.balance;
  assert.equal(
    sum(matured),
    BigInt(unpaidShannon) + BigInt(pendingShannon) + BigInt(paidShannon),
  );
});

Deno.test("createV2() pages through payments that share a second", async () => {
  await using world = await oldWorld();
  const { store, keys } = world;
  await store.command("DEL", keys.paymentsAll());
  for (let n = 0; n < 25; n++) {
    await store.command("ZADD", keys.paymentsAll(), "1700000000", `0x${n}:${LOGIN}:${n + 1}`);
  }
  const payments = await all<shape.Payment>(world, "/payments?limit=4");
  assert.equal(new Set(payments.map(({ transaction }) => transaction)).size, 25);
  assert.equal(payments.length, 25);
});

Deno.test("createV2() gives lists as CSV to who asks for it", async () => {
  await using world = await oldWorld();
  const { items } = await json(world, "/payments?limit=3");
  const asked = [
    await world.get("/api/v2/payments?limit=3&format=csv"),
    await world.get("/api/v2/payments?limit=3", { headers: { accept: "text/csv" } }),
  ];
  for (const response of asked) {
    assert.equal(response.headers.get("content-type"), "text/csv; charset=utf-8");
    assert.match(response.headers.get("x-next-cursor")!, /^\d+\.\d+$/);
    const [head, ...rows] = (await response.text()).trimEnd().split("\r\n");
    assert.equal(head, "atMs,address,amountShannon,transaction,state,confirmations,reason");
    assert.deepEqual(
      rows.map((row) => row.split(",")),
      items.map((item: shape.Payment) => [
        ...[`${item.atMs}`, item.address, item.amountShannon, item.transaction, "paid", "", ""],
      ]),
    );
  }
});

Deno.test("csvOf() quotes what needs it and disarms formulas", () => {
  const cells = ["=1+1", "+1", "-1", "@x", 'a"b', "a,b", "a\nb", "", null, undefined, -5, "ok"];
  const [, row] = csvOf(["c"], [{ c: "x" }]).split("\r\n");
  assert.equal(row, "x");
  const text = csvOf(cells.map((_, i) => `c${i}`), [
    Object.fromEntries(cells.map((value, i) => [`c${i}`, value])),
  ]);
  assert.equal(
    text.slice(text.indexOf("\r\n") + 2),
    `'=1+1,'+1,'-1,'@x,"a""b","a,b","a\nb",,,,'-5,ok\r\n`,
  );
});
