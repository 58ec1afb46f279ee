/** That the soak's checks fail when they should. */
import assert from "node:assert/strict";
import { checkMemory, checkShares } from "./checks.ts";
import type { Told } from "./miners.ts";

const MIB = 2 ** 20;

function told(accepted: bigint, unanswered: bigint): Told {
  return {
    accepted: new Map([["a", accepted]]),
    unanswered: new Map([["a", unanswered]]),
    ...{ refused: new Map(), connections: 1, longestGapMs: 0 },
  };
}

Deno.test("checkShares() takes what lies between told and sent, and nothing else", () => {
  for (const stored of [100n, 103n]) checkShares(told(100n, 3n), stored);
  assert.throws(() => checkShares(told(100n, 3n), 99n), /lost/);
  assert.throws(() => checkShares(told(100n, 3n), 104n), /doubled/);
});

Deno.test("checkMemory() refuses growth, and a process that nobody could look at", () => {
  const trail = (mib: number[]) => [{ name: "money", samples: mib.map((one) => one * MIB) }];
  const still = Array<number>(12).fill(400);
  checkMemory(trail(still));
  assert.throws(() => checkMemory(trail([...still, 900])), /money grew from 400 to 900 MiB/);
  assert.throws(() => checkMemory(trail([])), /money: its memory could not be read/);
});
