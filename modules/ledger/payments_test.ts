/** Payments against a real redis-server: every script twice is once, refusals change nothing. */
import assert from "node:assert/strict";
import { silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { createAccounts } from "./accounts.ts";
import { createKeys } from "./keys.ts";
import { FencedError, type Lease } from "./leases.ts";
import { readFailedPayments } from "./payment_pages.ts";
import { createPayments, type Payment } from "./payments.ts";
import { openStore, recordOf, type Store } from "./redis.ts";

const A = "0x" + "a".repeat(40);
const B = "0x" + "b".repeat(40);
const FROM = "0x" + "f".repeat(40);
const HASH = "0x" + "1".repeat(64);
const OTHER = "0x" + "2".repeat(64);
const BLOCK = "0x" + "3".repeat(64);
const NOW = 1_700_000_000;
const keys = createKeys("eth");
const LEASE: Lease = { role: "payer", holder: "here", token: "7" };
const STALE: Lease = { ...LEASE, token: "6" };

async function open() {
  const redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  await store.command("HSET", keys.own.lease("payer"), "holder", "here", "token", "7");
  await store.command("HSET", keys.miner(A), "balance", "900", "pending", "0", "paid", "5");
  await store.command("HSET", keys.miner(B), "balance", "100");
  await store.command("HSET", keys.finances(), "balance", "1000", "pending", "0", "paid", "5");
  return {
    store,
    payments: createPayments({ store, keys }),
    accounts: createAccounts({ store, keys }),
    async [Symbol.asyncDispose]() {
      await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

/** Everything in the database, to compare before and after. */
async function dump(store: Store): Promise<string> {
  const names = (await store.command("KEYS", "*") as string[]).sort();
  const reads: Record<string, string[]> = {
    hash: ["HGETALL"],
    zset: ["ZRANGE", "0", "-1", "WITHSCORES"],
    set: ["SMEMBERS"],
    string: ["GET"],
  };
  const rows = [];
  for (const name of names) {
    const [command, ...rest] = reads[String(await store.command("TYPE", name))]!;
    const reply = await store.command(command!, name, ...rest);
    // Redis gives the fields of a hash in any order.
    rows.push([name, command === "HGETALL" ? Object.entries(recordOf(reply)).sort() : reply]);
  }
  return JSON.stringify(rows);
}

function sumOf(account: { balanceShannon: bigint; pendingShannon: bigint; paidShannon: bigint }) {
  return account.balanceShannon + account.pendingShannon + account.paidShannon;
}

const payment = { id: "p1", login: A, amountShannon: 900n };
const signed = { nonce: 4, raw: "0xabcd", hash: HASH, from: FROM };

Deno.test("reserve() debits once, however often it comes, and writes the old pool's rows", async () => {
  await using world = await open();
  const { store, payments, accounts } = world;
  assert.equal(await payments.reserve(LEASE, payment, NOW), "ok");
  const after = await dump(store);
  assert.equal(await payments.reserve(LEASE, payment, NOW + 5), "again");
  assert.equal(await dump(store), after);
  const account = await accounts.account(A);
  assert.deepEqual([account.balanceShannon, account.pendingShannon], [0n, 900n]);
  assert.equal((await accounts.finances()).pendingShannon, 900n);
  assert.deepEqual(
    await store.command("ZRANGE", keys.paymentsPending(), "0", "-1", "WITHSCORES"),
    [`${A}:900`, `${NOW}`],
  );
  assert.equal(await store.command("GET", keys.paymentsLock()), `${A}:900`);
  const [first] = await payments.open();
  assert.deepEqual(first, {
    id: "p1",
    number: 1,
    login: A,
    amountShannon: 900n,
    state: "reserved",
    reservedAt: NOW,
    hashes: [],
  });
  await assert.rejects(
    payments.reserve(LEASE, { ...payment, amountShannon: 1n }, NOW),
    /Cannot run/,
  );
});

Deno.test("reserve() refuses and leaves everything as it was", async () => {
  await using world = await open();
  const { store, payments } = world;
  const cases: [string[][], string | RegExp][] = [
    [[["HSET", keys.miner(A), "balance", "899"]], "poor"],
    [[["HSET", keys.miner(A), "balance", "-5000"]], "poor"],
    [[["HSET", keys.miner(A), "balance", "9.5"]], /Cannot run/],
    [[["HSET", keys.miner(A), "pending", "x"]], /Cannot run/],
    [[["HSET", keys.finances(), "pending", "1e3"]], /Cannot run/],
    [[["SADD", keys.own.paymentsHeld(), A]], "held"],
    [[["HSET", keys.own.paymentsOpenByLogin(), A, "p0"]], "open"],
    [[["ZADD", keys.paymentsPending(), "1", `${A}:900`]], "foreign"],
    [[["SET", keys.paymentsLock(), `${B}:3`]], "foreign"],
    [[["SET", keys.paymentsPending(), "no zset"]], /Cannot run/],
    [[["DEL", keys.finances()], ["SET", keys.finances(), "no hash"]], /Cannot run/],
    [[["HSET", keys.own.lease("payer"), "token", "8"]], /is the payer now/],
    [[["DEL", keys.own.lease("payer")]], /is the payer now/],
  ];
  const setUp = [
    ["FLUSHALL"],
    ["HSET", keys.own.lease("payer"), "token", "7"],
    ["HSET", keys.miner(A), "balance", "900"],
    ["HSET", keys.finances(), "balance", "1000"],
  ];
  for (const [changes, expected] of cases) {
    for (const command of [...setUp, ...changes]) await store.command(...command);
    const before = await dump(store);
    if (typeof expected === "string") {
      assert.equal(await payments.reserve(LEASE, payment, NOW), expected);
    } else {
      await assert.rejects(payments.reserve(LEASE, payment, NOW), expected);
    }
    assert.equal(await dump(store), before, String(changes));
  }
});

Deno.test("reserve() compares amounts beyond 2^53 exactly", async () => {
  await using world = await open();
  const { store, payments, accounts } = world;
  await store.command("HSET", keys.miner(A), "balance", "90071992547409930");
  const amountShannon = 90_071_992_547_409_931n;
  assert.equal(await payments.reserve(LEASE, { ...payment, amountShannon }, NOW), "poor");
  const exact = { ...payment, amountShannon: amountShannon - 1n };
  assert.equal(await payments.reserve(LEASE, exact, NOW), "ok");
  assert.equal((await accounts.account(A)).pendingShannon, amountShannon - 1n);
});

Deno.test("confirm() books a payment once, with the hash that paid", async () => {
  await using world = await open();
  const { store, payments, accounts } = world;
  const before = sumOf(await accounts.account(A));
  await payments.reserve(LEASE, payment, NOW);
  const [reserved] = await payments.open();
  await assert.rejects(payments.confirm(LEASE, reserved!, HASH, NOW), /Cannot run/);
  for (let twice = 0; twice < 2; twice++) await payments.sign(LEASE, "p1", signed, NOW);
  const bumped = { ...signed, raw: "0xef", hash: OTHER };
  await payments.sign(LEASE, "p1", bumped, NOW);
  for (let twice = 0; twice < 2; twice++) await payments.markSent(LEASE, "p1", NOW + 1);
  const mined = { hash: HASH, height: 12, blockHash: BLOCK };
  for (let twice = 0; twice < 2; twice++) await payments.recordReceipt(LEASE, "p1", mined, NOW + 2);
  const sent = await payments.payment("p1") as Payment;
  assert.equal(sent.state, "sent");
  assert.deepEqual(sent.hashes, [HASH, OTHER]);
  assert.deepEqual(sent.signed, { nonce: 4, raw: "0xef", hash: OTHER });
  assert.deepEqual(sent.mined, mined);
  await assert.rejects(payments.confirm(LEASE, sent, BLOCK, NOW), /Cannot run/);
  await payments.confirm(LEASE, sent, HASH, NOW + 3);
  const after = await dump(store);
  await payments.confirm(LEASE, sent, HASH, NOW + 9);
  assert.equal(await dump(store), after);
  const account = await accounts.account(A);
  assert.deepEqual([account.balanceShannon, account.pendingShannon, account.paidShannon], [
    0n,
    0n,
    905n,
  ]);
  assert.equal(sumOf(account), before);
  assert.equal(sumOf(await accounts.finances()), 1005n);
  assert.deepEqual(
    await store.command("ZRANGE", keys.paymentsAll(), "0", "-1", "WITHSCORES"),
    [`${HASH}:${A}:900`, `${NOW + 3}`],
  );
  assert.deepEqual(await store.command("ZRANGE", keys.paymentsOf(A), "0", "-1"), [`${HASH}:900`]);
  assert.equal(await store.command("EXISTS", keys.paymentsLock(), keys.paymentsPending()), 0);
  assert.deepEqual(await payments.open(), []);
  await assert.rejects(payments.confirm(LEASE, sent, OTHER, NOW), /Cannot run/);
  await assert.rejects(
    payments.giveBack(LEASE, sent, { state: "reverted", reason: "", hold: true }, NOW),
    /Cannot run/,
  );
  assert.equal(await dump(store), after);
});

Deno.test("giveBack() returns the debit once and holds the miner", async () => {
  await using world = await open();
  const { store, payments, accounts } = world;
  await payments.reserve(LEASE, payment, NOW);
  await payments.sign(LEASE, "p1", signed, NOW);
  const [one] = await payments.open();
  const how = { state: "reverted" as const, reason: "it failed", hold: true };
  await payments.giveBack(LEASE, one!, how, NOW);
  const after = await dump(store);
  await payments.giveBack(LEASE, one!, how, NOW + 1);
  assert.equal(await dump(store), after);
  const account = await accounts.account(A);
  assert.deepEqual([account.balanceShannon, account.pendingShannon], [900n, 0n]);
  assert.deepEqual(await payments.held(), [A]);
  assert.equal((await payments.payment("p1"))!.reason, "it failed");
  assert.deepEqual(await readFailedPayments({ store, keys }, A, { limit: 9 }), [{
    ...{ login: A, amountShannon: 900n, state: "reverted", atSeconds: NOW, reason: "it failed" },
    hash: HASH,
  }]);
  assert.equal(await payments.reserve(LEASE, { ...payment, id: "p2" }, NOW), "held");
  assert.equal(await payments.release(A), true);
  assert.equal(await payments.reserve(LEASE, { ...payment, id: "p2" }, NOW), "ok");
  // Never signed: no transaction failed.
  await payments.giveBack(LEASE, (await payments.open())[0]!, { ...how, hold: false }, NOW + 5);
  assert.equal((await readFailedPayments({ store, keys }, A, { limit: 9 })).length, 1);
});

Deno.test("confirm() and giveBack() change nothing of a payment whose row is damaged", async () => {
  await using world = await open();
  const { store, payments } = world;
  await payments.reserve(LEASE, payment, NOW);
  await payments.sign(LEASE, "p1", signed, NOW);
  const [one] = await payments.open();
  await store.command("HDEL", keys.own.payment("p1"), "number");
  const before = await dump(store);
  await assert.rejects(payments.confirm(LEASE, one!, HASH, NOW), /has no number/);
  const how = { state: "reverted" as const, reason: "it failed", hold: true };
  await assert.rejects(payments.giveBack(LEASE, one!, how, NOW), /has no number/);
  assert.equal(await dump(store), before);
});

Deno.test("confirm() leaves the lock while another payment is open", async () => {
  await using world = await open();
  const { store, payments } = world;
  await payments.reserve(LEASE, payment, NOW);
  await payments.reserve(LEASE, { id: "p2", login: B, amountShannon: 60n }, NOW + 1);
  assert.equal(await store.command("GET", keys.paymentsLock()), `${A}:900`);
  assert.equal(
    await payments.reserve(LEASE, { id: "p3", login: B, amountShannon: 40n }, NOW),
    "open",
  );
  await payments.sign(LEASE, "p1", signed, NOW);
  const [first] = await payments.open();
  await payments.confirm(LEASE, first!, HASH, NOW);
  assert.equal(await store.command("GET", keys.paymentsLock()), `${B}:60`);
  assert.deepEqual((await payments.open()).map(({ id }) => id), ["p2"]);
});

Deno.test("sign() gives a nonce to one payment and keeps it", async () => {
  await using world = await open();
  const { payments } = world;
  await payments.reserve(LEASE, payment, NOW);
  await payments.reserve(LEASE, { id: "p2", login: B, amountShannon: 60n }, NOW);
  await payments.sign(LEASE, "p1", signed, NOW);
  await assert.rejects(payments.sign(LEASE, "p2", { ...signed, hash: OTHER }, NOW), /Cannot run/);
  await assert.rejects(
    payments.sign(LEASE, "p1", { ...signed, nonce: 5, hash: OTHER }, NOW),
    /Cannot run/,
  );
  assert.equal(await payments.ownerOfNonce(FROM.toUpperCase().replace("X", "x"), 4), "p1");
  assert.equal(await payments.ownerOfNonce(FROM, 5), undefined);
});

Deno.test("recordReceipt() forgets a receipt that vanished", async () => {
  await using world = await open();
  const { payments } = world;
  await payments.reserve(LEASE, payment, NOW);
  await payments.sign(LEASE, "p1", signed, NOW);
  await payments.recordReceipt(LEASE, "p1", { hash: HASH, height: 3, blockHash: BLOCK }, NOW);
  assert.equal((await payments.payment("p1"))!.mined!.height, 3);
  for (let twice = 0; twice < 2; twice++) await payments.recordReceipt(LEASE, "p1", undefined, NOW);
  const again = await payments.payment("p1");
  assert.deepEqual([again!.mined, again!.state], [undefined, "sent"]);
});

Deno.test("every step refuses a payer whose lease was lost, and changes nothing", async () => {
  await using world = await open();
  const { store, payments } = world;
  await payments.reserve(LEASE, payment, NOW);
  await payments.sign(LEASE, "p1", signed, NOW);
  const [one] = await payments.open();
  const before = await dump(store);
  const steps = [
    () => payments.reserve(STALE, { id: "p2", login: B, amountShannon: 1n }, NOW),
    () => payments.sign(STALE, "p1", { ...signed, hash: OTHER }, NOW),
    () => payments.markSent(STALE, "p1", NOW),
    () => payments.recordReceipt(STALE, "p1", { hash: HASH, height: 3, blockHash: BLOCK }, NOW),
    () => payments.confirm(STALE, one!, HASH, NOW),
    () => payments.giveBack(STALE, one!, { state: "displaced", reason: "", hold: false }, NOW),
    () => payments.setCheckedNonce(STALE, FROM, 9),
  ];
  for (const step of steps) {
    await assert.rejects(step, (error) => error instanceof FencedError);
  }
  assert.equal(await dump(store), before);
});

Deno.test("foreignRows() finds what the old pool left pending", async () => {
  await using world = await open();
  const { store, payments } = world;
  await payments.reserve(LEASE, payment, NOW);
  assert.deepEqual(await payments.foreignRows(), []);
  await store.command("ZADD", keys.paymentsPending(), "5", `${B}:44`);
  assert.deepEqual(await payments.foreignRows(), [`${B}:44`]);
});

Deno.test("persist() notes a broadcast of what is signed, for the holder of the lease alone", async () => {
  await using world = await open();
  const { payments } = world;
  await payments.reserve(LEASE, payment, NOW);
  await assert.rejects(payments.persist(LEASE, "p1", NOW), /is not signed/);
  await payments.sign(LEASE, "p1", signed, NOW);
  await payments.persist(LEASE, "p1", NOW);
  await assert.rejects(payments.persist(STALE, "p1", NOW), FencedError);
  await assert.rejects(payments.persist(LEASE, "p9", NOW), /is unknown/);
  const [one] = await payments.open();
  await payments.confirm(LEASE, one!, HASH, NOW);
  await assert.rejects(payments.persist(LEASE, "p1", NOW), /is final/);
});

Deno.test("confirm() and giveBack() book what gas cost, and spentSince() what was signed", async () => {
  await using world = await open();
  const { store, payments } = world;
  const gas = { spentWei: 21_000n * 10n ** 9n + 7n, shareWei: 30_000n * 10n ** 9n + 8n };
  await payments.reserve(LEASE, payment, NOW);
  assert.equal(await payments.spentSince(NOW - 86_400), 0n);
  await payments.sign(LEASE, "p1", signed, NOW);
  await payments.sign(LEASE, "p1", { ...signed, hash: OTHER }, NOW + 60);
  assert.equal(await payments.spentSince(NOW - 1), 900n);
  assert.equal(await payments.spentSince(NOW), 0n);
  const [open1] = await payments.open();
  await payments.confirm(LEASE, open1!, HASH, NOW, gas);
  await payments.confirm(LEASE, open1!, HASH, NOW, gas);
  const accounts = async () => recordOf(await store.command("HGETALL", keys.own.poolAccounts()));
  assert.deepEqual(await accounts(), {
    ...{ gasShannon: "21000", gasWeiRest: "7", gasShareShannon: "30000", gasShareWeiRest: "8" },
  });
  const second = { id: "p2", login: B, amountShannon: 100n };
  await payments.reserve(LEASE, second, NOW);
  await payments.sign(LEASE, "p2", { ...signed, nonce: 5, hash: BLOCK }, NOW + 5);
  assert.equal(await payments.spentSince(NOW - 1), 1_000n);
  const [open2] = await payments.open();
  const how = { state: "reverted" as const, reason: "failed", hold: true, gasWei: 10n ** 9n };
  await payments.giveBack(LEASE, open2!, how, NOW);
  assert.equal((await accounts())["gasShannon"], "21001");
  assert.equal(await payments.spentSince(NOW - 1), 900n);
});
