/** The PPLNS window on a real server: against a naive twin, under load, after a crash, in bounds. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock, silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { NaiveBooks, type TwinShare } from "../../tests/twins/naive_window.ts";
import { createKeys, type Keys } from "./keys.ts";
import { SLICES_MAX, windowOf } from "./pplns.ts";
import { openStore, recordOf, type Store, StoreError } from "./redis.ts";
import {
  recordCandidate,
  type RecordDeps,
  recordShares,
  type ShareRecord,
} from "./share_record.ts";

const CODES = { credited: "1", duplicate: "2", stale: "3" };
const login = (n: number) => "0x" + n.toString(16).padStart(40, "0");

function recordOfTwin(share: TwinShare): ShareRecord & { blockDifficulty: bigint } {
  const [headerHash, mix] = ["0x" + "ab".repeat(32), "0x" + "cd".repeat(32)];
  return { ...share, worker: "rig", headerHash, mix };
}

function depsOver(store: Store, windowMilli: bigint): RecordDeps {
  return {
    ...{ store, keys: createKeys("etc"), clock: new FakeClock() },
    ...{ hashrateExpirationSeconds: 10_800, pplnsWindowMilli: windowMilli },
  };
}

async function open(endpoint: string): Promise<Store> {
  return await openStore({ endpoint, database: 0, password: "" }, { log: silentLogger });
}

async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  await using redis = await startRedis();
  const store = await open(redis.endpoint);
  await work(store).finally(() => store.close());
}

async function sumsOf(store: Store, key: string): Promise<Map<string, bigint>> {
  const record = recordOf(await store.command("HGETALL", key));
  return new Map(Object.entries(record).map(([field, text]) => [field, BigInt(text)]));
}

function sorted(sums: ReadonlyMap<string, bigint>): [string, bigint][] {
  return [...sums].sort(([a], [b]) => a < b ? -1 : 1);
}

/** Every slice that the ledger keeps, by number. */
async function slicesOf(store: Store, keys: Keys): Promise<Map<number, Map<string, bigint>>> {
  const prefix = keys.own.pplnsSlicePrefix();
  const found = await store.command("KEYS", `${prefix}*`) as string[];
  const numbers = found.map((key) => Number(key.slice(prefix.length))).sort((a, b) => a - b);
  return new Map(
    await Promise.all(
      numbers.map(async (n) => [n, await sumsOf(store, `${prefix}${n}`)] as const),
    ),
  );
}

/** What the ledger keeps of every scheme is what the twin keeps. */
async function assertLike(store: Store, keys: Keys, twin: NaiveBooks): Promise<void> {
  assert.deepEqual(sorted(await sumsOf(store, keys.own.pplnsSums())), sorted(twin.window()));
  const slices = await slicesOf(store, keys);
  assert.deepEqual([...slices.keys()], [...twin.slices().keys()]);
  for (const [n, sums] of twin.slices()) assert.deepEqual(sorted(slices.get(n)!), sorted(sums));
  const state = recordOf(await store.command("HGETALL", keys.own.pplns()));
  const total = [...twin.window().values()].reduce((sum, part) => sum + part, 0n);
  assert.equal(state.total ?? "0", String(total));
  assert.equal(state.dropping, undefined);
  assert.deepEqual(sorted(await sumsOf(store, keys.roundCurrent())), sorted(twin.round));
  assert.deepEqual(sorted(await sumsOf(store, keys.own.solo())), sorted(twin.solo));
  const roundShares = await store.command("HGET", keys.stats(), "roundShares");
  assert.equal(roundShares, twin.roundShares === undefined ? null : String(twin.roundShares));
}

Deno.test("windowOf() takes thousandths of the block's difficulty, rounded up, in 64 slices", () => {
  assert.deepEqual(windowOf({ blockDifficulty: 64_000n }, 2_000n), {
    width: 128_000n,
    slice: 2_000n,
  });
  assert.deepEqual(windowOf({ blockDifficulty: 1n }, 1n), { width: 1n, slice: 1n });
  assert.deepEqual(windowOf({ blockDifficulty: 1_001n }, 500n), { width: 501n, slice: 8n });
  assert.equal(windowOf({ blockDifficulty: 10n ** 17n }, 9_999_999n).width, 4n * 10n ** 17n);
  assert.deepEqual(windowOf(undefined, undefined), { width: 0n, slice: 0n });
  assert.throws(() => windowOf({ blockDifficulty: 1n }, undefined), StoreError);
  assert.throws(() => windowOf({}, 2_000n), StoreError);
});

