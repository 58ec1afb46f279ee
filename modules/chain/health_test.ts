/** The rule over one round of checks: who is left, why, and who is back. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FIRST_STANDING,
  type Found,
  heightToCompare,
  judgeRound,
  LAG_MS,
  type Standing,
} from "./health.ts";

const NOW = 1_700_000_000_000;
const well = (height: number, hash?: string): Found => ({
  well: true,
  height,
  ...(hash === undefined ? {} : { hash }),
});
const bad = (reason = "down"): Found => ({ well: false, reason });
const fresh = (count: number): Standing[] => Array.from({ length: count }, () => FIRST_STANDING);
const healthy = (standings: Standing[]) => standings.map((one) => one.healthy);

/** Rounds five seconds apart, the last one's standings. */
function rounds(list: Found[][], compared = 97): Standing[] {
  return list.reduce(
    (before, found, i) => judgeRound(found, before, NOW + i * 5_000, compared),
    fresh(list[0]!.length),
  );
}

Deno.test("judgeRound() leaves failing, lagging and forked nodes", () => {
  const lagging = [well(100), well(98)];
  const table: [string, Found[][], boolean[]][] = [
    ["all well", [[well(100), well(100)]], [true, true]],
    ["one fails", [[bad(), well(100)]], [false, true]],
    ["one block behind is nothing", Array(9).fill([well(99), well(100)]), [true, true]],
    ["behind for a moment", [lagging, lagging], [true, true]],
    ["behind for ten seconds", [lagging, lagging, lagging], [true, false]],
    ["behind with a break", [lagging, lagging, [well(100), well(99)], lagging], [true, true]],
    ["a fork of one against two", [[well(100, "a"), well(100, "b"), well(100, "b")]], [
      false,
      true,
      true,
    ]],
    ["one against one: the preferred", [[well(100, "a"), well(100, "b")]], [true, false]],
    [
      "one against one, and the preferred lags",
      Array(3).fill([well(100, "a"), well(102, "b")]),
      // The other was sick and needs its two good checks, unless nobody else is there.
      [false, true],
    ],
    ["two against two: the preferred's side", [[
      well(100, "a"),
      well(100, "b"),
      well(100, "b"),
      well(100, "a"),
    ]], [true, false, false, true]],
    ["all on branches of their own: the preferred", [[
      well(100, "a"),
      well(100, "b"),
      well(100, "c"),
    ]], [true, false, false]],
    [
      "a forked node far ahead makes nobody lag",
      Array(9).fill([
        well(100, "a"),
        well(100, "a"),
        well(9_000, "b"),
      ]),
      [true, true, false],
    ],
    [
      "nor does one that has not the block compared",
      Array(9).fill([
        well(100, "a"),
        well(100, "a"),
        well(9_000),
      ]),
      [true, true, false],
    ],
    ["a node too low to compare only lags", [[well(100, "a"), well(50)]], [true, true]],
  ];
  for (const [name, list, expected] of table) {
    assert.deepEqual(healthy(rounds(list)), expected, name);
  }
});

Deno.test("judgeRound() has a node back after two good checks, or one when there is no other", () => {
  const down = [bad(), well(100)];
  const up = [well(100), well(100)];
  assert.deepEqual(healthy(rounds([down, up])), [false, true]);
  assert.deepEqual(healthy(rounds([down, up, up])), [true, true]);
  assert.deepEqual(healthy(rounds([down, up, down, up])), [false, true]);
  assert.deepEqual(healthy(rounds([[bad(), bad()], [well(100), bad()]])), [true, false]);
  assert.deepEqual(healthy(rounds([[bad()], [well(100)]])), [true]);
  // It came back but still has to catch up.
  assert.deepEqual(healthy(rounds([down, ...Array(9).fill([well(90), well(100)])])), [false, true]);
});

Deno.test("judgeRound() says why, and keeps the reason until the node is back", () => {
  const [sick] = rounds([[bad("connection refused"), well(100)], [well(100), well(100)]]);
  assert.equal(sick!.reason, "connection refused");
  const lagging = [well(90), well(100)];
  assert.match(rounds([lagging, lagging, lagging])[0]!.reason, /10 blocks behind for 10000 ms/);
  assert.match(rounds([[well(100, "a"), well(100, "b")]])[1]!.reason, /fork: its block 97/);
  assert.match(rounds([[well(100, "a"), well(100, "a"), well(100)]])[2]!.reason, /has no 97/);
  assert.equal(rounds([[well(1)]])[0]!.reason, "");
});

Deno.test("heightToCompare() is below the heads of most, whatever one of them claims", () => {
  const at = (...heights: number[]) => heightToCompare(heights.map((height) => well(height)));
  assert.equal(at(100), undefined);
  assert.equal(heightToCompare([well(100), bad()]), undefined);
  assert.equal(at(100, 101), 97);
  assert.equal(at(100, 1e6), 97);
  assert.equal(at(50, 100, 101), 97);
  assert.equal(at(100, 100, 1e6), 97);
  assert.equal(at(2, 2), undefined);
});

const foundArb: fc.Arbitrary<Found> = fc.oneof(
  fc.constant(bad()),
  fc.record({
    well: fc.constant(true as const),
    height: fc.integer({ min: 97, max: 110 }),
    hash: fc.constantFrom("a", "b", "c"),
  }),
);
const historyArb = fc.integer({ min: 1, max: 5 }).chain((count) =>
  fc.array(fc.array(foundArb, { minLength: count, maxLength: count }), {
    ...{ minLength: 1, maxLength: 12 },
  })
);

Deno.test("judgeRound(): laws over any history", () => {
  fc.assert(fc.property(historyArb, (history) => {
    let before = fresh(history[0]!.length);
    for (const [i, found] of history.entries()) {
      const next = judgeRound(found, before, NOW + i * 5_000, 97);
      // Who answers nothing is never healthy; somebody is whenever anybody answers.
      for (const [n, one] of found.entries()) if (!one.well) assert.equal(next[n]!.healthy, false);
      assert.equal(next.some((one) => one.healthy), found.some((one) => one.well));
      // Healthy nodes are all on one branch, and a healthy one has no reason.
      const hashes = found.flatMap((one, n) => next[n]!.healthy && one.well ? [one.hash] : []);
      assert.ok(new Set(hashes).size <= 1, JSON.stringify(found));
      for (const one of next) assert.equal(one.healthy, one.reason === "");
      before = next;
    }
  }));
});

Deno.test("judgeRound(): a node that keeps up on the branch of most is left by nothing", () => {
  const others = fc.array(foundArb, { minLength: 0, maxLength: 2 });
  fc.assert(fc.property(fc.array(others, { minLength: 1, maxLength: 12 }), (history) => {
    let before = fresh(5);
    for (const [i, some] of history.entries()) {
      const height = 104 + i;
      const three = [well(height, "main"), well(height, "main"), well(height, "main")];
      const padded = [...some, bad(), bad()].slice(0, 2);
      before = judgeRound([...three, ...padded], before, NOW + i * LAG_MS, 97);
      assert.deepEqual(healthy(before).slice(0, 3), [true, true, true]);
    }
  }));
});
