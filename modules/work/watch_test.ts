/** The watch over nodes that a test answers for, on a fake clock. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord } from "../base/mod.ts";
import type { WorkPackage } from "./job.ts";
import { WorkWatch } from "./watch.ts";

const INTERVAL_MS = 60_000, STALE_MS = 180_000;

interface Source {
  name: string;
  healthy: boolean;
  asked: number;
  answer: () => Promise<WorkPackage | undefined>;
}

interface World extends AsyncDisposable {
  clock: FakeClock;
  watch: WorkWatch;
  sources: Source[];
  /** Jobs as "node header height", losses as "lost". */
  heard: string[];
  logs: LogRecord[];
  rechecks: number;
  onRecheck: () => void;
}

/** Work of a node; the name of its header is the node, the height and a variant. */
function work(node: string, height: number, variant = ""): WorkPackage {
  const headerHash = `${node}${height}${variant}`;
  return { headerHash, seedHash: "0x0", target: 1n << 200n, height };
}

const gives = (node: string, height: number, variant = "") => () =>
  Promise.resolve(work(node, height, variant));
const fails = () => Promise.reject(new Error("down"));

function openWorld(...names: string[]): World {
  const clock = new FakeClock();
  const [heard, logs]: [string[], LogRecord[]] = [[], []];
  const sources = names.map((name): Source => ({
    ...{ name, healthy: true, asked: 0, answer: gives(name, 10) },
  }));
  const asSources = sources.map((source) => ({
    source,
    name: source.name,
    getWork() {
      source.asked++;
      return source.answer();
    },
  }));
  const watch = new WorkWatch({ intervalMs: INTERVAL_MS, staleAfterMs: STALE_MS }, {
    ...{ clock, log: createLogger((record) => logs.push(record), "mining") },
    sources: () => asSources.filter(({ source }) => source.healthy),
    recheck() {
      world.rechecks++;
      world.onRecheck();
      return Promise.resolve();
    },
    onJob: (job) => heard.push(`${job.headerHash}`),
    onWorkLost: () => heard.push("lost"),
  });
  const end = new AbortController();
  const done = watch.run(end.signal);
  const world: World = {
    ...{ clock, watch, sources, heard, logs, rechecks: 0, onRecheck: () => {} },
    async [Symbol.asyncDispose]() {
      end.abort(new Error("done"));
      await clock.advance(10_000);
      await done;
    },
  };
  return world;
}

const events = ({ logs }: World) => logs.map(({ event }) => event);

Deno.test("WorkWatch asks the preferred node at intervals and tells of each job once", async () => {
  await using world = openWorld("a", "b");
  const [a, b] = world.sources as [Source, Source];
  await world.clock.advance(3 * INTERVAL_MS);
  assert.deepEqual(world.heard, ["a10"]);
  a.answer = gives("a", 10, "x");
  await world.clock.advance(INTERVAL_MS);
  a.answer = gives("a", 11);
  await world.clock.advance(INTERVAL_MS);
  assert.deepEqual(world.heard, ["a10", "a10x", "a11"]);
  assert.deepEqual([a.asked, b.asked], [6, 0]);
});

Deno.test("WorkWatch asks the others at once when the first fails, hangs or is behind", async () => {
  for (const answer of [fails, () => new Promise<never>(() => {}), gives("a", 9)]) {
    await using world = openWorld("a", "b");
    const [a, b] = world.sources as [Source, Source];
    await world.clock.advance(0);
    a.answer = answer;
    b.answer = gives("b", 11);
    await world.clock.advance(INTERVAL_MS + 1_000);
    assert.equal(world.heard.at(-1), "b11");
    // One question at a time to a node that hangs.
    const asked = a.asked;
    b.answer = gives("b", 12);
    await world.clock.advance(INTERVAL_MS + 1_000);
    assert.equal(world.heard.at(-1), "b12");
    assert.ok(a.asked <= asked + 1);
  }
});

Deno.test("WorkWatch mines a pushed package at once and asks the node to confirm it", async () => {
  await using world = openWorld("a");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  a.answer = gives("a", 11);
  assert.equal(world.watch.push("a", work("a", 11)), "mined");
  assert.deepEqual(world.heard, ["a10", "a11"]);
  assert.equal(a.asked, 2);
  await world.clock.advance(1_000);
  assert.equal(a.asked, 2);
  assert.deepEqual(world.heard, ["a10", "a11"]);
  // What it pushes again is no news.
  assert.equal(world.watch.push("a", work("a", 11)), "ignored");
  assert.equal(a.asked, 2);
});