Deno.test("recordShares() and recordCandidate() keep the books that a naive twin keeps", async () => {
  await withStore(async (store) => {
    const scheme = fc.constantFrom("pplns", "pplns", "pplns", "prop", "solo");
    const share = fc.record({
      ...{
        scheme,
        miner: fc.nat(11),
        nonce: fc.nat(400),
        size: fc.integer({ min: 1, max: 2_000 }),
      },
      old: fc.nat(9).map((n) => n === 0),
    });
    const step = fc.record({
      block: fc.nat(5).map((n) => n === 0),
      shares: fc.array(share, { minLength: 1, maxLength: 12 }),
      blockSize: fc.integer({ min: 500, max: 15_000 }),
    });
    const oldest = (twin: NaiveBooks) => [...twin.slices().keys()][0] ?? 0;
    let blocks = 0, drops = 0;
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.constantFrom(300n, 1_000n, 2_500n),
      // Small, and so large that sums pass 2^53. Half a unit off, so that no comparison is a tie.
      fc.constantFrom(2n, 300_000_000_000n),
      async (steps, windowMilli, unit) => {
        await store.command("FLUSHALL");
        const deps = depsOver(store, windowMilli);
        const { keys } = deps;
        await store.command("HSET", keys.own.chain(), "height", "100");
        const twin = new NaiveBooks({ windowMilli, slicesMax: SLICES_MAX }, 100);
        for (const [n, { block, shares, blockSize }] of steps.entries()) {
          const batch = shares.map(({ scheme, miner, nonce, size, old }): TwinShare => ({
            ...{ scheme: scheme as TwinShare["scheme"], login: login(miner) },
            ...{ height: old ? 90 : 100, nonce: "0x" + nonce.toString(16).padStart(16, "0") },
            ...{
              difficulty: BigInt(size) * unit,
              blockDifficulty: BigInt(blockSize) * unit + unit / 2n,
            },
          }));
          if (block) {
            const found = { ...batch[0]!, height: 100 };
            const before = oldest(twin);
            const fate = await recordCandidate(deps, `c${n}`, recordOfTwin(found), 1_700_000_000);
            const round = twin.block(found);
            assert.equal(fate, round === undefined ? "duplicate" : "recorded");
            drops += before < oldest(twin) ? 1 : 0;
            if (round === undefined) continue;
            blocks++;
            const key = keys.round(found.height, found.nonce);
            assert.deepEqual(sorted(await sumsOf(store, key)), sorted(round));
            const rows = await store.command("ZRANGE", keys.candidates(), "0", "-1") as string[];
            const row = rows.find((member) => member.startsWith(found.nonce))!;
            const total = [...round.values()].reduce((sum, part) => sum + part, 0n);
            assert.equal(row.split(":")[5], String(total));
          } else {
            const before = oldest(twin);
            const fates = await recordShares(deps, `b${n}`, batch.map(recordOfTwin));
            assert.equal(fates.map((fate) => CODES[fate]).join(""), twin.batch(batch));
            drops += before < oldest(twin) ? 1 : 0;
          }
          await assertLike(store, keys, twin);
        }
      },
    );
    await fc.assert(property, { numRuns: 100 });
    // The generator reaches what it is there for.
    assert.ok(blocks > 50 && drops > 200, `${blocks} blocks, ${drops} drops`);
  });
});

Deno.test("recordShares() bounds the slices while difficulty rises faster than the window fills", async () => {
  await withStore(async (store) => {
    const deps = depsOver(store, 1_000n);
    const twin = new NaiveBooks({ windowMilli: 1_000n, slicesMax: SLICES_MAX }, 100);
    let width = 1_000_000n;
    for (let n = 0; n < SLICES_MAX + 60; n++) {
      width = width * 21n / 20n;
      const batch: TwinShare[] = [{
        ...{ scheme: "pplns", login: login(n % 7), height: 100 },
        ...{ nonce: "0x" + n.toString(16).padStart(16, "0"), blockDifficulty: width },
        difficulty: width / 64n + 1n,
      }];
      await recordShares(deps, `b${n}`, batch.map(recordOfTwin));
      twin.batch(batch);
    }
    assert.equal(twin.slices().size, SLICES_MAX);
    await assertLike(store, deps.keys, twin);
  });
});

/** Gives batches of `size` shares over many miners; every share's nonce is new. */
function batches(miners: number, size: number, blockDifficulty: bigint, mark = "00") {
  let n = 0;
  return (): TwinShare[] =>
    Array.from({ length: size }, () => ({
      ...{ scheme: "pplns" as const, login: login(n % miners), blockDifficulty },
      ...{ height: 100 + Math.floor(n / 10_000), difficulty: BigInt(1 + n % 977) },
      nonce: `0x${mark}${(++n).toString(16).padStart(14, "0")}`,
    }));
}

