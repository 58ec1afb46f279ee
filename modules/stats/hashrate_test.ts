/** Hashrate by table against the old pool's rules, and by property for time buckets. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { measure, type Work } from "./hashrate.ts";

const NOW = 1_700_000_400;
const WINDOWS = { smallSeconds: 1_800, largeSeconds: 10_800 };
const LOGIN = "0x" + "11".repeat(20);

/** One share of the old pool. */
function share(agoSeconds: number, difficulty = 4_000_000_000n, change: Partial<Work> = {}): Work {
  const startSeconds = NOW - agoSeconds;
  return {
    ...{ login: LOGIN, worker: "rig1", difficulty, startSeconds, endSeconds: startSeconds + 1 },
    lastShareSeconds: startSeconds,
    ...change,
  };
}

/** A bucket of 120 s that began `agoSeconds` ago. */
function bucket(agoSeconds: number, difficulty: bigint, change: Partial<Work> = {}): Work {
  const startSeconds = NOW - agoSeconds;
  return {
    ...{ login: LOGIN, worker: "rig1", difficulty, startSeconds, endSeconds: startSeconds + 120 },
    lastShareSeconds: Math.min(startSeconds + 119, NOW),
    ...change,
  };
}

Deno.test("measure() follows the old pool's rules for single shares", async (t) => {
  const D = 4_000_000_000n;
  const table: [name: string, work: Work[], small: bigint, large: bigint, offline: boolean][] = [
    ["the first share counts at once, over 600 s", [share(0)], D / 600n, D / 600n, false],
    ["below 600 s the floor holds", [share(0), share(599)], 2n * D / 600n, 2n * D / 600n, false],
    [
      "above 600 s the time since the first share",
      [share(0), share(900)],
      8_888_888n,
      8_888_888n,
      false,
    ],
    [
      "a share exactly as old as the window counts",
      [share(0), share(1_800)],
      2n * D / 1_800n,
      2n * D / 1_800n,
      false,
    ],
    [
      "one second more and it is in the large window only",
      [share(0), share(1_801)],
      D / 1_800n,
      2n * D / 1_801n,
      false,
    ],
    ["beyond the large window it is gone", [share(0), share(10_801)], D / 600n, D / 600n, false],
    ["half the small window of silence is still online", [share(900)], D / 900n, D / 900n, false],
    ["one second more is offline", [share(901)], D / 901n, D / 901n, true],
  ];
  for (const [name, work, small, large, offline] of table) {
    await t.step(name, () => {
      const rates = measure(work, WINDOWS, NOW).workers.get(LOGIN)!;
      assert.equal(rates.length, 1);
      assert.deepEqual(
        [rates[0]!.hashrateHps, rates[0]!.largeHashrateHps, rates[0]!.offline],
        [small, large, offline],
      );
    });
  }
});

Deno.test("measure() lists miners of the small window and workers of the large one", () => {
  const other = "0x" + "22".repeat(20);
  const measured = measure(
    [share(10), share(20, 6_000_000n, { worker: "rig2" }), share(5_000, 1n, { login: other })],
    WINDOWS,
    NOW,
  );
  assert.deepEqual(measured.miners.map((miner) => miner.login), [LOGIN]);
  assert.equal(measured.hashrateHps, 4_006_000_000n / 600n);
  assert.deepEqual(measured.workers.get(LOGIN)!.map(({ worker }) => worker), ["rig1", "rig2"]);
  assert.equal(measured.workers.get(other)![0]!.hashrateHps, 0n);
});

Deno.test("measure() keeps integers beyond 2^53 exact", () => {
  const difficulty = 600n * (2n ** 60n + 1n);
  assert.equal(measure([share(0, difficulty)], WINDOWS, NOW).hashrateHps, 2n ** 60n + 1n);
});

Deno.test("measure() counts the part of the oldest bucket that the window covers", () => {
  // 60 of the bucket's 120 seconds lie in the small window of 1,800 s.
  const { miners, workers } = measure(
    [bucket(1_860, 1_200n * 1_800n), bucket(0, 0n)],
    WINDOWS,
    NOW,
  );
  assert.equal(miners[0]!.hashrateHps, 600n);
  assert.equal(workers.get(LOGIN)![0]!.largeHashrateHps, 1_200n * 1_800n / 1_860n);
});

Deno.test("measure() forgets a miner whose last share left the window with its bucket", () => {
  const old = bucket(1_860, 1_000_000n, { lastShareSeconds: NOW - 1_850 });
  const { miners, workers } = measure([old], WINDOWS, NOW);
  assert.deepEqual(miners, []);
  assert.equal(workers.get(LOGIN)!.length, 1);
});

Deno.test("measure() finds the rate of a steady miner from buckets as from single shares", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 700, max: 20_000 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 0, max: 119 }),
      (minedSeconds, everySeconds, phase) => {
        const now = NOW + phase;
        const difficulty = 1_000_000_000n;
        const shares: Work[] = [];
        const buckets = new Map<number, Work>();
        for (let at = now - minedSeconds; at <= now; at += everySeconds) {
          shares.push(share(NOW - at, difficulty));
          const startSeconds = at - at % 120;
          const known = buckets.get(startSeconds);
          buckets.set(startSeconds, {
            ...share(NOW - startSeconds, difficulty + (known?.difficulty ?? 0n)),
            ...{ startSeconds, endSeconds: startSeconds + 120, lastShareSeconds: at },
          });
        }
        const exact = Number(measure(shares, WINDOWS, now).hashrateHps);
        const bucketed = Number(measure(buckets.values(), WINDOWS, now).hashrateHps);
        // The first bucket begins up to 119 s before the first share; that wears off by the window.
        const allowed = minedSeconds >= 1_920 ? 0.02 : 0.02 + 119 / Math.min(minedSeconds, 1_800);
        assert(
          Math.abs(bucketed - exact) <= exact * allowed,
          `${bucketed} from buckets, ${exact} from shares`,
        );
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("measure() never counts more work than there was, and sums the miners", () => {
  const work = fc.record({
    login: fc.constantFrom(LOGIN, "0x" + "22".repeat(20)),
    worker: fc.constantFrom("rig1", "rig2"),
    ago: fc.integer({ min: -5, max: 12_000 }),
    difficulty: fc.bigInt({ min: 0n, max: 2n ** 70n }),
    single: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(work, { maxLength: 30 }), (rows) => {
    const items = rows.map(({ single, ago, difficulty, login, worker }) =>
      (single ? share : bucket)(ago, difficulty, { login, worker })
    );
    const measured = measure(items, WINDOWS, NOW);
    const total = items.reduce((sum, item) => sum + item.difficulty, 0n);
    assert(measured.hashrateHps * 600n <= total);
    const sum = measured.miners.reduce((all, miner) => all + miner.hashrateHps, 0n);
    assert.equal(measured.hashrateHps, sum);
    for (const rates of measured.workers.values()) {
      for (const rate of rates) assert(rate.largeHashrateHps * 600n <= total);
    }
  }));
});
