/** Which work is mined, and which pushes are believed: tables and laws. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Choice, choose, doubtOf, PUSH_AHEAD_MAX } from "./choice.ts";
import type { WorkPackage } from "./job.ts";
import { JOB_HEIGHTS } from "./job_book.ts";

const at = (node: string, height: number, headerHash = `${node}${height}`) => ({
  ...{ node, height, headerHash },
});

Deno.test("choose() takes the highest work, at one height the preferred node's", () => {
  const table: [
    string,
    ReturnType<typeof at>,
    ReturnType<typeof at> | undefined,
    number,
    Choice,
  ][] = [
    ["the first work", at("a", 10), undefined, 0, "take"],
    ["the same again", at("a", 10), at("a", 10), 10, "same"],
    ["the same from another node", at("b", 10, "x"), at("a", 10, "x"), 10, "same"],
    ["other work for the same height", at("a", 10, "y"), at("a", 10, "x"), 10, "take"],
    ["a new height", at("a", 11), at("a", 10), 10, "take"],
    ["a new height of a less preferred node", at("b", 11), at("a", 10), 10, "take"],
    ["a less preferred node's at the same height", at("b", 10), at("a", 10), 10, "keep"],
    ["the preferred node caught up", at("a", 10), at("b", 10), 10, "take"],
    ["the preferred node is not there yet", at("a", 9), at("b", 10), 10, "keep"],
    ["the node left its own branch", at("a", 9), at("a", 10), 10, "take"],
    ["what is mined is a sick node's", at("b", 9), at("sick", 10), 10, "take"],
    ["too old for shares", at("a", 3), at("a", 10), 10, "behind"],
    ["just not too old", at("a", 4), at("a", 10), 10, "take"],
    ["too old, and nothing is mined", at("a", 3), undefined, 10, "behind"],
  ];
  for (const [name, next, current, highest, expected] of table) {
    assert.equal(choose(next, current, ["a", "b", "c"], highest), expected, name);
  }
});

const nodeArb = fc.constantFrom("a", "b", "c");
const workArb = fc.record({ node: nodeArb, height: fc.nat({ max: 30 }) });

Deno.test("choose(): nodes that stand still settle, on the highest work that may be mined", () => {
  fc.assert(fc.property(
    fc.array(workArb, { minLength: 1, maxLength: 9 }),
    fc.nat({ max: 30 }),
    (asked, seen) => {
      // Each node gives one piece of work and sticks to it; they are asked in any order.
      const own = new Map<string, ReturnType<typeof at>>(
        asked.map(({ node, height }) => [node, at(node, height)]),
      );
      const ranks = ["a", "b", "c"].filter((node) => own.has(node));
      let highest = seen;
      let job: ReturnType<typeof at> | undefined;
      let taken = 0;
      for (let round = 0; round < 3; round++) {
        for (const { node } of asked) {
          const work = own.get(node)!;
          if (choose(work, job, ranks, highest) !== "take") continue;
          taken++;
          job = work;
          highest = Math.max(highest, work.height);
        }
      }
      const best = Math.max(...[...own.values()].map(({ height }) => height));
      const mayBe = best + JOB_HEIGHTS > seen;
      assert.equal(job?.height, mayBe ? best : undefined);
      assert.ok(taken <= ranks.length, `work changed ${taken} times`);
      if (mayBe) assert.equal(job?.node, ranks.find((node) => own.get(node)!.height === best));
    },
  ));
});

const work = (parts: Partial<WorkPackage> = {}): WorkPackage => ({
  ...{ headerHash: "0x1", seedHash: "0xaa", target: 1n << 200n, height: 100 },
  ...parts,
});

Deno.test("doubtOf() believes pushes only near what the node itself said", () => {
  const said = work();
  const table: [string, Partial<WorkPackage>, RegExp | undefined][] = [
    ["the next block", { height: 101 }, undefined],
    ["new work for the same block", { headerHash: "0x2" }, undefined],
    ["a seed in other letters", { seedHash: "0xAA" }, undefined],
    ["twice as difficult", { target: 1n << 199n }, undefined],
    ["an older block", { height: 99 }, /old/],
    ["as far as may be", { height: 100 + PUSH_AHEAD_MAX }, undefined],
    ["further", { height: 101 + PUSH_AHEAD_MAX }, /far above/],
    ["much further", { height: 2 ** 50 }, /far above/],
    ["another seed", { seedHash: "0xbb" }, /seed/],
    ["far too easy", { target: 1n << 255n }, /difficulty/],
    ["without any difficulty", { target: 1n << 300n }, /difficulty/],
    ["far too difficult", { target: 1n }, /difficulty/],
  ];
  for (const [name, parts, expected] of table) {
    const doubt = doubtOf(work(parts), said, { height: 100 });
    if (expected === undefined) assert.equal(doubt, undefined, name);
    else assert.match(doubt ?? "", expected, name);
  }
  assert.match(doubtOf(work(), undefined, undefined)!, /no work yet/);
  assert.match(doubtOf(work(), said, { height: 101 })!, /old/);
});

Deno.test("doubtOf(): no push can raise the height by more than the bound, or lower it", () => {
  const heights = fc.nat({ max: 1_000 });
  fc.assert(fc.property(heights, heights, heights, (pushed, said, mined) => {
    const doubt = doubtOf(work({ height: pushed }), work({ height: said }), { height: mined });
    if (doubt !== undefined) return;
    assert.ok(pushed >= said && pushed >= mined && pushed <= said + PUSH_AHEAD_MAX);
  }));
});