Deno.test("A slice of many miners drops out in portions, exactly, whatever comes between", async () => {
  for (const event of ["killed", "block"]) {
    const dir = await Deno.makeTempDir();
    let redis = await startRedis({ dir, durable: true });
    let store = await open(redis.endpoint);
    let deps = depsOver(store, 1_000n);
    const { keys } = deps;
    const twin = new NaiveBooks({ windowMilli: 1_000n, slicesMax: SLICES_MAX }, 100);
    let n = 0, portions = 0;
    const record = async (batch: TwinShare[]) => {
      await recordShares(deps, `b${++n}`, batch.map(recordOfTwin));
      twin.batch(batch);
    };
    const wide = batches(4_000, 512, 600_000_000n);
    for (let i = 0; i < 60; i++) await record(wide());
    // A far narrower window makes a slice of all the miners old at once.
    const narrow = batches(4_000, 1, 1_000_000n, "ff");
    const next = () => narrow().map((share) => ({ ...share, height: twin.highest }));
    for (let i = 0; i < 100; i++) {
      const before = (await slicesOf(store, keys)).get(1)?.size ?? 0;
      await record(next());
      const slices = await slicesOf(store, keys);
      const left = slices.get(1)?.size ?? 0;
      assert.ok(before - left <= 700, `${before - left} fields dropped at once`);
      // At any moment the sums are those of the slices that are there, a half dropped one included.
      const all = new Map<string, bigint>();
      for (const slice of slices.values()) {
        for (const [name, part] of slice) all.set(name, (all.get(name) ?? 0n) + part);
      }
      assert.deepEqual(sorted(await sumsOf(store, keys.own.pplnsSums())), sorted(all));
      if (left === 0) break;
      if (++portions !== 3) continue;
      if (event === "block") {
        const [found] = next();
        await recordCandidate(deps, "c", recordOfTwin(found!), 1_700_000_000);
        const round = await sumsOf(store, keys.round(found!.height, found!.nonce));
        assert.deepEqual(sorted(round), sorted(twin.block(found!)!));
        break;
      }
      await store.close();
      await redis.kill();
      redis = await startRedis({ dir, durable: true });
      store = await open(redis.endpoint);
      deps = depsOver(store, 1_000n);
    }
    assert.ok(event === "block" ? portions === 3 : portions > 5, `${portions} portions`);
    await assertLike(store, keys, twin);
    await store.close();
    await redis.kill();
    await Deno.remove(dir, { recursive: true });
  }
});

/** Calls and microseconds of commands so far, those inside scripts included. */
async function spent(store: Store, names: RegExp): Promise<{ calls: number; usec: number }> {
  const text = String(await store.command("INFO", "commandstats"));
  const found = { calls: 0, usec: 0 };
  for (const [, name, calls, usec] of text.matchAll(/cmdstat_(\w+):calls=(\d+),usec=(\d+)/g)) {
    if (!names.test(name!)) continue;
    found.calls += Number(calls);
    found.usec += Number(usec);
  }
  return found;
}

Deno.test("recordShares() writes at most six times per share, whatever the scheme and the fate", async () => {
  for (const scheme of ["prop", "pplns", "solo"] as const) {
    await withStore(async (store) => {
      const deps = depsOver(store, 1_000n);
      const shares = batches(1_000, 500, 10n ** 12n)().map((share) => ({ ...share, scheme }));
      const writes = () => spent(store, /^(hset|hincrby|hdel|zadd|zrem|del|copy|rename)$/);
      for (const id of ["new", "again"]) {
        const before = await writes();
        await recordShares(deps, id, shares.map(recordOfTwin));
        const { calls } = await writes();
        assert.ok(calls - before.calls <= 6 * shares.length + 12, `${scheme} ${id}: ${calls}`);
      }
    });
  }
});

Deno.test("100,000 shares take no more room than their miners and slices, and a batch no more time", async () => {
  await withStore(async (store) => {
    const deps = depsOver(store, 1_000n), { keys } = deps;
    const [miners, size] = [200, 128];
    // A window of some 16,000 shares: it is full after a sixth of the run and rolls from there.
    const next = batches(miners, size, 8_000_000n);
    let recorded = 0;
    const run = async (shares: number) => {
      const before = await spent(store, /^eval(sha)?$/);
      const until = recorded + shares;
      for (; recorded < until; recorded += size) {
        await recordShares(deps, `b${recorded}`, next().map(recordOfTwin));
      }
      const { usec, calls } = await spent(store, /^eval(sha)?$/);
      return (usec - before.usec) / (calls - before.calls);
    };
    const room = async () => {
      const slices = [...(await slicesOf(store, keys)).values()];
      const fields = slices.reduce((sum, { size }) => sum + size, 0);
      const sums = Number(await store.command("HLEN", keys.own.pplnsSums()));
      const state = Number(await store.command("HLEN", keys.own.pplns()));
      const allKeys = Number(await store.command("DBSIZE"));
      return { slices: slices.length, fields, sums, state, keys: allKeys - recorded / size };
    };
    await run(1_024);
    const early = await run(1_024);
    await run(30_000);
    const half = await room();
    await run(67_000);
    const late = await run(1_024);
    const end = await room();
    const line = `batch of ${size}: ${early.toFixed(0)} µs after 1,000 shares, ` +
      `${late.toFixed(0)} µs after 100,000; ${JSON.stringify(end)}\n`;
    await Deno.stdout.write(new TextEncoder().encode(line));
    for (const { slices, fields, sums, state, keys } of [half, end]) {
      assert.ok(
        slices <= 67 && fields <= slices * miners && sums === miners,
        `${slices} ${fields}`,
      );
      assert.ok(state <= slices + 5, `${state} fields of state`);
      assert.ok(keys <= slices + miners + 10, `${keys} keys`);
    }
    assert.ok(late < 4 * early, `${early} µs early, ${late} µs late`);
  });
});
