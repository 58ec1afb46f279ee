/** Luck by table and by property. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type LuckBlock, luckOf } from "./luck.ts";

function block(shares: bigint, change: Partial<LuckBlock> = {}): LuckBlock {
  return { difficulty: 100n, totalShares: shares, uncleHeight: 0, orphan: false, ...change };
}

Deno.test("luckOf() gives the mean effort and the fractions of uncles and orphans", () => {
  const blocks = [
    block(50n),
    block(150n, { uncleHeight: 7 }),
    block(100n, { orphan: true }),
    block(300n, { uncleHeight: 9, orphan: true }),
  ];
  assert.deepEqual(luckOf(blocks, [2, 4]), [
    { blocks: 2, luck: 1, uncleRate: 0.5, orphanRate: 0 },
    { blocks: 4, luck: 1.5, uncleRate: 0.5, orphanRate: 0.5 },
  ]);
});

Deno.test("luckOf() stops after the first window that has too few blocks", () => {
  const rows = luckOf([block(1n), block(2n), block(3n)], [2, 4, 8]);
  assert.deepEqual(rows.map((row) => row.blocks), [2, 3]);
});

Deno.test("luckOf() counts no block as a row of zeros", () => {
  assert.deepEqual(luckOf([], [64, 128]), [{ blocks: 0, luck: 0, uncleRate: 0, orphanRate: 0 }]);
});

Deno.test("luckOf() adds nothing for a block without difficulty", () => {
  const rows = luckOf([block(5n, { difficulty: 0n }), block(100n)], [2]);
  assert.equal(rows[0]!.luck, 0.5);
});

Deno.test("luckOf() keeps rates between 0 and 1 and every number finite", () => {
  const any = fc.record({
    difficulty: fc.bigInt({ min: 0n, max: 2n ** 64n }),
    totalShares: fc.bigInt({ min: 0n, max: 2n ** 70n }),
    uncleHeight: fc.nat(3),
    orphan: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(any), (blocks) => {
    for (const row of luckOf(blocks, [1, 4, 16])) {
      assert(row.blocks <= blocks.length && Number.isFinite(row.luck) && row.luck >= 0);
      assert(row.uncleRate >= 0 && row.uncleRate <= 1 && row.orphanRate >= 0);
      assert(row.orphanRate <= 1);
    }
  }));
});
