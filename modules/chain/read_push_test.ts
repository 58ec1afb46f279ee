/** What nodes post: geth's work, Parity's, a whole header, and anything else. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readPush } from "./read_push.ts";

const HASH = "0x" + "AB".repeat(32), SEED = "0x" + "00".repeat(32);
const WORK = { headerHash: HASH.toLowerCase(), seedHash: SEED, target: 0xfffn };

Deno.test("readPush() reads work with and without height, and headers", () => {
  const elements = [HASH, SEED, "0x0fff", "0x10"];
  assert.deepEqual(readPush(elements), { kind: "work", work: { ...WORK, height: 16 } });
  assert.deepEqual(readPush({ result: elements }), { kind: "work", work: { ...WORK, height: 16 } });
  assert.deepEqual(readPush(elements.slice(0, 3)), { kind: "work", work: WORK });
  const header = { parentHash: HASH, number: "0x10", nonce: "0x0000000000000000", hash: SEED };
  assert.deepEqual(readPush(header), { kind: "header", height: 16 });
});

Deno.test("readPush() refuses everything else", () => {
  const broken: unknown[] = [
    ...[null, 1, "x", true, [], {}, [HASH], [HASH, SEED], { result: null }, { result: {} }],
    [HASH, SEED, "0x0", "0x10"],
    [HASH, SEED, "0x" + "f".repeat(65), "0x10"],
    [HASH, SEED, "0xff", "0x10", "0x10"],
    [HASH, SEED, "0xff", "16"],
    [HASH, SEED, "0xff", 16],
    [HASH, SEED, "0xff", "0x20000000000000"],
    [HASH.slice(0, 64), SEED, "0xff", "0x10"],
    [1, 2, 3],
    { number: "0x10" },
    { number: 16, parentHash: HASH },
    { number: "0x10", parentHash: "0x10" },
  ];
  for (const body of broken) assert.throws(() => readPush(body), TypeError, JSON.stringify(body));
});

Deno.test("readPush() fails with a TypeError or not at all", () => {
  fc.assert(fc.property(fc.jsonValue(), (body) => {
    try {
      readPush(body);
    } catch (error) {
      assert.ok(error instanceof TypeError);
    }
  }));
});
