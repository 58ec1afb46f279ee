/** The ground floor: exact units, strict hex, targets and the fake clock. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  backoffMs,
  bytesToBigInt,
  bytesToHex,
  createLogger,
  difficultyOf,
  FakeClock,
  formatCoins,
  formatDecimal,
  hexToBytes,
  type LogRecord,
  parseDecimal,
  parseQuantity,
  retry,
  targetOf,
  toHash,
  TWO_256,
} from "./mod.ts";

Deno.test("parseDecimal() and formatDecimal() are inverse and exact", () => {
  fc.assert(fc.property(fc.bigInt(-(10n ** 40n), 10n ** 40n), (value) => {
    assert.equal(parseDecimal(formatDecimal(value, 18), 18), value);
  }));
  assert.equal(formatCoins(1_500_000_000_000_000_000n), "1.5");
  assert.equal(formatCoins(1n), "0.000000000000000001");
});

Deno.test("parseDecimal() refuses surplus digits and everything that is no decimal", () => {
  for (const text of ["1.0000000005", "1e3", "", ".5", "1.", "0x1", " 1", "1,5", "--1"]) {
    assert.throws(() => parseDecimal(text, 9), RangeError, text);
  }
});

Deno.test("hexToBytes() and bytesToHex() are inverse, and refuse what is no hex", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    assert.deepEqual(hexToBytes(bytesToHex(bytes)), new Uint8Array(bytes));
  }));
  for (const text of ["", "0x1", "0xzz", "00"]) assert.throws(() => hexToBytes(text), TypeError);
  assert.equal(bytesToBigInt(hexToBytes(toHash(12_345n))), 12_345n);
});

Deno.test("parseQuantity() never takes a missing or strange value for a zero", () => {
  assert.equal(parseQuantity("0x0", "height"), 0n);
  for (const value of [null, undefined, "", "0x", "12", 12, "0x" + "f".repeat(65)]) {
    assert.throws(() => parseQuantity(value, "height"), /Cannot read height/);
  }
});

Deno.test("targetOf() is floor(2^256 / difficulty), falls with it, and caps at 2^256 - 1", () => {
  assert.equal(targetOf(1n), TWO_256 - 1n);
  assert.equal(targetOf(2n), TWO_256 / 2n);
  const difficulty = fc.bigInt(1n, 1n << 128n);
  fc.assert(fc.property(difficulty, difficulty, (one, other) => {
    if (one < other) assert.ok(targetOf(one) >= targetOf(other));
    assert.ok(one === 1n || difficultyOf(targetOf(one)) >= one);
  }));
  assert.throws(() => targetOf(0n), RangeError);
});

Deno.test("FakeClock wakes sleepers in order and rejects aborted ones", async () => {
  const clock = new FakeClock(0);
  const order: number[] = [];
  const end = new AbortController();
  for (const ms of [30, 10, 20]) clock.sleep(ms).then(() => order.push(ms));
  const aborted = clock.sleep(5, end.signal);
  end.abort(new Error("stop"));
  await assert.rejects(aborted, /stop/);
  await clock.advance(25);
  assert.deepEqual(order, [10, 20]);
  assert.equal(clock.now(), 25);
  await clock.advance(5);
  assert.deepEqual(order, [10, 20, 30]);
});

Deno.test("retry() stops at its attempts and at final errors", async () => {
  const clock = new FakeClock();
  let calls = 0;
  const failing = () => Promise.reject(new Error(`call ${++calls}`));
  const done = retry(failing, { attempts: 3, clock, random: () => 0 }).catch((error) => error);
  await clock.advance(60_000);
  assert.equal((await done).message, "call 3");
  await assert.rejects(retry(failing, { attempts: 9, clock, retryable: () => false }), /call 4/);
});

Deno.test("backoffMs() grows to its ceiling and never beyond", () => {
  assert.equal(backoffMs(0, { random: () => 0 }), 100);
  assert.equal(backoffMs(0, { random: () => 1 }), 200);
  assert.equal(backoffMs(1_000, { random: () => 1 }), 30_000);
});

Deno.test("createLogger() masks secrets at every depth and writes bigint as text", () => {
  const records: LogRecord[] = [];
  const log = createLogger((record) => records.push(record), "test", "info");
  log.debug("dropped");
  log.info("kept", {
    password: "hunter2",
    redis: { passphraseFile: "/secret", endpoint: "here" },
    amountWei: 5n,
    error: new Error("outer", { cause: new Error("inner") }),
  });
  assert.equal(records.length, 1);
  assert.deepEqual(records[0]!.facts, {
    password: "[redacted]",
    redis: { passphraseFile: "[redacted]", endpoint: "here" },
    amountWei: "5",
    error: "outer: inner",
  });
});
