/** Extranonces: never two sessions with one while a job of it lives. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Extranonces } from "./extranonce.ts";

Deno.test("Extranonces shares the numbers out between Deno workers and instances", () => {
  const seen = new Set<string>();
  for (const prefix of ["00", "07"]) {
    for (let part = 0; part < 3; part++) {
      const own = new Extranonces({ prefix, part, parts: 3 });
      assert.equal(own.digits, 6);
      for (let one = own.take(0); one !== undefined; one = own.take(0)) {
        assert.match(one, /^0[07][0-9a-f]{4}$/);
        assert.equal(seen.has(one), false);
        seen.add(one);
      }
    }
  }
  assert.equal(seen.size, 2 * (65_536 - 3));
});

Deno.test("Extranonces gives none twice while a job that it was used for may get shares", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant("take" as const) },
    { weight: 3, arbitrary: fc.constant("give" as const) },
    { weight: 1, arbitrary: fc.constant("block" as const) },
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 400 }), fc.nat(1_000), (steps, seed) => {
    // A range of sixteen numbers is soon used up.
    const own = new Extranonces({ prefix: "", part: 7, parts: 4_096 });
    const held: string[] = [];
    const resting = new Map<string, number>();
    let height = 0;
    for (const [i, what] of steps.entries()) {
      if (what === "block") height++;
      else if (what === "give" && held.length > 0) {
        const [one] = held.splice((seed + i) % held.length, 1);
        own.give(one!, height + 7);
        resting.set(one!, height + 7);
      } else if (what === "take") {
        const one = own.take(height);
        if (one === undefined) {
          const rested = [...resting.values()].filter((from) => from <= height).length;
          assert.equal(rested, 0, "one could have been given");
          assert.equal(held.length + resting.size, 15);
          continue;
        }
        assert.equal(held.includes(one), false);
        assert.ok((resting.get(one) ?? 0) <= height, "it rests until its jobs have gone");
        resting.delete(one);
        held.push(one);
      }
    }
  }));
});

Deno.test("Extranonces keeps one for a session that comes back, and not for ever", () => {
  const own = new Extranonces({ prefix: "", part: 0, parts: 32_768 });
  const one = own.take(0)!;
  const kept = { extranonce: one, scheme: "solo" as const };
  own.keep("session", kept, 1_000);
  assert.deepEqual(own.expired(999), []);
  assert.deepEqual(own.reclaim("session"), { ...kept, untilMs: 1_000 });
  assert.equal(own.reclaim("session"), undefined);
  own.keep("session", kept, 1_000);
  assert.deepEqual(own.expired(1_000), [one]);
  assert.equal(own.reclaim("session"), undefined);
  own.give(one, 7);
  assert.equal(own.take(6), undefined);
  assert.equal(own.take(7), one);
});

Deno.test("Extranonces withholds what an earlier run left, until it is given back", () => {
  const own = new Extranonces({ prefix: "0a", part: 1, parts: 16_384 });
  assert.deepEqual(own.withhold(["0a0005", "0a0004", "0b0006", "0006"]), ["0a0005"]);
  assert.equal(own.take(0), "0a0006");
  assert.equal(own.take(0), "0a0007");
  assert.equal(own.take(0), undefined);
  own.give("0a0005", 0);
  assert.equal(own.take(0), "0a0005");
});
