/** Terms that change under running sessions: every header keeps what it was asked for. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Job } from "../work/mod.ts";
import { Assignments } from "./assignments.ts";
import { LiveTerms } from "./live_terms.ts";
import { JobIds, OfferSet } from "./offers.ts";

const job = (height: number): Job => ({
  headerHash: `0x${height.toString(16).padStart(64, "0")}`,
  ...{ seedHash: "0x", height, target: 1n, difficulty: 1n << 60n, receivedAtMs: 0, node: "n" },
});
const setOf = (height: number, ids: JobIds, repeated = false) =>
  new OfferSet(job(height), { epoch: 0, clean: true, repeated }, ids);

Deno.test("a changed difficulty holds from the next header on, for every session alike", () => {
  const terms = new LiveTerms({ difficulty: 100n, scheme: "prop" });
  const ids = new JobIds(1);
  const sessions = [new Assignments(terms, "prop", 0), new Assignments(terms, "prop", 0)];
  terms.note(job(1).headerHash);
  const [first] = sessions;
  assert.equal(first!.assign(setOf(1, ids), 0).offer.terms.difficulty, 100n);
  terms.change({ difficulty: 300n });
  // Who logs in after the change gets the header as the others have it, and the same again.
  for (const session of sessions) {
    assert.equal(session.assign(setOf(1, ids, true), 1).offer.terms.difficulty, 100n);
    assert.equal(session.termsOfOld(job(1)).difficulty, 100n);
  }
  terms.note(job(2).headerHash);
  for (const session of sessions) {
    assert.equal(session.assign(setOf(2, ids), 2).offer.terms.difficulty, 300n);
    assert.equal(session.byHeader(job(1).headerHash)?.offer.terms.difficulty, 100n);
  }
});

Deno.test("a variable difficulty comes, moves within new bounds and goes with the port's", () => {
  const terms = new LiveTerms({ difficulty: 100n, scheme: "prop" });
  const ids = new JobIds(1);
  const asked = new Assignments(terms, "prop", 0);
  asked.wish({ fixed: 7n, floor: 0n, late: false });
  const session = new Assignments(terms, "prop", 0);
  const next = (height: number) =>
    session.assign(setOf(height, ids), height).offer.terms.difficulty;
  const rule = { targetTimeMs: 1e9, variancePercent: 10, maxJump: 50 };
  assert.equal(next(1), 100n);
  terms.change({ difficulty: 100n, varDiff: { ...rule, minDiff: 400n, maxDiff: 800n } });
  assert.equal(next(2), 400n);
  terms.change({ difficulty: 100n, varDiff: { ...rule, minDiff: 500n, maxDiff: 800n } });
  assert.equal(next(3), 500n);
  terms.change({ difficulty: 90n });
  assert.equal(next(4), 90n);
  assert.equal(asked.assign(setOf(4, ids), 4).offer.terms.difficulty, 7n);
});

Deno.test("LiveTerms gives a header one difficulty, whatever changes around it", () => {
  const step = fc.oneof(
    fc.record({ note: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ change: fc.bigInt({ min: 1n, max: 1_000n }) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const terms = new LiveTerms({ difficulty: 5n, scheme: "prop" });
    const first = new Map<string, bigint>();
    for (const one of steps) {
      if ("change" in one) terms.change({ difficulty: one.change });
      else {
        const header = String(one.note);
        terms.note(header);
        if (!first.has(header)) first.set(header, terms.difficulty);
      }
      for (const [header, difficulty] of first) {
        assert.equal(terms.difficultyOf(header), difficulty);
      }
    }
  }));
});
