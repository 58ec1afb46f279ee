/** JSON as Go writes it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { goJson, goJsonLine, RawJson } from "./go_json.ts";

Deno.test("goJson() writes integers beyond 2^53 exactly", () => {
  assert.equal(goJson([2n ** 63n - 1n, -(2n ** 63n), 0n]), `[${2n ** 63n - 1n},${-(2n ** 63n)},0]`);
});

Deno.test("goJson() sorts maps and keeps structs in their order", () => {
  const map = new Map([["64", 1], ["128", 2], ["b", 3], ["B", 4]]);
  assert.equal(goJson(map), '{"128":2,"64":1,"B":4,"b":3}');
  assert.equal(goJson({ height: 1, difficulty: 2 }), '{"height":1,"difficulty":2}');
});

Deno.test("goJson() escapes what Go's HTML-safe encoder escapes", () => {
  assert.equal(
    goJson('<b>&"\\\u2028\u2029\b\f\n\t\u0001'),
    '"\\u003cb\\u003e\\u0026\\"\\\\\\u2028\\u2029\\u0008\\u000c\\n\\t\\u0001"',
  );
  // A backslash before a letter is no escape of that letter.
  assert.equal(goJson("\\b"), '"\\\\b"');
});

Deno.test("goJson() refuses what JSON cannot say", () => {
  for (const value of [NaN, Infinity, -Infinity]) assert.throws(() => goJson(value), TypeError);
});

Deno.test("goJsonLine() ends with one newline and takes raw text as it is", () => {
  assert.equal(goJsonLine({ a: new RawJson('{"b":1}'), c: null }), '{"a":{"b":1},"c":null}\n');
});

Deno.test("goJson() reads back as what was written", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.double({ noNaN: true }), (text, number) => {
      fc.pre(Number.isFinite(number));
      assert.equal(JSON.parse(goJson(text)), text.toWellFormed());
      assert.equal(JSON.parse(goJson(number)), number + 0);
    }),
  );
});
