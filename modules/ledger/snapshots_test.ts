/** Snapshots read back exactly as they were written. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { silentLogger } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { createKeys } from "./keys.ts";
import { openStore, StoreError } from "./redis.ts";
import {
  type PoolSnapshot,
  readMinersSnapshot,
  readPoolSnapshot,
  readWorkerRates,
  snapshotLogins,
  type WorkerRate,
  writeSnapshots,
} from "./snapshots.ts";

async function open() {
  const redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  return {
    ...{ store, keys: createKeys("etc") },
    async [Symbol.asyncDispose]() {
      await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

const whole = fc.bigInt({ min: 0n, max: 2n ** 80n });
const seconds = fc.nat();
const block = fc.record({
  ...{ height: fc.nat(), uncleHeight: fc.nat(), orphan: fc.boolean(), hash: fc.string() },
  ...{ foundAt: seconds, difficulty: whole, totalShares: whole, rewardWei: whole },
});
const pool: fc.Arbitrary<PoolSnapshot> = fc.record({
  ...{ collectedAtMs: fc.nat(), hashrateHps: whole, minersTotal: fc.nat() },
  // Names that are integers elsewhere stay text here.
  stats: fc.array(
    fc.tuple(fc.constantFrom("difficulty", "roundShares"), fc.constantFrom("12", "x")),
  ),
  candidates: fc.array(
    fc.record({ height: fc.nat(), foundAt: seconds, difficulty: whole, totalShares: whole }),
  ),
  ...{ immature: fc.array(block), matured: fc.array(block) },
  payments: fc.array(fc.record({
    ...{ txHash: fc.string(), login: fc.string(), amountShannon: whole, atSeconds: seconds },
  })),
  ...{ candidatesTotal: fc.nat(), immatureTotal: fc.nat(), maturedTotal: fc.nat() },
  paymentsTotal: fc.nat(),
  luck: fc.array(fc.record({
    ...{ blocks: fc.nat(), luck: fc.double({ min: 0, max: 10, noNaN: true }) },
    ...{ uncleRate: fc.constantFrom(0, 0.25), orphanRate: fc.constantFrom(0, 1) },
  })),
});

Deno.test("readPoolSnapshot() gives what writeSnapshots() was given", async () => {
  await using deps = await open();
  await fc.assert(
    fc.asyncProperty(pool, async (snapshot) => {
      const plain = JSON.parse(JSON.stringify(snapshot, big), unbig) as PoolSnapshot;
      await writeSnapshots(deps, plain, nobody(plain), new Map(), []);
      assert.deepEqual(await readPoolSnapshot(deps), plain);
    }),
    { numRuns: 50 },
  );
});

Deno.test("writeSnapshots() writes thousands of miners and removes those that are gone", async () => {
  await using deps = await open();
  assert.equal(await readPoolSnapshot(deps), undefined);
  assert.equal(await readMinersSnapshot(deps), undefined);
  const [empty] = fc.sample(pool, { numRuns: 1, seed: 1 });
  const rate: WorkerRate = {
    ...{ worker: "rig1", lastShareSeconds: 5, hashrateHps: 2n ** 60n, largeHashrateHps: 7n },
    offline: false,
  };
  const logins = Array.from({ length: 1_234 }, (_, n) => `0x${n.toString(16).padStart(40, "0")}`);
  const workers = new Map(logins.map((login) => [login, [rate]]));
  await writeSnapshots(deps, empty!, nobody(empty!), workers, []);
  assert.equal((await snapshotLogins(deps)).length, 1_234);
  assert.deepEqual(await readWorkerRates(deps, logins[1_233]!), [rate]);
  await writeSnapshots(deps, empty!, nobody(empty!), new Map(), logins.slice(0, 1_000));
  assert.equal((await snapshotLogins(deps)).length, 234);
  assert.deepEqual(await readWorkerRates(deps, logins[0]!), []);
});

Deno.test("readPoolSnapshot() refuses what is no snapshot", async () => {
  await using deps = await open();
  await deps.store.command("SET", deps.keys.own.snapshot("pool"), "{");
  await assert.rejects(readPoolSnapshot(deps), StoreError);
});

/** The same moment's miners: none. */
const nobody = ({ collectedAtMs, hashrateHps }: PoolSnapshot) => ({
  ...{ collectedAtMs, hashrateHps, miners: [] },
});

/** Normalizes the generated values as JSON has them (no -0, no missing prototypes). */
function big(_key: string, value: unknown) {
  return typeof value === "bigint" ? { big: value.toString() } : value;
}

function unbig(_key: string, value: unknown) {
  const text = (value as { big?: string } | null)?.big;
  return typeof text === "string" ? BigInt(text) : value;
}