Deno.test("WorkWatch mines no push that its node does not confirm, and stops to believe it", async () => {
  await using world = openWorld("a");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  assert.equal(world.watch.push("a", work("stranger", 11)), "mined");
  await world.clock.advance(1_000);
  assert.deepEqual(world.heard, ["a10", "stranger11", "a10"]);
  assert.ok(events(world).includes("push.denied"));
  const asked = a.asked;
  assert.equal(world.watch.push("a", work("stranger", 11)), "rang");
  await world.clock.advance(1_000);
  assert.equal(world.heard.at(-1), "a10");
  assert.equal(a.asked, asked + 1);
  // Ten minutes later it is believed again.
  await world.clock.advance(600_000);
  a.answer = gives("a", 11);
  assert.equal(world.watch.push("a", work("a", 11)), "mined");
});

Deno.test("WorkWatch only rings for a push that it cannot believe", async () => {
  await using world = openWorld("a");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  const doubtful: [WorkPackage | undefined, number?][] = [
    [undefined],
    [undefined, 11],
    [work("x", 2 ** 40)],
    [work("x", 9)],
    [{ ...work("x", 11), seedHash: "0x1" }],
    [{ ...work("x", 11), target: 1n << 255n }],
  ];
  for (const [pushed, height] of doubtful) {
    const asked = a.asked;
    assert.equal(world.watch.push("a", pushed, height), "rang");
    await world.clock.advance(5_000);
    assert.equal(a.asked, asked + 1);
  }
  assert.deepEqual(world.heard, ["a10"]);
  a.answer = gives("a", 11);
  world.watch.push("a", undefined, 11);
  await world.clock.advance(0);
  assert.deepEqual(world.heard, ["a10", "a11"]);
});

Deno.test("WorkWatch ignores pushes of sick and unknown nodes, and says so once a minute", async () => {
  await using world = openWorld("a", "b");
  const [, b] = world.sources as [Source, Source];
  await world.clock.advance(0);
  b.healthy = false;
  for (const name of ["b", "b", "c"]) {
    assert.equal(world.watch.push(name, work(name, 11)), "ignored");
    world.watch.ring(name);
  }
  assert.deepEqual(world.heard, ["a10"]);
  assert.equal(b.asked, 0);
  assert.deepEqual(events(world), ["push.ignored"]);
});

Deno.test("WorkWatch asks a node that told of a head until it has work for the next block", async () => {
  await using world = openWorld("a");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  world.watch.ring("a", 11);
  await world.clock.advance(60);
  assert.deepEqual(world.heard, ["a10"]);
  a.answer = gives("a", 11);
  await world.clock.advance(1_000);
  assert.deepEqual(world.heard, ["a10", "a11"]);
  // A ring does not wait for the pauses of the one before.
  world.watch.ring("a", 13);
  await world.clock.advance(500);
  a.answer = gives("a", 13);
  world.watch.ring("a", 13);
  await world.clock.advance(0);
  assert.equal(world.heard.at(-1), "a13");
  // What never comes is not asked for for ever.
  const asked = a.asked;
  world.watch.ring("a", 2 ** 40);
  await world.clock.advance(INTERVAL_MS / 2);
  assert.equal(a.asked, asked + 6);
});

Deno.test("WorkWatch asks again when a node rings while it is asked, one question at a time", async () => {
  await using world = openWorld("a");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  const answers = [Promise.withResolvers<WorkPackage>(), Promise.withResolvers<WorkPackage>()];
  const before = a.asked;
  a.answer = () => answers[a.asked - before - 1]!.promise;
  for (let i = 0; i < 5; i++) world.watch.ring("a");
  assert.equal(a.asked, before + 1);
  answers[0]!.resolve(work("a", 10));
  await world.clock.advance(0);
  assert.equal(a.asked, before + 2);
  answers[1]!.resolve(work("a", 11));
  await world.clock.advance(0);
  assert.deepEqual(world.heard, ["a10", "a11"]);
});

Deno.test("WorkWatch drops an answer that is older than a push", async () => {
  await using world = openWorld("a");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  const old = Promise.withResolvers<WorkPackage>();
  a.answer = () => old.promise;
  world.watch.ring("a");
  a.answer = gives("a", 11);
  assert.equal(world.watch.push("a", work("a", 11)), "mined");
  old.resolve(work("a", 10));
  await world.clock.advance(1_000);
  assert.deepEqual(world.heard, ["a10", "a11"]);
});

Deno.test("WorkWatch mines the freshest node's work, and the preferred one's once it is there", async () => {
  await using world = openWorld("a", "b");
  const [a, b] = world.sources as [Source, Source];
  await world.clock.advance(0);
  world.watch.hear("b", work("b", 10));
  assert.equal(world.watch.push("b", work("b", 10, "x")), "rang");
  assert.deepEqual(world.heard, ["a10"]);
  b.answer = gives("b", 11);
  assert.equal(world.watch.push("b", work("b", 11)), "mined");
  // The preferred node has not seen the block yet.
  world.watch.ring("a");
  await world.clock.advance(0);
  assert.deepEqual(world.heard, ["a10", "b11"]);
  a.answer = gives("a", 11);
  world.watch.ring("a");
  await world.clock.advance(0);
  assert.equal(world.watch.push("b", work("b", 11)), "rang");
  await world.clock.advance(1_000);
  assert.deepEqual(world.heard, ["a10", "b11", "a11"]);
});

