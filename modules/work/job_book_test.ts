/** Jobs by header hash: which are handed out, accepted, stale and forgotten. */
import assert from "node:assert/strict";
import { type Job, jobOf, type WorkPackage } from "./job.ts";
import { JobBook, JOBS_MAX } from "./job_book.ts";

function work(n: number, height = n): WorkPackage {
  const headerHash = "0x" + n.toString(16).padStart(64, "0");
  return { headerHash, seedHash: "0x" + "00".repeat(32), target: 1n << 200n, height };
}

const job = (n: number, height = n): Job => jobOf(work(n, height), "node", 0);

Deno.test("JobBook names jobs active, past, stale and unknown by height", () => {
  const book = new JobBook();
  assert.equal(book.current, undefined);
  assert.equal(book.add(job(1, 10)), true);
  assert.equal(book.add(job(1, 10)), false);
  book.add(job(2, 10));
  book.add(job(3, 16));
  assert.equal(book.find(job(3).headerHash).kind, "active");
  assert.equal(book.find(job(1).headerHash).kind, "past");
  book.add(job(4, 17));
  assert.equal(book.find(job(1).headerHash).kind, "stale");
  assert.equal(book.find(job(9).headerHash).kind, "unknown");
});

Deno.test("JobBook hands out no job whose shares it would call stale, and keeps replays out", () => {
  const book = new JobBook();
  book.add(job(1, 100));
  assert.equal(book.add(job(2, 93)), false);
  assert.equal(book.current, undefined);
  assert.equal(book.highest, 100);
  // Shares for what was handed out before are still taken, for the refused one they are not.
  assert.equal(book.find(job(1).headerHash).kind, "past");
  assert.equal(book.find(job(2).headerHash).kind, "unknown");
  assert.equal(book.add(job(3, 94)), true);
  assert.equal(book.find(job(3).headerHash).kind, "active");
  book.add(job(4, 101));
  assert.equal(book.find(job(3).headerHash).kind, "stale");
  assert.equal(book.add(job(3, 94)), false);
  assert.equal(book.current, undefined);
});

Deno.test("JobBook holds a bounded number of jobs, the newest among them", () => {
  const book = new JobBook();
  for (let n = 1; n <= JOBS_MAX + 50; n++) book.add(job(n, 10));
  assert.equal(book.find(job(1).headerHash).kind, "unknown");
  assert.equal(book.find(job(JOBS_MAX + 50).headerHash).kind, "active");
  assert.equal(book.find(job(JOBS_MAX).headerHash).kind, "past");
});
