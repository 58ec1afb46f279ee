/** Several nodes: fail-over after failures, lag or a failed check, and submission to all. */
import assert from "node:assert/strict";
import { FakeClock, silentLogger } from "../base/mod.ts";
import type { Node } from "./node.ts";
import { createNodes, type NodeAnswer } from "./nodes.ts";

type FakeNode = Node & { height: number | Error; failures: number };

function fakeNode(name: string, parts: Partial<Node> = {}): FakeNode {
  const node = {
    name,
    height: 100 as number | Error,
    failures: 0,
    get failuresInRow(): number {
      return node.failures;
    },
    blockNumber: (): Promise<number> =>
      node.height instanceof Error ? Promise.reject(node.height) : Promise.resolve(node.height),
    getWork: () => Promise.resolve(undefined),
    submitWork: () => Promise.resolve(true),
    ...parts,
  };
  return node as FakeNode;
}

function watch(nodes: Node[], clock = new FakeClock()) {
  const failovers: string[] = [];
  const all = createNodes(nodes, {
    log: silentLogger,
    clock,
    needsWork: true,
    onFailover: (from, to) => failovers.push(`${from}>${to}`),
  });
  return { all, failovers };
}

Deno.test("createNodes() leaves a node after one failed check and returns after two good ones", async () => {
  const a = fakeNode("a"), b = fakeNode("b");
  const { all, failovers } = watch([a, b]);
  assert.equal(all.current().name, "a");
  a.height = new Error("down");
  await all.check();
  assert.equal(all.current().name, "b");
  assert.deepEqual(all.health().map((row) => row.healthy), [false, true]);
  a.height = 100;
  await all.check();
  assert.equal(all.current().name, "b");
  await all.check();
  assert.equal(all.current().name, "a");
  assert.deepEqual(failovers, ["a>b", "b>a"]);
});

Deno.test("createNodes() leaves a node after five failed calls in a row", () => {
  const a = fakeNode("a"), b = fakeNode("b");
  const { all } = watch([a, b]);
  a.failures = 4;
  assert.equal(all.current().name, "a");
  a.failures = 5;
  assert.equal(all.current().name, "b");
});

Deno.test("createNodes() treats a node more than three blocks behind as sick", async () => {
  const a = fakeNode("a"), b = fakeNode("b");
  const { all } = watch([a, b]);
  b.height = 103;
  await all.check();
  assert.equal(all.current().name, "a");
  b.height = 104;
  await all.check();
  assert.equal(all.current().name, "b");
  assert.match(all.health()[0]!.reason, /4 blocks behind/);
});

Deno.test("createNodes() checks that a mining node gives work", async () => {
  const a = fakeNode("a", { getWork: () => Promise.reject(new Error("no etherbase")) });
  const { all } = watch([a, fakeNode("b")]);
  await all.check();
  assert.equal(all.current().name, "b");
});

Deno.test("createNodes() falls back to the first node when all are sick", async () => {
  const a = fakeNode("a"), b = fakeNode("b");
  a.height = b.height = new Error("down");
  const { all } = watch([a, b]);
  await all.check();
  assert.equal(all.current().name, "a");
  assert.deepEqual(all.healthy(), []);
  assert.throws(() => watch([]), /upstream/);
});

Deno.test("submitWork() asks every node at once, sick ones too, and keeps each answer", async () => {
  const slow = Promise.withResolvers<boolean>();
  const a = fakeNode("a", { submitWork: () => slow.promise });
  const b = fakeNode("b", { submitWork: () => Promise.reject(new Error("busy")) });
  const c = fakeNode("c", { submitWork: () => Promise.resolve(false) });
  const sick = fakeNode("d");
  sick.height = 1;
  const { all } = watch([a, b, c, sick]);
  await all.check();
  const heard: NodeAnswer[] = [];
  const answers = all.submitWork("0x1", "0x2", "0x3", (answer) => heard.push(answer));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(heard.map((answer) => answer.node).sort(), ["b", "c", "d"]);
  slow.resolve(true);
  assert.deepEqual(await answers, [
    { node: "a", accepted: true, tookMs: 0 },
    { node: "b", error: "busy", tookMs: 0 },
    { node: "c", accepted: false, tookMs: 0 },
    { node: "d", accepted: true, tookMs: 0 },
  ]);
});

Deno.test("run() checks at each interval until it is aborted", async () => {
  const a = fakeNode("a"), b = fakeNode("b"), clock = new FakeClock();
  const { all } = watch([a, b], clock);
  const stop = new AbortController();
  const done = all.run(5_000, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 0));
  a.height = new Error("down");
  await clock.advance(4_999);
  assert.equal(all.current().name, "a");
  await clock.advance(1);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(all.current().name, "b");
  stop.abort();
  await done;
});

Deno.test("createNodes() never uses a node of another chain", async () => {
  const other = fakeNode("other", { chainId: () => Promise.resolve(61) });
  const ours = fakeNode("ours", { chainId: () => Promise.resolve(8_021) });
  const nodes = createNodes([other, ours], {
    ...{ log: silentLogger, clock: new FakeClock(), needsWork: true, chainId: 8_021 },
  });
  await nodes.check();
  assert.deepEqual(nodes.healthy().map((node) => node.name), ["ours"]);
  assert.match(nodes.health()[0]!.reason, /chain id is 61, not 8021/);
});
