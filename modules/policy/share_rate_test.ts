/** The share rate at its bounds. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ShareRate } from "./share_rate.ts";

Deno.test("ShareRate never lets more through than burst and rate, in any span of time", () => {
  const steps = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 150 });
  const perSecond = fc.integer({ min: 1, max: 40 }).map((n) => n / 4);
  fc.assert(fc.property(steps, perSecond, fc.integer({ min: 1, max: 20 }), (gaps, rate, burst) => {
    const bucket = new ShareRate(rate, 0, burst);
    const taken: number[] = [];
    let nowMs = 0;
    for (const gap of gaps) {
      nowMs += gap;
      if (bucket.take(nowMs)) taken.push(nowMs);
    }
    for (const [i, from] of taken.entries()) {
      for (const [j, to] of taken.entries()) {
        if (j < i) continue;
        assert.ok(j - i + 1 <= burst + rate * (to - from) / 1000 + 1e-6);
      }
    }
  }));
});

Deno.test("ShareRate lets through whoever keeps to the rate", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1_000 }), (perSecond) => {
    const bucket = new ShareRate(perSecond, 0);
    const gapMs = Math.ceil(1000 / perSecond);
    for (let n = 1; n <= 300; n++) assert.ok(bucket.take(n * gapMs));
  }));
});

Deno.test("ShareRate holds with a clock that is set back or stands still", () => {
  const bucket = new ShareRate(1, 1_000_000, 2);
  assert.deepEqual([1, 2, 3].map(() => bucket.take(1_000_000)), [true, true, false]);
  assert.equal(bucket.take(0), false);
  assert.equal(bucket.take(999), false);
  assert.equal(bucket.take(1_000), true, "it goes on from the new time");
});

Deno.test("ShareRate without a rate lets everything through", () => {
  const bucket = new ShareRate(0, 0);
  for (let n = 0; n < 10_000; n++) assert.ok(bucket.take(0));
});
