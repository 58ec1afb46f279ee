/** Several nodes as real servers: which one is worked with, why another is left, and submission. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord } from "../base/mod.ts";
import { type ScriptedNode, startScriptedNode } from "../../tests/support/scripted_node.ts";
import { until } from "../../tests/support/process.ts";
import { createNode } from "./node.ts";
import { createNodes, type NodeAnswer, type Nodes } from "./nodes.ts";

interface World extends AsyncDisposable {
  servers: ScriptedNode[];
  nodes: Nodes;
  clock: FakeClock;
  logs: LogRecord[];
  works: string[];
  failovers: string[];
  /** Lets five seconds pass and checks. */
  check(): Promise<void>;
  healthy(): string[];
}

/** Nodes "n0", "n1", …; a hung call is given up after five seconds. */
function openWorld(count: number): World {
  const servers = Array.from({ length: count }, () => startScriptedNode());
  const clock = new FakeClock();
  const logs: LogRecord[] = [];
  const [works, failovers]: string[][] = [[], []];
  const nodes = createNodes(
    servers.map(({ url }, i) => createNode({ name: `n${i}`, url, timeoutMs: 5_000 }, { clock })),
    {
      ...{ clock, chainId: 1337, needsWork: true },
      log: createLogger((record) => logs.push(record), "mining"),
      onWork: (node, work) => works!.push(`${node} ${work.height}`),
      onFailover: (from, to) => failovers!.push(`${from}>${to}`),
    },
  );
  return {
    ...{ servers, nodes, clock, logs, works: works!, failovers: failovers! },
    async check() {
      await clock.advance(5_000);
      await nodes.check();
    },
    healthy: () => nodes.healthy().map(({ name }) => name),
    async [Symbol.asyncDispose]() {
      // What still hangs is given up.
      await clock.advance(60_000);
      for (const server of servers) await server.stop();
    },
  };
}

/** What the log said of nodes, in short. */
function told(logs: LogRecord[]): string[] {
  return logs.filter(({ event }) => event === "node.sick" || event === "node.healthy")
    .map(({ event, facts }) => `${facts["node"]} ${event.slice(5)}`);
}

Deno.test("createNodes() asks each node everything in one request", async () => {
  await using world = openWorld(1);
  await world.check();
  assert.deepEqual(world.healthy(), ["n0"]);
  assert.deepEqual(world.servers[0]!.calls, [
    ...["eth_blockNumber", "eth_syncing", "eth_chainId", "eth_getWork"],
  ]);
  assert.deepEqual(world.works, ["n0 101"]);
  assert.deepEqual(world.nodes.health(), [{ name: "n0", healthy: true, reason: "", height: 100 }]);
});

Deno.test("createNodes() asks one by one where a node takes no batches", async () => {
  await using world = openWorld(2);
  world.servers[0]!.script.batches = false;
  for (let i = 0; i < 3; i++) await world.check();
  assert.deepEqual(world.healthy(), ["n0", "n1"]);
  world.servers[0]!.script.chainId = 1;
  await world.check();
  assert.deepEqual(world.healthy(), ["n1"]);
});

Deno.test("createNodes() leaves a node that restarts and returns after two good checks", async () => {
  await using world = openWorld(2);
  const [first] = world.servers;
  await world.check();
  await first!.stop();
  await world.check();
  assert.equal(world.nodes.current().name, "n1");
  first!.start();
  await world.check();
  assert.equal(world.nodes.current().name, "n1");
  await world.check();
  assert.equal(world.nodes.current().name, "n0");
  assert.deepEqual(world.failovers, ["n0>n1", "n1>n0"]);
  assert.deepEqual(told(world.logs), ["n0 sick", "n0 healthy"]);
});

