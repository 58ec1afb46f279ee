/** The door for pushes over real sockets: who is heard, as which node, and what is refused. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord } from "../base/mod.ts";
import type { Push } from "../chain/mod.ts";
import { type NotifyOptions, serveNotify } from "./notify_door.ts";

const HASH = "0x" + "ab".repeat(32), SEED = "0x" + "00".repeat(32);
const WORK = [HASH, SEED, "0x0fff", "0x10"];
const NEAR = ["127.0.0.1", "::1/128"];

interface Door extends AsyncDisposable {
  heard: [string[], Push][];
  logs: LogRecord[];
  clock: FakeClock;
  /** Sends a request; gives the status. */
  send(body: BodyInit | null, path?: string, method?: string): Promise<number>;
}

async function openDoor(nodes: NotifyOptions["nodes"]): Promise<Door> {
  const [heard, logs]: [[string[], Push][], LogRecord[]] = [[], []];
  const clock = new FakeClock();
  const server = await serveNotify({ hostname: "127.0.0.1", port: 0, nodes }, {
    ...{ clock, log: createLogger((record) => logs.push(record), "mining") },
    onPush: (names, push) => heard.push([names, push]),
  });
  return {
    ...{ heard, logs, clock },
    async send(body, path = "/", method = "POST") {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, body });
      await response.body?.cancel();
      return response.status;
    },
    async [Symbol.asyncDispose]() {
      const closing = server.close(1_000);
      await clock.advance(1_000);
      await closing;
    },
  };
}

const json = JSON.stringify;

Deno.test("serveNotify() hears work and headers of a listed node", async () => {
  await using door = await openDoor([
    { name: "far", notifyFrom: ["10.0.0.0/8"] },
    { name: "near", notifyFrom: NEAR },
  ]);
  assert.equal(await door.send(json(WORK)), 200);
  assert.equal(await door.send(json(WORK.slice(0, 3))), 200);
  assert.equal(await door.send(json({ parentHash: HASH, number: "0x11" })), 200);
  const work = { headerHash: HASH, seedHash: SEED, target: 0xfffn };
  assert.deepEqual(door.heard, [
    [["near"], { kind: "work", work: { ...work, height: 16 } }],
    [["near"], { kind: "work", work }],
    [["near"], { kind: "header", height: 17 }],
  ]);
});

Deno.test("serveNotify() tells nodes behind one address apart by the path", async () => {
  await using door = await openDoor([
    { name: "main", notifyFrom: NEAR },
    { name: "a b", notifyFrom: NEAR },
    { name: "far", notifyFrom: ["10.0.0.0/8"] },
  ]);
  for (const path of ["/main", "/a%20b", "/", "/ethw", "/far", "/%zz"]) {
    assert.equal(await door.send(json(WORK), path), 200);
  }
  const all = ["main", "a b"];
  assert.deepEqual(door.heard.map(([names]) => names), [["main"], ["a b"], all, all, all, all]);
});

Deno.test("serveNotify() refuses broken bodies and other methods, and counts them", async () => {
  await using door = await openDoor([{ name: "near", notifyFrom: NEAR }]);
  const bodies: BodyInit[] = [
    ...["", "x", "[]", "{}", "[1,2,3]", "null", json(WORK).slice(0, -1)],
    json([...WORK, "x".repeat(20_000)]),
    new Uint8Array([0xff, 0xfe, 0x00]),
    "[".repeat(10_000),
  ];
  for (const body of bodies) {
    assert.equal(await door.send(body), 400, String(body).slice(0, 20));
  }
  assert.equal(await door.send(null, "/", "GET"), 405);
  assert.deepEqual(door.heard, []);
  await door.clock.advance(60_000);
  await door.send("x");
  const broken = door.logs.filter(({ event }) => event === "notify.broken");
  assert.deepEqual(broken.map(({ facts }) => facts["requests"]), [1, bodies.length]);
});

Deno.test("serveNotify() lets no stranger in, whatever he claims, and says so once a minute", async () => {
  await using door = await openDoor([{ name: "far", notifyFrom: ["10.0.0.0/8"] }]);
  for (let i = 0; i < 3; i++) {
    assert.equal(await door.send(json(WORK), i === 0 ? "/far" : "/"), 403);
  }
  assert.equal(await door.send(null, "/", "GET"), 403);
  assert.deepEqual(door.heard, []);
  const told = () => door.logs.filter(({ event }) => event === "notify.stranger");
  assert.equal(told().length, 1);
  assert.equal(told()[0]!.facts["ip"], "127.0.0.1");
  await door.clock.advance(60_000);
  assert.equal(await door.send(json(WORK)), 403);
  assert.deepEqual(told().map(({ facts }) => facts["requests"]), [1, 4]);
});

Deno.test("serveNotify() refuses a list of ranges that cannot be read, naming it", async () => {
  await assert.rejects(
    openDoor([{ name: "n", notifyFrom: ["10.0.0.0/8", "x"] }]),
    /upstream n: notifyFrom\[1\]: "x" is no address range/,
  );
});
