/** Running sums against the plain rule: the same numbers after any way of filling and forgetting. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BUCKET_SECONDS } from "../ledger/mod.ts";
import { measure, measureTallies, type Work } from "./hashrate.ts";
import { workBetween } from "./slots.ts";
import { Spans } from "./spans.ts";

const START = 1_700_000_400;
const WINDOWS = { smallSeconds: 1_800, largeSeconds: 10_800 };
const LOGIN = "0x" + "11".repeat(20);

/** What a log would hold of one worker, as plain work. */
class Plain {
  readonly #work = new Map<number, Work>();

  set(startSeconds: number, difficulty: bigint, lastShareSeconds: number): void {
    const endSeconds = startSeconds + BUCKET_SECONDS;
    const span = { startSeconds, endSeconds, lastShareSeconds };
    this.#work.set(startSeconds, { login: LOGIN, worker: "rig", difficulty, ...span });
  }

  all(): Work[] {
    return [...this.#work.values()];
  }
}

function ratesOf(spans: Spans, nowSeconds: number) {
  const from = [WINDOWS.smallSeconds, WINDOWS.largeSeconds].map((span) => nowSeconds - span);
  const tally = spans.tally(from[0]!, from[1]!, nowSeconds);
  const workers = tally.large.lastSeconds > -Infinity ? new Map([["rig", tally]]) : new Map();
  return measureTallies(new Map([[LOGIN, workers]]), WINDOWS, nowSeconds);
}

const step = fc.record({
  waitSeconds: fc.integer({ min: 1, max: 4_000 }),
  difficulty: fc.oneof(
    fc.bigInt({ min: 1n, max: 2n ** 40n }),
    fc.bigInt({ max: 2n ** 70n, min: 1n }),
  ),
  /** The open bucket, or the one before that comes late. */
  back: fc.integer({ min: 0, max: 1 }),
});

Deno.test("Spans give the numbers of measure() and workBetween(), whatever was added and forgotten", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const [spans, plain] = [new Spans(), new Plain()];
      let now = START;
      for (const { waitSeconds, difficulty, back } of steps) {
        now += waitSeconds;
        const start = now - now % BUCKET_SECONDS - back * BUCKET_SECONDS;
        const last = Math.min(start + BUCKET_SECONDS - 1, now);
        for (const one of [spans, plain]) one.set(start, difficulty, last);
        spans.forget(now - WINDOWS.largeSeconds - 300);
        assert.deepEqual(ratesOf(spans, now), measure(plain.all(), WINDOWS, now));
        const [from, to] = [now - 3_600, now - 300];
        const exact = workBetween(plain.all(), from, to).get(`${LOGIN}:rig`) ?? 0;
        assert(Math.abs(spans.between(from, to) - exact) <= exact * 1e-9);
      }
      // Started anew from what is still there, it says the same.
      const again = new Spans();
      for (const { startSeconds, difficulty, lastShareSeconds, endSeconds } of plain.all()) {
        if (endSeconds > now - WINDOWS.largeSeconds) {
          again.set(startSeconds, difficulty, lastShareSeconds);
        }
      }
      assert.deepEqual(ratesOf(again, now), ratesOf(spans, now));
    }),
    { numRuns: 300 },
  );
});

Deno.test("Spans hold nothing once all has left", () => {
  const spans = new Spans();
  for (let i = 0; i < 100; i++) spans.set(START + i * BUCKET_SECONDS, 5n, START);
  assert.equal(spans.empty, false);
  spans.forget(START + 100 * BUCKET_SECONDS);
  assert.equal(spans.empty, true);
  assert.equal(spans.tally(0, 0, START).large.difficulty, 0n);
});