Deno.test("createNodes() has the only node back at its first good check, and looks each second", async () => {
  await using world = openWorld(1);
  const [only] = world.servers;
  const end = new AbortController();
  const running = world.nodes.run(60_000, end.signal);
  await until("the first check", () => world.works.length === 1);
  await only!.stop();
  // The check that is due in a minute comes at once when calls fail.
  for (let i = 0; i < 5; i++) await world.nodes.all()[0]!.blockNumber().catch(() => {});
  assert.deepEqual(world.healthy(), []);
  only!.start();
  await until("the node to be back", async () => {
    await world.clock.advance(1_000);
    return world.healthy().length === 1;
  });
  assert.ok(world.clock.now() < 1_700_000_000_000 + 60_000);
  end.abort(new Error("done"));
  await running;
});

Deno.test("createNodes() leaves a node that hangs without keeping the others waiting", async () => {
  await using world = openWorld(2);
  const [first, second] = world.servers;
  await world.check();
  first!.script.hangs = ["*"];
  second!.script.height = 101;
  const asked = first!.calls.length;
  const checking = world.check();
  await until("the question", () => first!.calls.length > asked);
  await until("the other's answer", () => second!.calls.length > 2 * 4);
  await world.clock.advance(3_000);
  await checking;
  assert.deepEqual(world.healthy(), ["n1"]);
  assert.match(world.nodes.health()[0]!.reason, /no answer to a check for 3000 ms/);
  // It is not asked again before it has answered or been given up.
  const open = first!.calls.length;
  await world.nodes.check();
  assert.equal(first!.calls.length, open);
  first!.script.hangs = [];
  await world.clock.advance(5_000);
  await until("n0 to be back", async () => {
    await world.check();
    return world.healthy().length === 2;
  });
});

Deno.test("createNodes() leaves a node that has no work, is syncing, or is of another chain", async () => {
  const troubles: [Partial<ScriptedNode["script"]>, RegExp][] = [
    [{ refuses: ["eth_getWork"] }, /refused eth_getWork/],
    [{ syncing: true }, /syncing, at block 100/],
    [{ chainId: 61 }, /chain id is 61, not 1337/],
  ];
  for (const [trouble, reason] of troubles) {
    await using world = openWorld(2);
    Object.assign(world.servers[0]!.script, trouble);
    await world.check();
    assert.deepEqual(world.healthy(), ["n1"]);
    assert.match(world.nodes.health()[0]!.reason, reason);
    // Its work is heard of by nobody.
    assert.deepEqual(world.works.filter((line) => line.startsWith("n0")), []);
  }
});

Deno.test("createNodes() leaves a node that lags for ten seconds, and says so once", async () => {
  await using world = openWorld(2);
  const [first, second] = world.servers;
  await world.check();
  second!.script.height = 101;
  for (let i = 0; i < 9; i++) await world.check();
  assert.equal(world.nodes.current().name, "n0");
  second!.script.height = 102;
  await world.check();
  await world.check();
  assert.equal(world.nodes.current().name, "n0");
  await world.check();
  assert.equal(world.nodes.current().name, "n1");
  assert.match(world.nodes.health()[0]!.reason, /2 blocks behind/);
  for (let i = 0; i < 5; i++) await world.check();
  first!.script.height = 102;
  await world.check();
  await world.check();
  assert.equal(world.nodes.current().name, "n0");
  assert.deepEqual(told(world.logs), ["n0 sick", "n0 healthy"]);
});

Deno.test("createNodes() leaves a node on a fork, at the very first check too", async () => {
  await using world = openWorld(3);
  world.servers[0]!.script.fork = { from: 90, branch: 7 };
  await world.check();
  assert.deepEqual(world.healthy(), ["n1", "n2"]);
  assert.match(world.nodes.health()[0]!.reason, /on a fork: its block 97/);
  delete world.servers[0]!.script.fork;
  await world.check();
  await world.check();
  assert.deepEqual(world.healthy(), ["n0", "n1", "n2"]);
  // A fork near the head is nothing unusual, until it is three blocks deep.
  world.servers[1]!.script.fork = { from: 99, branch: 7 };
  for (let height = 100; height <= 101; height++) {
    for (const { script } of world.servers) script.height = height;
    await world.check();
    assert.deepEqual(world.healthy(), ["n0", "n1", "n2"]);
  }
  for (const { script } of world.servers) script.height = 102;
  await world.check();
  await world.check();
  assert.deepEqual(world.healthy(), ["n0", "n2"]);
});

