/** That the soak's checks fail when they should. */
import assert from "node:assert/strict";
import { checkMemory, checkShares } from "./checks.ts";

const MIB = 2 ** 20;

Deno.test("checkShares() takes what lies between told and sent of each login, and nothing else", () => {
  const told = {
    accepted: new Map([["a", 100n], ["b", 7n]]),
    unanswered: new Map([["a", 3n], ["c", 1n]]),
  };
  const check = (a: bigint, b: bigint, c: bigint, stored = a + b + c) =>
    checkShares(told, { stored, storedByLogin: new Map([["a", a], ["b", b], ["c", c]]) });
  for (const a of [100n, 103n]) check(a, 7n, 0n);
  check(100n, 7n, 1n);
  assert.throws(() => check(99n, 7n, 0n), /a: 100 .* lost/);
  assert.throws(() => check(104n, 7n, 0n), /a: .* doubled/);
  // One login's loss is not another's gain.
  assert.throws(() => check(103n, 6n, 0n), /b: .* lost/);
  assert.throws(() => check(100n, 7n, 2n), /c: .* doubled/);
  assert.throws(() => check(100n, 7n, 0n, 106n), /106 shares are in rounds and 107/);
});

Deno.test("checkMemory() refuses growth, and a process that nobody could look at", () => {
  const trail = (mib: number[]) => [{ name: "money", samples: mib.map((one) => one * MIB) }];
  const still = Array<number>(12).fill(400);
  checkMemory(trail(still));
  assert.throws(() => checkMemory(trail([...still, 900])), /money grew from 400 to 900 MiB/);
  assert.throws(() => checkMemory(trail([])), /money: its memory could not be read/);
});
