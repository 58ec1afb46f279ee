/** Blocks of every scheme from the share to the balance, over a development chain and real Redis. */
import assert from "node:assert/strict";
import { type DevChain, startDevChain } from "../../scripts/dev_chain.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { FakeClock, silentLogger } from "../base/mod.ts";
import { createNode, networkOf, type Node } from "../chain/mod.ts";
import {
  acquireLease,
  createKeys,
  integerOf,
  openStore,
  readBlockAccount,
  readImmature,
  recordCandidate,
  type RecordDeps,
  recordOf,
  recordShares,
  type ShareRecord,
  type Store,
} from "../ledger/mod.ts";
import { unlockPass, type UnlockReport } from "./unlock.ts";

type Scheme = NonNullable<ShareRecord["scheme"]>;

const POOL = "0x" + "ab".repeat(20), FEE = "0x" + "fe".repeat(20);
const A = "0x" + "0a".repeat(20), B = "0x" + "0b".repeat(20), C = "0x" + "0c".repeat(20);
const SCHEMES: Scheme[] = ["prop", "pplns", "solo"];
const keys = createKeys("t");

interface Bench {
  dev: DevChain;
  store: Store;
  deps: RecordDeps;
  node: Node;
  pass(): Promise<UnlockReport>;
  hash(key: string): Promise<Record<string, string>>;
}

async function withPool(work: (bench: Bench) => Promise<void>): Promise<void> {
  await using redis = await startRedis();
  const clock = new FakeClock();
  await using dev = await startDevChain({
    ...{ coinbase: POOL, clock },
    pow: {
      hash: (_height, _header, nonce) =>
        Promise.resolve({ mix: new Uint8Array(32).fill(Number(nonce % 251n)), result: 1n }),
    },
  });
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const deps = {
    ...{ store, keys, clock, log: silentLogger, hashrateExpirationSeconds: 10_800 },
    ...{ pplnsWindowMilli: 2_000n, chunk: 2 },
    node: createNode({ name: "dev", url: dev.url, timeoutMs: 5_000 }),
  };
  const network = networkOf({
    ...{ chainId: 1337, algorithm: "ethash", baseFee: "none" },
    rewards: [{ fromHeight: 0, reward: "2" }],
  });
  const rules = {
    ...{ network, depth: 20, immatureDepth: 10, keepTxFees: false, feeMillionths: 1_000_000n },
    ...{ feeAddress: FEE, rounding: "floor" as const, coinbases: [POOL], returnShares: true },
    headAgeMsMax: 3_600_000,
  };
  const lease = await acquireLease(deps, "unlocker", "test", 600_000);
  assert.ok("token" in lease);
  const pass = () => unlockPass(deps, rules, lease);
  const hash = async (key: string) => recordOf(await store.command("HGETALL", key));
  await work({ dev, store, deps, node: deps.node, pass, hash }).finally(() => store.close());
}

/** A 200, B 100 and C 50 by each scheme. */
async function mine({ deps }: Bench, height: number): Promise<void> {
  const shares = SCHEMES.flatMap((scheme, i) =>
    [A, B, C].map((login, n): ShareRecord => ({
      ...{ login, worker: "rig", height, difficulty: [200n, 100n, 50n][n]!, scheme },
      nonce: "0xff" + (3 * i + n).toString(16).padStart(14, "0"),
      ...{ headerHash: "0x" + "11".repeat(32), mix: "0x" + "22".repeat(32) },
      blockDifficulty: 131_072n,
    }))
  );
  const fates = await recordShares(deps, `mine${height}`, shares);
  assert.ok(fates.every((fate) => fate === "credited"));
}

/** A mines a block with a share of 10 and it is recorded as the share path does. */
async function find({ node, deps }: Bench, n: number, scheme: Scheme) {
  const job = (await node.getWork())!;
  const nonce = "0x" + n.toString(16).padStart(16, "0");
  const mix = "0x" + (n % 251).toString(16).padStart(2, "0").repeat(32);
  assert.equal(await node.submitWork(nonce, job.headerHash, mix), true);
  const found = {
    ...{ login: A, worker: "rig", height: job.height, nonce, headerHash: job.headerHash, mix },
    ...{ difficulty: 10n, scheme, blockDifficulty: 131_072n },
  };
  assert.equal(await recordCandidate(deps, `c${n}`, found, 1_700_000_000), "recorded");
  return { height: job.height, nonce };
}

