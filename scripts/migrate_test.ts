/** Databases of both pools, looked at, upgraded, renamed and signed off, on a real server. */
import assert from "node:assert/strict";
import { audit, createKeys, isClean, readBooks, readCandidates } from "../modules/ledger/mod.ts";
import { readImmature, renamePrefix, survey, upgradeFriends } from "../modules/ledger/mod.ts";
import { type ApiWorld, openApiWorld } from "../tests/support/old_pool.ts";
import { examineDatabase, signOff } from "./migrate.ts";

const DUMP = new URL("../tests/fixtures/open-ethereum-pool/dump.rdb", import.meta.url).pathname;
const L = "0x" + "11".repeat(20), HASH = "0x" + "cc".repeat(32), NONCE = "0x00000000000000aa";

/** Rows as open-etc-pool-friends writes them (its storage/redis.go). */
async function writeFriends({ store }: ApiWorld): Promise<void> {
  const commands = [
    ["ZADD", "eth:blocks:candidates", "9", `${NONCE}:0xh:0xm:1700:5000:7:${L}:rig:pplns:5000:7`],
    ["HSET", `eth:shares:round9:${NONCE}`, L, "7"],
    [
      ...["ZADD", "eth:blocks:immature", "8"],
      `0:0:0x01:${HASH}:1700:5000:7:${L}:2000000000000000000:rig:pplns:5000:7`,
    ],
    ["HSET", `eth:credits:immature:8:${HASH}`, L, "2000000000"],
    ["HSET", `eth:miners:${L}`, "immature", "2000000000", "paid", "5", "lastShareDiff", "1"],
    ["HSET", "eth:finances", "immature", "2000000000", "paid", "5", "txcharges", "21"],
    ["ZADD", "eth:payments:all", "1700", `0xt:${L}:5:21`],
    ["ZADD", `eth:payments:${L}`, "1700", "0xt:5:21"],
    ["ZADD", "eth:hashrate", "1700", `5:${L}:rig:1700000:5:host`],
    ["RPUSH", "eth:lastshares", L],
    ["HSET", `eth:settings:${L}`, "payoutthreshold", "5"],
  ];
  for (const command of commands) await store.command(...command);
}

Deno.test("migrate takes the old pool's database as it is", async () => {
  await using world = await openApiWorld({ dump: DUMP });
  const { lines, exitCode } = await examineDatabase(world);
  assert.equal(exitCode, 0, lines.join("\n"));
  assert.equal(lines.at(-1), "quarry can take over.");
  assert.ok(lines.includes("rows  blocks:candidates: 17 of open-ethereum-pool"), lines.join("\n"));
});

Deno.test("migrate reads open-etc-pool-friends' rows and rewrites them when told", async () => {
  await using world = await openApiWorld();
  await writeFriends(world);
  const before = await examineDatabase(world);
  // What it had paid before has no credit here, as its old rows are gone after 90 days.
  assert.match(
    before.lines.join("\n"),
    /credits of 0x1{40} and what it has or got: expected 0, found 5/,
  );
  assert.equal(before.exitCode, 1);
  assert.match((await signOff(world, "ann")).lines[0]!, /^1 differences are signed off by ann/);
  assert.equal((await signOff(world, "bob")).exitCode, 1);
  const signed = await examineDatabase(world);
  assert.equal(signed.exitCode, 0, signed.lines.join("\n"));
  assert.match(signed.lines.join("\n"), /1 of open-etc-pool-friends/);
  assert.match(signed.lines.join("\n"), /lastshares \(1\), settings \(1\)/);
  const [candidate] = await readCandidates(world, 100), [row] = await readImmature(world, 100);
  assert.equal(await upgradeFriends(world), 5);
  assert.equal(await upgradeFriends(world), 0);
  const { rows } = await survey(world);
  assert.ok(rows.every(({ friends, unreadable }) => friends === 0 && unreadable.length === 0));
  assert.deepEqual({ ...(await readCandidates(world, 100))[0], member: "" }, {
    ...candidate,
    member: "",
  });
  assert.deepEqual({ ...(await readImmature(world, 100))[0], member: "" }, { ...row, member: "" });
  assert.ok(isClean(audit(await readBooks(world))));
});

Deno.test("migrate names rows that nobody writes, unfinished payments and a pool that runs", async () => {
  await using world = await openApiWorld({ dump: DUMP });
  const { store } = world;
  await store.command("ZADD", "eth:blocks:matured", "1", "a:b");
  await store.command("ZADD", "eth:payments:pending", "1", `${L}:5`);
  await store.command("SET", "eth:payments:lock", `${L}:5`);
  await store.command("SET", "eth:mine", "x");
  await store.command("ZADD", "eth:hashrate", String(Math.floor(Date.now() / 1000)), `5:${L}:r:1`);
  const text = (await examineDatabase(world)).lines.join("\n");
  assert.match(text, /blocks:matured has a row that no pool writes: a:b/);
  assert.equal((await signOff(world, "ann")).exitCode, 1);
  await store.command("ZREM", "eth:blocks:matured", "a:b");
  const { lines, exitCode } = await examineDatabase(world);
  assert.equal(exitCode, 1);
  assert.match(lines.join("\n"), /still records shares: stop it/);
  assert.match(lines.join("\n"), new RegExp(`left a payment unfinished \\(${L}:5\\)`));
  assert.match(lines.join("\n"), /1 keys of nobody known are left alone: mine/);
});

Deno.test("renamePrefix() moves everything at once, and only into an empty place", async () => {
  await using world = await openApiWorld({ dump: DUMP });
  const count = await renamePrefix(world, "{etc}");
  const deps = { store: world.store, keys: createKeys("{etc}") };
  assert.ok(count > 20 && isClean(audit(await readBooks(deps))));
  await assert.rejects(renamePrefix(world, "x"), /nothing under "eth:"/);
  await world.store.command("SET", "y:a", "1");
  await assert.rejects(renamePrefix(deps, "y"), /keys under "y:" already/);
});
