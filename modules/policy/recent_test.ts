/** What a bounded map keeps, against a plain list of uses. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { RecentMap } from "./recent.ts";

Deno.test("RecentMap keeps the more recently used half of its maximum, and never more than that", () => {
  const max = 8;
  const use = fc.record({ key: fc.integer({ min: 0, max: 15 }).map(String), put: fc.boolean() });
  fc.assert(fc.property(fc.array(use, { maxLength: 200 }), (uses) => {
    const map = new RecentMap<string>(max);
    let recent: string[] = [];
    for (const { key, put } of uses) {
      if (put) map.set(key, key);
      const found = put || map.get(key) !== undefined;
      if (found) recent = [key, ...recent.filter((other) => other !== key)];
      assert.ok(map.size <= max);
    }
    for (const key of recent.slice(0, max / 2).toReversed()) assert.equal(map.get(key), key);
  }));
});

Deno.test("RecentMap removes one entry, or all that a test names, in both generations", () => {
  const map = new RecentMap<number>(4);
  for (const n of [1, 2, 3]) map.set(String(n), n);
  map.delete("1");
  assert.equal(map.get("1"), undefined);
  map.deleteWhere((value) => value === 2 || value === 3);
  assert.equal(map.size, 0);
});