Deno.test("createNodes() stays with the preferred of two that disagree, unless it lags", async () => {
  await using world = openWorld(2);
  const [first, second] = world.servers;
  second!.script.fork = { from: 90, branch: 7 };
  await world.check();
  assert.deepEqual(world.healthy(), ["n0"]);
  second!.script.height = 105;
  for (let i = 0; i < 3; i++) await world.check();
  assert.deepEqual(world.healthy(), ["n1"]);
  first!.script.fork = { from: 90, branch: 7 };
  first!.script.height = 105;
  for (let i = 0; i < 2; i++) await world.check();
  assert.deepEqual(world.healthy(), ["n0", "n1"]);
});

Deno.test("createNodes() leaves a node after five failed calls in a row", async () => {
  await using world = openWorld(2);
  await world.servers[0]!.stop();
  const [node] = world.nodes.all();
  for (let i = 0; i < 4; i++) await node!.blockNumber().catch(() => {});
  assert.equal(world.nodes.current().name, "n0");
  await node!.blockNumber().catch(() => {});
  assert.equal(world.nodes.current().name, "n1");
});

Deno.test("createNodes() falls back to the first node when all are sick", async () => {
  await using world = openWorld(2);
  for (const server of world.servers) await server.stop();
  await world.check();
  assert.equal(world.nodes.current().name, "n0");
  assert.deepEqual(world.healthy(), []);
  assert.throws(
    () => createNodes([], { log: createLogger(() => {}, "x"), needsWork: true }),
    /upstream/,
  );
});

Deno.test("submitWork() asks every node at once, sick ones too, and keeps each answer", async () => {
  await using world = openWorld(4);
  const [slow, refusing, sick, hungry] = world.servers;
  slow!.script.hangs = ["eth_submitWork"];
  refusing!.script.refuses = ["eth_submitWork"];
  sick!.script.chainId = 61;
  await world.check();
  assert.deepEqual(world.healthy(), ["n0", "n1", "n3"]);
  const heard: NodeAnswer[] = [];
  const all = world.nodes.submitWork("0x1", "0x2", "0x3", (answer) => heard.push(answer));
  await until("three answers", () => heard.length === 3);
  await world.clock.advance(5_000);
  const answers = await all;
  assert.deepEqual(answers.map(({ node, accepted }) => [node, accepted]), [
    ...[["n0", undefined], ["n1", undefined], ["n2", true], ["n3", true]],
  ]);
  assert.match(answers[0]!.error!, /did not answer/);
  assert.match(answers[1]!.error!, /refused/);
  assert.equal(answers[0]!.tookMs, 5_000);
  assert.deepEqual(sick!.submitted, [["0x1", "0x2", "0x3"]]);
  assert.deepEqual(hungry!.submitted, [["0x1", "0x2", "0x3"]]);
});

Deno.test("run() checks at each interval until it is aborted", async () => {
  await using world = openWorld(2);
  const end = new AbortController();
  const running = world.nodes.run(5_000, end.signal);
  const [first] = world.servers;
  await until("the first check", () => world.nodes.health()[0]!.height === 100);
  first!.script.chainId = 61;
  const before = first!.calls.length;
  await until("the next check", async () => {
    await world.clock.advance(500);
    return world.healthy().length === 1;
  });
  assert.ok(world.clock.now() >= 1_700_000_000_000 + 5_000);
  assert.equal(first!.calls.length - before, 5);
  end.abort(new Error("done"));
  await running;
});
