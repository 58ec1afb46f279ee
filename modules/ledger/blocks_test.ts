/** Block transitions on a real server: each once, resumed after a cut, untouched by a failed check. */
import assert from "node:assert/strict";
import { FakeClock, InvariantError, silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { parseBlockRow, parseCandidate } from "./block_rows.ts";
import {
  type BlockDeps,
  creditImmature,
  matureBlock,
  orphanBlock,
  orphanCandidate,
  readBlockAccount,
  readCandidates,
  readImmature,
  readPlan,
  readRoundShares,
  type Settlement,
} from "./blocks.ts";
import { createKeys } from "./keys.ts";
import { acquireLease, type Lease } from "./leases.ts";
import { integerOf, openStore, recordOf, type Store, StoreError } from "./redis.ts";

const HEADER = "0x" + "aa".repeat(32), MIX = "0x" + "bb".repeat(32), HASH = "0x" + "cc".repeat(32);
const NONCE = "0x0000000000000abc";
const login = (n: number) => "0x" + n.toString(16).padStart(40, "0");
const IMMATURE_CREDITS = `t:credits:immature:100:${HASH}`;
const BIG = 123_456_789_012_345_678n;

interface Bench {
  deps: BlockDeps;
  lease: Lease;
  store: Store;
  redis: (...args: string[]) => Promise<unknown>;
}

async function withLedger(work: (bench: Bench) => Promise<void>): Promise<void> {
  await using server = await startRedis();
  const store = await openStore({ endpoint: server.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const deps = { store, keys: createKeys("t"), clock: new FakeClock(), chunk: 2 };
  const lease = await acquireLease(deps, "unlocker", "a", 60_000);
  assert.ok("token" in lease);
  await work({ deps, lease, store, redis: (...args) => store.command(...args) });
  await store.close();
}

/** Five miners' round at height 100, found and recorded. */
async function found({ redis }: Bench): Promise<void> {
  for (let n = 1; n <= 5; n++) {
    await redis("HSET", `t:shares:round100:${NONCE}`, login(n), String(n * 10));
  }
  await redis("ZADD", "t:blocks:candidates", "100", `${NONCE}:${HEADER}:${MIX}:1700:5000:150`);
}

function settlement(more: Partial<Settlement> = {}): Settlement {
  return {
    height: 100,
    uncleHeight: 0,
    hash: HASH,
    rewardWei: 15_000_000_007n,
    extraWei: 0n,
    credits: new Map([1, 2, 3, 4, 5].map((n) => [login(n), BigInt(n)])),
    uncreditedFeeWei: 2n,
    dustWei: 5n,
    plan: "plan-1",
    ...more,
  };
}

async function dump(store: Store): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const key of (await store.command("KEYS", "*") as string[]).sort()) {
    if (key.includes(":lease:") || key.includes(":fence:")) continue;
    const kind = await store.command("TYPE", key);
    all[key] = kind === "hash"
      ? recordOf(await store.command("HGETALL", key))
      : kind === "zset"
      ? await store.command("ZRANGE", key, "0", "-1", "WITHSCORES")
      : await store.command("GET", key);
  }
  return all;
}

/** The books balance: sums over miners equal the finances. */
async function booksBalance({ store }: Bench): Promise<void> {
  const finances = recordOf(await store.command("HGETALL", "t:finances"));
  for (const field of ["immature", "balance"]) {
    let total = 0n;
    for (const key of await store.command("KEYS", "t:miners:*") as string[]) {
      total += integerOf(await store.command("HGET", key, field), field);
    }
    assert.equal(total, integerOf(finances[field] ?? null, field), field);
  }
}

/** A store that loses the connection after so many scripts; the last one has run. */
function cutAfter(store: Store, scripts: number): Store {
  let left = scripts;
  return {
    ...store,
    ready: true,
    async script(script, keys, args) {
      if (left === 0) throw new StoreError("cut", "unknown");
      left--;
      const reply = await store.script(script, keys, args);
      if (left === 0) throw new StoreError("cut", "unknown");
      return reply;
    },
  };
}

Deno.test("parseCandidate() and parseBlockRow() read both pools' rows and refuse others", () => {
  const six = parseCandidate(`${NONCE}:${HEADER}:${MIX}:1700:5000:150`, "100");
  const eleven = parseCandidate(
    `${NONCE}:${HEADER}:${MIX}:1700:5000:150:${login(1)}:rig:solo:9:8`,
    "100",
  );
  assert.deepEqual({ ...eleven, member: "" }, { ...six, member: "" });
  const eight = parseBlockRow(`0:0:${NONCE}:${HASH}:1700:5000:150:99`, "100");
  const thirteen = parseBlockRow(
    `0:0:${NONCE}:${HASH}:1700:5000:150:${login(1)}:99:rig:pplns:9:8`,
    "100",
  );
  assert.deepEqual({ ...thirteen, member: "" }, { ...eight, member: "" });
  assert.equal(eight.rewardWei, 99n);
  for (const bad of ["", "1:2:3", `${NONCE}:${HEADER}:${MIX}:x:5000:150`]) {
    assert.throws(() => parseCandidate(bad, "100"), InvariantError);
    assert.throws(() => parseBlockRow(bad, "100"), InvariantError);
  }
});

Deno.test("creditImmature() and matureBlock() write open-ethereum-pool's keys, each once", async () => {
  await withLedger(async (bench) => {
    const { deps, lease, store } = bench;
    await found(bench);
    const [candidate] = await readCandidates(deps, 100);
    assert.deepEqual(await readCandidates(deps, 99), []);
    await creditImmature(deps, lease, candidate!, settlement());
    const credited = await dump(store);
    assert.deepEqual(credited["t:blocks:immature"], [
      `0:0:${NONCE}:${HASH}:1700:5000:150:15000000007`,
      "100",
    ]);
    assert.equal(credited["t:blocks:candidates"], undefined);
    assert.deepEqual(credited["t:finances"], { immature: "15" });
    assert.deepEqual(credited[`t:miners:${login(3)}`], { immature: "3" });
    await creditImmature(deps, lease, candidate!, settlement());
    assert.deepEqual(await dump(store), credited);
    assert.equal((await readBlockAccount(deps, { height: 100, nonce: NONCE }))?.mixHash, MIX);

    const [row] = await readImmature(deps, 100);
    await matureBlock(deps, lease, row!, settlement());
    const matured = await dump(store);
    const now = String(deps.clock.now() / 1000);
    assert.deepEqual(matured["t:blocks:matured"], credited["t:blocks:immature"]);
    assert.deepEqual(matured["t:credits:all"], [`${HASH}:${now}:15000000007`, "100"]);
    assert.deepEqual(matured["t:finances"], {
      immature: "0",
      balance: "15",
      lastCreditHeight: "100",
      lastCreditHash: HASH,
      totalMined: "15",
    });
    assert.deepEqual(matured[`t:miners:${login(3)}`], { immature: "0", balance: "3" });
    assert.equal(matured[`t:shares:round100:${NONCE}`], undefined);
    assert.equal(matured[`t:credits:immature:100:${HASH}`], undefined);
    assert.equal(Object.keys(matured[`t:credits:100:${HASH}`]!).length, 5);
    const accounts = matured["t:quarry:accounts"] as Record<string, string>;
    assert.equal(accounts.rewardShannon + "/" + accounts.rewardWeiRest, "15/7");
    assert.equal(accounts.feeWeiRest + "/" + accounts.dustWeiRest, "2/5");
    deps.clock = new FakeClock(9e12);
    await matureBlock(deps, lease, row!, settlement());
    assert.deepEqual(await dump(store), matured);
    await booksBalance(bench);
  });
});

Deno.test("creditImmature() and matureBlock() end the same wherever they are cut between chunks", async () => {
  let whole: unknown;
  for (const cut of [99, 1, 2, 3]) {
    await withLedger(async (bench) => {
      const { deps, lease, store } = bench;
      await found(bench);
      const [candidate] = await readCandidates(deps, 100);
      const cutDeps = () => ({ ...deps, store: cutAfter(store, cut) });
      await creditImmature(cutDeps(), lease, candidate!, settlement()).catch(() => {});
      const open = await readPlan(deps, "credit", candidate!);
      assert.equal(open, cut < 3 ? "plan-1" : undefined);
      await booksBalance(bench);
      if (cut < 3) {
        await assert.rejects(
          creditImmature(deps, lease, candidate!, settlement({ plan: "plan-2" })),
          /another plan/,
        );
      }
      await creditImmature(deps, lease, candidate!, settlement());
      const [row] = await readImmature(deps, 100);
      await matureBlock(cutDeps(), lease, row!, settlement()).catch(() => {});
      await booksBalance(bench);
      await matureBlock(deps, lease, row!, settlement());
      await booksBalance(bench);
      whole ??= await dump(store);
      assert.deepEqual(await dump(store), whole, `cut after ${cut}`);
    });
  }
});

Deno.test("creditImmature() renames the round of an uncle and keeps amounts beyond 2^53 exact", async () => {
  await withLedger(async (bench) => {
    const { deps, lease, store, redis } = bench;
    await found(bench);
    const [candidate] = await readCandidates(deps, 100);
    const uncle = settlement({
      height: 102,
      uncleHeight: 100,
      credits: new Map([[login(1), BIG]]),
    });
    await redis("HSET", `t:miners:${login(1)}`, "immature", "1");
    await redis("HSET", "t:finances", "immature", "1");
    await creditImmature(deps, lease, candidate!, uncle);
    assert.equal(await redis("EXISTS", `t:shares:round100:${NONCE}`), 0);
    assert.equal((await readRoundShares(deps, 102, NONCE)).get(login(2)), 20n);
    assert.equal(await redis("HGET", `t:miners:${login(1)}`, "immature"), String(BIG + 1n));
    const [row] = await readImmature(deps, 102);
    assert.equal(row?.uncleHeight, 100);
    await matureBlock(deps, lease, row!, uncle);
    assert.equal(await redis("HGET", `t:miners:${login(1)}`, "balance"), String(BIG));
    await booksBalance(bench);
    assert.equal(Object.keys(await dump(store)).some((key) => key.includes("round10")), false);
  });
});

Deno.test("matureBlock() takes the old credits back when the block matures as another one", async () => {
  await withLedger(async (bench) => {
    const { deps, lease, redis } = bench;
    await found(bench);
    const [candidate] = await readCandidates(deps, 100);
    await creditImmature(deps, lease, candidate!, settlement());
    const [row] = await readImmature(deps, 100);
    const credits = new Map([[login(5), 50n], [login(6), 60n]]);
    await matureBlock(deps, lease, row!, settlement({ height: 103, uncleHeight: 100, credits }));
    await booksBalance(bench);
    assert.equal(await redis("HGET", "t:finances", "balance"), "110");
    assert.equal(await redis("HGET", "t:finances", "immature"), "0");
    assert.equal(await redis("EXISTS", `t:credits:immature:100:${HASH}`), 0);
    assert.equal(
      await redis("ZSCORE", "t:blocks:matured", `100:0:${NONCE}:${HASH}:1700:5000:150:15000000007`),
      "103",
    );
    assert.equal(await readBlockAccount(deps, { height: 100, nonce: NONCE }), undefined);
  });
});

Deno.test("orphanCandidate() keeps the round; orphanBlock() returns its shares once", async () => {
  for (const cut of [99, 1, 2]) {
    await withLedger(async (bench) => {
      const { deps, lease, store, redis } = bench;
      await found(bench);
      await redis("HSET", "t:shares:roundCurrent", login(5), "7", login(9), "1");
      await redis("HSET", "t:stats", "roundShares", "8");
      const [candidate] = await readCandidates(deps, 100);
      await orphanCandidate(deps, lease, candidate!);
      const pending = await dump(store);
      assert.deepEqual(pending["t:blocks:immature"], [
        `0:1:${NONCE}:0x0:1700:5000:150:0`,
        "100",
      ]);
      await orphanCandidate(deps, lease, candidate!);
      assert.deepEqual(await dump(store), pending);
      assert.equal((await readRoundShares(deps, 100, NONCE)).size, 5);
      const [row] = await readImmature(deps, 100);
      const returning = { returnShares: true };
      await orphanBlock({ ...deps, store: cutAfter(store, cut) }, lease, row!, returning)
        .catch(() => {});
      await orphanBlock(deps, lease, row!, returning);
      await orphanBlock(deps, lease, row!, returning);
      const final = await dump(store);
      assert.deepEqual(final["t:blocks:matured"], [`0:1:${NONCE}:0x0:1700:5000:150:0`, "100"]);
      assert.equal(final["t:blocks:immature"], undefined);
      assert.deepEqual(final["t:stats"], { roundShares: "158" });
      const round = final["t:shares:roundCurrent"] as Record<string, string>;
      assert.equal(round[login(5)], "57");
      assert.equal(round[login(1)], "10");
      assert.equal(final[`t:shares:round100:${NONCE}`], undefined);
    });
  }
});

Deno.test("orphanBlock() takes immature credits back and drops shares where the scheme says so", async () => {
  await withLedger(async (bench) => {
    const { deps, lease, store, redis } = bench;
    await found(bench);
    const [candidate] = await readCandidates(deps, 100);
    await creditImmature(deps, lease, candidate!, settlement());
    const [row] = await readImmature(deps, 100);
    await orphanBlock(deps, lease, row!, { returnShares: false });
    await booksBalance(bench);
    const final = await dump(store);
    assert.deepEqual(final["t:finances"], { immature: "0" });
    assert.equal(final["t:shares:roundCurrent"], undefined);
    assert.equal(final[`t:shares:round100:${NONCE}`], undefined);
    assert.equal(await redis("HGET", `t:miners:${login(4)}`, "immature"), "0");
  });
});

Deno.test("matureBlock() and orphanBlock() take credits of zero that open-ethereum-pool wrote", async () => {
  // It writes "0" for its fee address when the fee is 0; HINCRBY refuses "-0" amid a script.
  for (const fate of ["matured", "orphaned"]) {
    await withLedger(async (bench) => {
      const { lease, store } = bench, deps = { ...bench.deps, chunk: 100 };
      await found(bench);
      const [candidate] = await readCandidates(deps, 100);
      await creditImmature(deps, lease, candidate!, settlement());
      await bench.redis("HSET", IMMATURE_CREDITS, login(9), "0");
      const [row] = await readImmature(deps, 100);
      if (fate === "matured") await matureBlock(deps, lease, row!, settlement());
      else await orphanBlock(deps, lease, row!, { returnShares: true });
      const gone = ["t:blocks:immature", IMMATURE_CREDITS, `t:miners:${login(9)}`];
      assert.equal(await store.command("EXISTS", ...gone), 0, fate);
      await booksBalance(bench);
    });
  }
});

Deno.test("Block scripts leave everything untouched when a check fails", async () => {
  const troubles: [what: string, command: string[], more?: Partial<Settlement>][] = [
    ["miner of the wrong type", ["SET", `t:miners:${login(2)}`, "text"]],
    ["balance that is no number", ["HSET", `t:miners:${login(2)}`, "immature", "1e+17"]],
    ["finances near 64 bits", ["HSET", "t:finances", "immature", "1234567890123456789"]],
    ["credits of the wrong type", ["SET", `t:credits:immature:100:${HASH}`, "x"]],
    ["a credit that differs", ["HSET", `t:credits:immature:100:${HASH}`, login(1), "999"]],
    ["a credit nobody counted", ["HSET", `t:credits:immature:100:${HASH}`, login(8), "1"]],
    ["no candidate", ["DEL", "t:blocks:candidates"]],
    ["a round in the way", ["HSET", `t:shares:round101:${NONCE}`, login(1), "1"], { height: 101 }],
    ["no round", ["DEL", `t:shares:round100:${NONCE}`], { height: 101 }],
    ["an amount beyond the range", ["PING"], { credits: new Map([[login(1), 10n ** 18n]]) }],
    ["a negative amount", ["PING"], { credits: new Map([[login(1), -1n]]) }],
  ];
  for (const [what, command, more] of troubles) {
    await withLedger(async (bench) => {
      const { lease, store, redis } = bench;
      const deps = { ...bench.deps, chunk: 100 };
      await found(bench);
      const [candidate] = await readCandidates(deps, 100);
      await redis(...command);
      const before = await dump(store);
      await assert.rejects(
        creditImmature(deps, lease, candidate!, settlement(more)),
        InvariantError,
        what,
      );
      assert.deepEqual(await dump(store), before, what);
    });
  }
});

Deno.test("matureBlock() and orphanBlock() leave everything untouched when a check fails", async () => {
  const troubles: [what: string, command: string[], which: "mature" | "orphan" | "both"][] = [
    ["miner of the wrong type", ["SET", `t:miners:${login(2)}`, "text"], "both"],
    ["balance that is no number", ["HSET", `t:miners:${login(2)}`, "balance", "1.5"], "mature"],
    ["immature that is no number", ["HSET", `t:miners:${login(2)}`, "immature", "-"], "both"],
    ["finances that are no number", ["HSET", "t:finances", "immature", "x"], "both"],
    ["totalMined near 64 bits", ["HSET", "t:finances", "totalMined", "9".repeat(19)], "mature"],
    ["a pool account of text", ["HSET", "t:quarry:accounts", "dustShannon", "x"], "mature"],
    ["a credit that differs", ["HSET", `t:credits:100:${HASH}`, login(1), "999"], "mature"],
    ["a credit nobody counted", ["HSET", `t:credits:100:${HASH}`, login(8), "1"], "mature"],
    ["credits:all of the wrong type", ["SET", "t:credits:all", "x"], "mature"],
    ["no such block", ["DEL", "t:blocks:immature"], "both"],
    ["an immature credit with zeros", ["HSET", IMMATURE_CREDITS, login(2), "02"], "both"],
    ["a share with zeros", ["HSET", `t:shares:round100:${NONCE}`, login(2), "020"], "orphan"],
    [
      "a share that is no number",
      ["HSET", `t:shares:round100:${NONCE}`, login(2), "2.5"],
      "orphan",
    ],
    ["a current round of text", ["HSET", "t:shares:roundCurrent", login(2), "x"], "orphan"],
    ["stats near 64 bits", ["HSET", "t:stats", "roundShares", "9".repeat(19)], "orphan"],
  ];
  for (const [what, command, which] of troubles) {
    await withLedger(async (bench) => {
      const { lease, store, redis } = bench;
      const deps = { ...bench.deps, chunk: 100 };
      await found(bench);
      const [candidate] = await readCandidates(deps, 100);
      await creditImmature(deps, lease, candidate!, settlement());
      const [row] = await readImmature(deps, 100);
      await redis(...command);
      const before = await dump(store);
      if (which !== "orphan") {
        await assert.rejects(matureBlock(deps, lease, row!, settlement()), Error, what);
        assert.deepEqual(await dump(store), before, what);
      }
      if (which !== "mature") {
        await assert.rejects(orphanBlock(deps, lease, row!, { returnShares: true }), Error, what);
        assert.deepEqual(await dump(store), before, what);
      }
    });
  }
});