Deno.test("WorkWatch goes to another node's work when the node of its work is sick", async () => {
  await using world = openWorld("a", "b");
  const [a, b] = world.sources as [Source, Source];
  await world.clock.advance(0);
  b.answer = gives("b", 9);
  a.healthy = false;
  await world.clock.advance(INTERVAL_MS);
  assert.deepEqual(world.heard, ["a10", "b9"]);
});

Deno.test("WorkWatch hears work in health checks, but never older work", async () => {
  await using world = openWorld("a");
  await world.clock.advance(0);
  world.watch.hear("a", work("a", 9));
  world.watch.hear("a", work("a", 10, "other"));
  assert.deepEqual(world.heard, ["a10"]);
  world.watch.hear("a", work("a", 11));
  assert.deepEqual(world.heard, ["a10", "a11"]);
});

Deno.test("WorkWatch withdraws work when no node answers, and when none is healthy", async () => {
  for (const end of [(a: Source) => a.answer = fails, (a: Source) => a.healthy = false]) {
    await using world = openWorld("a");
    const [a] = world.sources as [Source];
    await world.clock.advance(0);
    end(a);
    await world.clock.advance(STALE_MS - 1);
    assert.deepEqual(world.heard, ["a10"]);
    await world.clock.advance(5 * STALE_MS);
    assert.deepEqual(world.heard, ["a10", "lost"]);
    Object.assign(a, { answer: gives("a", 10), healthy: true });
    await world.clock.advance(INTERVAL_MS);
    assert.deepEqual(world.heard, ["a10", "lost", "a10"]);
    assert.deepEqual(events(world), ["work.lost", "work.back"]);
  }
});

Deno.test("WorkWatch withdraws work only when every node fell back by seven heights", async () => {
  await using world = openWorld("a", "b");
  const [a, b] = world.sources as [Source, Source];
  a.answer = gives("a", 100);
  b.answer = gives("b", 100);
  await world.clock.advance(0);
  world.watch.hear("a", work("a", 100));
  assert.equal(world.heard.at(-1), "a100");
  // The other node goes on.
  a.answer = gives("a", 93);
  await world.clock.advance(INTERVAL_MS);
  assert.equal(world.heard.at(-1), "b100");
  b.answer = gives("b", 93);
  await world.clock.advance(INTERVAL_MS);
  assert.equal(world.heard.at(-1), "lost");
  const lost = world.logs.find(({ event }) => event === "work.lost");
  assert.match(String(lost?.facts["reason"]), /at height 93 or below, and work was at 100/);
  await world.clock.advance(5 * INTERVAL_MS);
  assert.equal(world.heard.at(-1), "lost");
  a.answer = gives("a", 94);
  await world.clock.advance(INTERVAL_MS);
  assert.equal(world.heard.at(-1), "a94");
  assert.equal(world.heard.filter((line) => line === "lost").length, 1);
});

Deno.test("WorkWatch keeps to the highest height that shares were recorded for", async () => {
  await using world = openWorld("a");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  world.watch.sawHeight(17);
  await world.clock.advance(INTERVAL_MS);
  assert.deepEqual(world.heard, ["a10", "lost"]);
  a.answer = gives("a", 11);
  await world.clock.advance(INTERVAL_MS);
  assert.deepEqual(world.heard, ["a10", "lost", "a11"]);
});

Deno.test("WorkWatch has a node checked whose height jumps", async () => {
  await using world = openWorld("a", "b");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  a.answer = gives("a", 5_000);
  world.onRecheck = () => a.healthy = false;
  await world.clock.advance(INTERVAL_MS);
  // It turned out to be another chain's.
  assert.deepEqual([world.rechecks, world.heard], [1, ["a10", "b10"]]);
  world.onRecheck = () => {};
  a.healthy = true;
  await world.clock.advance(INTERVAL_MS);
  assert.deepEqual([world.rechecks, world.heard], [2, ["a10", "b10", "a5000"]]);
});

Deno.test("WorkWatch notices that a node which pushed pushes no more", async () => {
  await using world = openWorld("a");
  const [a] = world.sources as [Source];
  await world.clock.advance(0);
  world.watch.push("a", undefined, 10);
  for (let height = 11; height < 18; height++) {
    a.answer = gives("a", height);
    await world.clock.advance(INTERVAL_MS);
  }
  assert.deepEqual(events(world), ["push.silent"]);
  world.watch.push("a", undefined, 18);
  assert.deepEqual(events(world), ["push.silent", "push.back"]);
});
