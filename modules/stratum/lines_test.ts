/** The line reader under whole, broken and hostile input. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { LineReader, LineTooLongError } from "./lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("LineReader gives the same lines however the bytes are cut", () => {
  const line = fc.string({ maxLength: 40 }).map((text) => text.replace(/[\r\n]/g, "").trim());
  fc.assert(fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 9 })), (lines, cuts) => {
    const all = bytes(lines.map((text) => text + "\r\n").join(""));
    const reader = new LineReader(1_000);
    const got: string[] = [];
    for (let at = 0, i = 0; at < all.length; i++) {
      const size = cuts.length === 0 ? all.length : cuts[i % cuts.length]!;
      got.push(...reader.push(all.slice(at, at + size)));
      at += size;
    }
    assert.deepEqual(got, lines.filter((text) => text !== ""));
  }));
});

Deno.test("LineReader refuses a long line, finished or not, and keeps no more than the maximum", () => {
  assert.throws(() => new LineReader(8).push(bytes("123456789\n")), LineTooLongError);
  const reader = new LineReader(8);
  assert.deepEqual(reader.push(bytes("12345678")), []);
  assert.throws(() => reader.push(bytes("9")), LineTooLongError);
});

Deno.test("LineReader never throws anything else on random bytes", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
    const reader = new LineReader(50);
    try {
      for (const chunk of chunks) {
        for (const text of reader.push(chunk)) assert.ok(bytes(text).length <= 150);
      }
    } catch (error) {
      assert.ok(error instanceof LineTooLongError);
    }
  }));
});