/** Who has what (Shannon), and that the finances say the same. */
async function money({ store }: Bench, field: string): Promise<bigint[]> {
  const found = await Promise.all(
    [A, B, C, FEE].map(async (login) =>
      integerOf(await store.command("HGET", keys.miner(login), field), field)
    ),
  );
  const sum = found.reduce((all, amount) => all + amount, 0n);
  assert.equal(integerOf(await store.command("HGET", keys.finances(), field), field), sum);
  return found;
}

/** Σ credits + fee + dust = reward, of a block by its account. */
async function assertSums({ deps }: Bench, block: { height: number; nonce: string }) {
  const account = (await readBlockAccount(deps, block))!;
  const wei = (text: string | undefined) => BigInt(text!);
  assert.equal(
    wei(account.creditedShannon) * 10n ** 9n + wei(account.uncreditedFeeWei) +
      wei(account.dustWei),
    wei(account.rewardWei) + wei(account.extraWei),
  );
  assert.equal(account.state, "matured");
}

/** What 2 coins less 1 percent are to parts, rounded down, with the fee at the end. */
function split(...parts: bigint[]): bigint[] {
  const total = parts.reduce((sum, part) => sum + part, 0n);
  return [...parts.map((part) => 1_980_000_000n * part / total), 20_000_000n];
}

const PAID: Record<Scheme, bigint[]> = {
  prop: split(210n, 100n, 50n),
  pplns: split(210n, 100n, 50n),
  solo: split(210n, 0n, 0n),
};

Deno.test("unlockPass() credits the block of each scheme to those who mined for it", async () => {
  for (const scheme of SCHEMES) {
    for (const asUncle of [false, true]) {
      await withPool(async (bench) => {
        const { dev, pass, deps, hash } = bench;
        await mine(bench, 1);
        dev.chain.nextIsUncle = asUncle;
        const found = await find(bench, 5, scheme);
        dev.chain.mine(12);
        assert.equal((await pass()).immature, 1);
        const paid = asUncle ? undefined : PAID[scheme];
        if (paid !== undefined) assert.deepEqual(await money(bench, "immature"), paid);
        const [row] = await readImmature(deps, 100);
        assert.equal(row!.totalShares, scheme === "solo" ? 210n : 360n);
        dev.chain.mine(10);
        assert.equal((await pass()).matured, 1);
        const balances = await money(bench, "balance");
        if (paid !== undefined) assert.deepEqual(balances, paid);
        assert.ok(balances.every((amount, i) => (amount > 0n) === (PAID[scheme][i]! > 0n)));
        await assertSums(bench, { height: row!.height, nonce: found.nonce });
        assert.deepEqual(await hash(keys.round(row!.height, found.nonce)), {});
        const rest = { [A]: "200", [B]: "100", [C]: "50" };
        const { [A]: _, ...others } = rest;
        assert.deepEqual(await hash(keys.roundCurrent()), scheme === "prop" ? {} : rest);
        assert.deepEqual(await hash(keys.own.solo()), scheme === "solo" ? others : rest);
        const window = scheme === "pplns" ? { ...rest, [A]: "210" } : rest;
        assert.deepEqual(await hash(keys.own.pplnsSums()), window);
      });
    }
  }
});

Deno.test("unlockPass() credits blocks of all schemes in one pass, each by its own round", async () => {
  await withPool(async (bench) => {
    const { dev, pass } = bench;
    await mine(bench, 1);
    const found = [];
    for (const [n, scheme] of SCHEMES.entries()) found.push(await find(bench, 5 + n, scheme));
    dev.chain.mine(10);
    assert.equal((await pass()).immature, 3);
    dev.chain.mine(10);
    assert.equal((await pass()).matured, 3);
    const sums = PAID.prop.map((amount, i) => amount + PAID.pplns[i]! + PAID.solo[i]!);
    assert.deepEqual(await money(bench, "balance"), sums);
    for (const block of found) await assertSums(bench, block);
  });
});

