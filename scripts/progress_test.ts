/** Progress lines: what they say, how often, and how a terminal differs from a file. */
import assert from "node:assert/strict";
import { createProgress, progressLine } from "./progress.ts";

Deno.test("progressLine() says how far, how fast and how long still", () => {
  const cases: [number, number | undefined, number, string][] = [
    [0, undefined, 0, "export 0 keys"],
    [1_200, 5_000, 3_000, "export 1,200 of 5,000 keys, 400/s, 10 s left"],
    [5_000, 5_000, 1_000, "export 5,000 of 5,000 keys, 5,000/s"],
    [1, 10, 4_000, "export 1 of 10 keys, 0.3/s, 36 s left"],
    [1, 1_000, 1_000, "export 1 of 1,000 keys, 1/s, 17 min left"],
    [1, 10_000, 1_000, "export 1 of 10,000 keys, 1/s, 2 h 47 min left"],
    [70, undefined, 1_000, "export 70 keys, 70/s"],
  ];
  for (const [done, total, tookMs, expected] of cases) {
    assert.equal(progressLine("export", "keys", done, total, tookMs), expected);
  }
});

function record(isTerminal: boolean, stepMs: number, steps: number): string[] {
  const written: string[] = [];
  let nowMs = 0;
  const deps = { write: (text: string) => written.push(text), isTerminal, now: () => nowMs };
  const progress = createProgress("import", "keys", deps);
  for (let i = 1; i <= steps; i++) {
    nowMs += stepMs;
    progress.update(i, steps);
  }
  progress.end();
  return written;
}

Deno.test("createProgress() moves one line on a terminal and ends it", () => {
  const written = record(true, 60, 6);
  assert.equal(written.length, 5);
  assert.ok(written.slice(0, -1).every((text) => text.startsWith("\rimport ")));
  assert.equal(written.at(-1), "\n");
});

Deno.test("createProgress() writes a plain line now and then elsewhere, none for a short job", () => {
  assert.deepEqual(record(false, 10, 100), []);
  const written = record(false, 1_000, 12);
  assert.equal(written.length, 3);
  assert.ok(written.every((text) => /^import \d+ of 12 keys, 1\/s.*\n$/.test(text)));
});
