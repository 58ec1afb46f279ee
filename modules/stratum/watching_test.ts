/** Work from real nodes: JSON-RPC, pushes over HTTP and heads over WebSocket, all together. */
import assert from "node:assert/strict";
import { createLogger, type LogRecord, systemClock } from "../base/mod.ts";
import type { Job } from "../work/mod.ts";
import { type HeadServer, startHeadServer } from "../../tests/support/head_server.ts";
import { until } from "../../tests/support/process.ts";
import { type ScriptedNode, startScriptedNode } from "../../tests/support/scripted_node.ts";
import { openWatching, type Watching } from "./watching.ts";

interface World extends AsyncDisposable {
  nodes: ScriptedNode[];
  heads: HeadServer;
  watching: Watching;
  jobs: Job[];
  lost: string[];
  logs: LogRecord[];
  /** Posts what a node would push; gives the status. */
  push(body: unknown, node?: string): Promise<number>;
  job(node: string, height: number): Promise<void>;
}

/** Nodes "n0", "n1", … asked once an hour; the first one's heads are followed. */
async function openWorld(
  count: number,
  settings: { refreshMs?: number; checkMs?: number; prepare?: (nodes: ScriptedNode[]) => void } =
    {},
): Promise<World> {
  const nodes = Array.from({ length: count }, () => startScriptedNode());
  settings.prepare?.(nodes);
  const heads = startHeadServer();
  const [jobs, lost, logs]: [Job[], string[], LogRecord[]] = [[], [], []];
  const named = nodes.map(({ url }, i) => ({ name: `n${i}`, url, timeoutMs: 2_000 }));
  const watching = await openWatching({
    ...{ upstreams: named, chainId: 1337, heads: [{ name: "n0", ws: heads.url }] },
    blockRefreshIntervalMs: settings.refreshMs ?? 3_600_000,
    upstreamCheckIntervalMs: settings.checkMs ?? 3_600_000,
    notify: {
      ...{ hostname: "127.0.0.1", port: 0 },
      nodes: named.map(({ name }) => ({ name, notifyFrom: ["127.0.0.1"] })),
    },
  }, {
    ...{ clock: systemClock, log: createLogger((record) => logs.push(record), "mining") },
    onJob: (job) => jobs.push(job),
    onWorkLost: (reason) => lost.push(reason),
  });
  return {
    ...{ nodes, heads, watching, jobs, lost, logs },
    async push(body, node = "n0") {
      const url = `http://127.0.0.1:${watching.notifyPort}/${node}`;
      const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      await response.body?.cancel();
      return response.status;
    },
    async job(node, height) {
      const found = () => jobs.at(-1)?.node === node && jobs.at(-1)?.height === height;
      await until(`work of ${node} at ${height}`, found);
    },
    async [Symbol.asyncDispose]() {
      await watching.close();
      await heads[Symbol.asyncDispose]();
      for (const node of nodes) await node.stop();
    },
  };
}

Deno.test("openWatching() has work at once, and more by push long before it would ask", async () => {
  await using world = await openWorld(2);
  await world.job("n0", 101);
  const [first] = world.nodes;
  const asked = () => first!.calls.filter((method) => method === "eth_getWork").length;
  // Three checks, the first question, and the subscription to new heads.
  await until("what is asked at first", () => asked() === 5);
  for (let height = 101; height < 120; height++) {
    first!.script.height = height;
    const before = asked();
    assert.equal(await world.push(first!.work()), 200);
    // Mined before the push was even answered; then the node is asked to confirm it.
    assert.equal(world.jobs.at(-1)!.height, height + 1);
    await until("the confirmation", () => asked() > before);
  }
  assert.equal(world.jobs.length, 20);
});

Deno.test("openWatching() asks a node that pushes three elements or a header", async () => {
  await using world = await openWorld(1);
  const [node] = world.nodes;
  await world.job("n0", 101);
  node!.script.height = 101;
  await world.push(node!.work().slice(0, 3));
  await world.job("n0", 102);
  node!.script.height = 102;
  await world.push({ parentHash: node!.work()[0], number: "0x67" });
  await world.job("n0", 103);
});