Deno.test("unlockPass() returns the shares of a lost prop round, and nothing of the others", async () => {
  for (const scheme of SCHEMES) {
    // An orphan from the start, and a block that was credited and then left the chain.
    for (const credited of [false, true]) {
      await withPool(async (bench) => {
        const { dev, store, pass, hash } = bench;
        await mine(bench, 1);
        const { height, nonce } = await find(bench, 5, scheme);
        const own = { ...await hash(keys.own.pplns()), ...await hash(keys.own.pplnsSums()) };
        const solo = await hash(keys.own.solo());
        if (credited) {
          dev.chain.mine(10);
          assert.equal((await pass()).immature, 1);
        }
        dev.chain.reorganize(credited ? 11 : 1, { transactions: false, uncles: false });
        dev.chain.mine(10);
        const first = await pass();
        if (!credited) assert.equal(first.orphaned, 1);
        dev.chain.mine(10);
        assert.equal(first.lost + (await pass()).lost, 1);
        assert.equal((await pass()).lost, 0);
        assert.equal(await store.command("EXISTS", keys.round(height, nonce)), 0);
        const rest = { [A]: "200", [B]: "100", [C]: "50" };
        assert.deepEqual(
          await hash(keys.roundCurrent()),
          scheme === "prop" ? { ...rest, [A]: "210" } : rest,
        );
        // A prop block ended the count of both schemes; only its own shares come back.
        const roundShares = await store.command("HGET", keys.stats(), "roundShares");
        assert.equal(roundShares, { prop: "360", pplns: null, solo: "700" }[scheme]);
        const after = { ...await hash(keys.own.pplns()), ...await hash(keys.own.pplnsSums()) };
        assert.deepEqual(after, own);
        assert.deepEqual(await hash(keys.own.solo()), solo);
        assert.deepEqual(await money(bench, "immature"), [0n, 0n, 0n, 0n]);
      });
    }
  }
});

Deno.test("unlockPass() takes a lost round of which no scheme is kept for prop, as the old pool's", async () => {
  await withPool(async (bench) => {
    const { dev, store, pass, hash } = bench;
    await mine(bench, 1);
    await find(bench, 5, "pplns");
    await store.command("DEL", keys.own.roundSchemes(), keys.roundCurrent());
    dev.chain.reorganize(1, { transactions: false, uncles: false });
    dev.chain.mine(20);
    await pass();
    assert.deepEqual(await hash(keys.roundCurrent()), { [A]: "210", [B]: "100", [C]: "50" });
  });
});

Deno.test("creditImmature() keeps a round's scheme at the height that the block really has", async () => {
  await withPool(async (bench) => {
    const { dev, store, pass, hash } = bench;
    await mine(bench, 1);
    const { height, nonce } = await find(bench, 5, "pplns");
    // Recorded one too high, as by a node that said so: found by its nonce, then lost.
    const [member] = await store.command("ZRANGE", keys.candidates(), "0", "-1") as string[];
    await store.command("ZADD", keys.candidates(), String(height + 1), member!);
    await store.command("RENAME", keys.round(height, nonce), keys.round(height + 1, nonce));
    await store.command("HDEL", keys.own.roundSchemes(), `${height}:${nonce}`);
    await store.command("HSET", keys.own.roundSchemes(), `${height + 1}:${nonce}`, "pplns");
    dev.chain.mine(11);
    assert.equal((await pass()).immature, 1);
    assert.deepEqual(await hash(keys.own.roundSchemes()), { [`${height}:${nonce}`]: "pplns" });
    dev.chain.reorganize(12, { transactions: false, uncles: false });
    dev.chain.mine(12);
    await pass();
    dev.chain.mine(10);
    await pass();
    assert.deepEqual(await hash(keys.roundCurrent()), { [A]: "200", [B]: "100", [C]: "50" });
  });
});
