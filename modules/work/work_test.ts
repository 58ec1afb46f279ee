/** Jobs by header hash, and the watch over a scripted node and a fake clock. */
import assert from "node:assert/strict";
import { FakeClock, silentLogger, systemClock } from "../base/mod.ts";
import { Bell } from "./bell.ts";
import { type Job, jobOf, type WorkPackage } from "./job.ts";
import { JobBook, JOBS_MAX } from "./job_book.ts";
import { watchWork } from "./watch.ts";

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

Deno.test("JobBook keeps old heights refused after a node falls back", () => {
  const book = new JobBook();
  book.add(job(1, 100));
  book.add(job(2, 90));
  assert.equal(book.find(job(2).headerHash).kind, "stale");
  book.add(job(3, 94));
  assert.equal(book.find(job(3).headerHash).kind, "active");
});

Deno.test("JobBook holds a bounded number of jobs, the newest among them", () => {
  const book = new JobBook();
  for (let n = 1; n <= JOBS_MAX + 50; n++) book.add(job(n, 10));
  assert.equal(book.find(job(1).headerHash).kind, "unknown");
  assert.equal(book.find(job(JOBS_MAX + 50).headerHash).kind, "active");
  assert.equal(book.find(job(JOBS_MAX).headerHash).kind, "past");
});

Deno.test("watchWork() publishes a change once, withdraws silent work and gives it back", async () => {
  const clock = new FakeClock();
  const end = new AbortController();
  const heard: string[] = [];
  let answer: () => Promise<WorkPackage | undefined> = () => Promise.resolve(work(1));
  const watching = watchWork({ intervalMs: 100, staleAfterMs: 1_000 }, {
    ...{ clock, log: silentLogger, source: () => ({ name: "main", getWork: () => answer() }) },
    onJob: (next) => heard.push(`job ${next.height}`),
    onWorkLost: (reason) => heard.push(`lost ${reason}`),
    onFailure: (node) => heard.push(`failed ${node}`),
  }, end.signal);
  await clock.advance(300);
  assert.deepEqual(heard, ["job 1"]);
  answer = () => Promise.resolve(undefined);
  await clock.advance(200);
  answer = () => Promise.reject(new Error("down"));
  await clock.advance(1_300);
  assert.equal(heard.filter((line) => line === "lost down").length, 1);
  answer = () => Promise.resolve(work(1));
  await clock.advance(100);
  assert.equal(heard.at(-1), "job 1");
  end.abort(new Error("done"));
  await watching;
});

Deno.test("watchWork() asks at once when a bell rings, also one that rings while it asks", async () => {
  const bell = new Bell();
  const end = new AbortController();
  const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const third = Promise.withResolvers<void>();
  let n = 0;
  const done = watchWork({ intervalMs: 3_600_000, staleAfterMs: 10_800_000 }, {
    ...{ clock: systemClock, log: silentLogger, bell, onJob() {}, onWorkLost() {}, onFailure() {} },
    source: () => ({
      name: "node",
      getWork() {
        asked[n]?.resolve();
        if (++n === 2) bell.ring();
        if (n === 3) third.resolve();
        return Promise.resolve(undefined);
      },
    }),
  }, end.signal);
  await asked[0]!.promise;
  bell.ring();
  await asked[1]!.promise;
  await third.promise;
  end.abort(new Error("done"));
  await done;
  assert.equal(n, 3);
});