Deno.test("openWatching() asks a node that tells of a new head", async () => {
  await using world = await openWorld(1);
  const [node] = world.nodes;
  await world.job("n0", 101);
  await until("the subscription", () => world.heads.subscriptions === 1);
  node!.script.height = 101;
  world.heads.tell(101);
  await world.job("n0", 102);
  // The node's work follows its head a moment later.
  const before = node!.calls.length;
  world.heads.tell(102);
  await until("a question too early", () => node!.calls.length > before);
  node!.script.height = 102;
  await world.job("n0", 103);
});

Deno.test("openWatching() mines nobody's header for long who posts from a node's address", async () => {
  await using world = await openWorld(1);
  const [node] = world.nodes;
  await world.job("n0", 101);
  const [header, seed, target] = node!.work() as [string, string, string];
  const strange = "0x" + "66".repeat(32);
  // Not believed at all: far heights, another seed, an easy target, old work.
  for (
    const body of [
      [strange, seed, target, "0xffffffffff"],
      [strange, strange, target, "0x66"],
      [strange, seed, "0x" + "ff".repeat(32), "0x66"],
      [strange, seed, target, "0x64"],
    ]
  ) {
    assert.equal(await world.push(body), 200);
  }
  await until("four questions", () => node!.calls.filter((m) => m === "eth_getWork").length >= 4);
  assert.deepEqual(world.jobs.map(({ headerHash }) => headerHash), [header]);
  // Believed for a moment: the node does not confirm it.
  await world.push([strange, seed, target, "0x66"]);
  await until("the denial", () => world.logs.some(({ event }) => event === "push.denied"));
  assert.equal(world.jobs.at(-1)!.headerHash, header);
  // And then never.
  const jobs = world.jobs.length;
  for (let i = 0; i < 5; i++) await world.push([strange, seed, target, "0x66"]);
  await until("a question", () => node!.calls.at(-1) === "eth_getWork");
  assert.equal(world.jobs.length, jobs);
});

Deno.test("openWatching() ignores pushes of a node of another chain", async () => {
  await using world = await openWorld(2, { prepare: ([, b]) => b!.script.chainId = 61 });
  await world.job("n0", 101);
  const other = world.nodes[1]!;
  other.script.height = 101;
  assert.equal(await world.push(other.work(), "n1"), 200);
  assert.equal(world.jobs.length, 1);
  // It is asked for work in checks alone.
  const calls = (name: string) => other.calls.filter((method) => method === name).length;
  assert.equal(calls("eth_getWork"), calls("eth_chainId"));
  assert.ok(world.logs.some(({ event }) => event === "push.ignored"));
});

Deno.test("openWatching() goes on with the other node while one restarts", async () => {
  await using world = await openWorld(2, { refreshMs: 20, checkMs: 50 });
  const [first, second] = world.nodes;
  await world.job("n0", 101);
  await first!.stop();
  second!.script.height = 101;
  await world.job("n1", 102);
  first!.start();
  first!.script.height = 101;
  await world.job("n0", 102);
  assert.deepEqual(world.lost, []);
});

Deno.test("openWatching() goes on with the other node while one hangs or is another chain", async () => {
  const troubles: Partial<ScriptedNode["script"]>[] = [{ hangs: ["*"] }, { chainId: 61 }];
  for (const trouble of troubles) {
    await using world = await openWorld(2, { refreshMs: 20, checkMs: 50 });
    const [first, second] = world.nodes;
    await world.job("n0", 101);
    Object.assign(first!.script, trouble);
    second!.script.height = 101;
    await world.job("n1", 102);
    await until("the node to be left", () => !world.watching.health()[0]!.healthy);
    second!.script.height = 102;
    await world.job("n1", 103);
    Object.assign(first!.script, { hangs: [], chainId: 1337, height: 103 });
    await world.job("n0", 104);
    const told = world.logs.filter(({ facts }) => facts["node"] === "n0").map(({ event }) => event);
    assert.deepEqual(told.filter((event) => event.startsWith("node.")), [
      ...["node.sick", "node.healthy"],
    ]);
  }
});

Deno.test("openWatching() says that there is no work when all nodes fell back far", async () => {
  await using world = await openWorld(2, { refreshMs: 20, checkMs: 50 });
  await world.job("n0", 101);
  for (const { script } of world.nodes) script.height = 93;
  await until("the loss", () => world.lost.length === 1);
  assert.match(world.lost[0]!, /height 94 or below, and work was at 101/);
  for (const { script } of world.nodes) script.height = 94;
  await world.job("n0", 95);
});
