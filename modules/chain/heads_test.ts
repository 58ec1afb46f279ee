/** New heads over a real WebSocket server: rings, comes back, and tells silence from slowness. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, type LogRecord } from "../base/mod.ts";
import { type HeadServer, startHeadServer } from "../../tests/support/head_server.ts";
import { until } from "../../tests/support/process.ts";
import { followHeads } from "./heads.ts";

/** Long in steps of the fake clock, so that real sockets always answer in time. */
const SILENT_MS = 60_000, PATIENCE_MS = 60_000;

interface Following extends AsyncDisposable {
  server: HeadServer;
  clock: FakeClock;
  heads: (number | undefined)[];
  logs: LogRecord[];
  /** Lets time pass in steps until something is so. */
  later(what: string, check: () => boolean): Promise<void>;
}

function follow(url?: string): Following {
  const server = startHeadServer();
  const clock = new FakeClock();
  const [heads, logs]: [(number | undefined)[], LogRecord[]] = [[], []];
  const end = new AbortController();
  const options = {
    node: "n",
    url: url ?? server.url,
    silentMs: SILENT_MS,
    patienceMs: PATIENCE_MS,
  };
  const done = followHeads(options, {
    ...{ clock, log: createLogger((record) => logs.push(record), "mining") },
    onHead: (height) => heads.push(height),
  }, end.signal);
  return {
    ...{ server, clock, heads, logs },
    async later(what, check) {
      for (let seconds = 0; !check(); seconds++) {
        assert.ok(seconds < 3_600, `waited in vain for ${what}`);
        await clock.advance(1_000);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    },
    async [Symbol.asyncDispose]() {
      end.abort(new Error("done"));
      let ended = false;
      done.then(() => ended = true);
      await this.later("the end", () => ended);
      await server[Symbol.asyncDispose]();
    },
  };
}

const lost = (logs: LogRecord[]) => logs.filter(({ event }) => event === "heads.lost");

Deno.test("followHeads() rings for the subscription and for each head, and comes back", async () => {
  await using following = follow();
  const { server, heads, logs } = following;
  await until("the subscription", () => heads.length === 1);
  server.tell(101);
  server.tell(102);
  await until("two heads", () => heads.length === 3);
  assert.deepEqual(heads, [undefined, 101, 102]);
  server.drop();
  await following.later("another subscription", () => server.subscriptions === 2);
  server.tell(103);
  await until("its head", () => heads.at(-1) === 103);
  assert.deepEqual(logs.map(({ event }) => event), ["heads.lost", "heads.back"]);
});

Deno.test("followHeads() keeps a node that has no news but answers", async () => {
  await using following = follow();
  const { server, heads } = following;
  await until("the subscription", () => heads.length === 1);
  const questions = () => server.calls.filter((method) => method === "eth_blockNumber").length;
  for (let question = 1; question <= 3; question++) {
    const askedMs = following.clock.now();
    await following.later("a question", () => questions() === question);
    assert.ok(following.clock.now() - askedMs >= SILENT_MS - 1_000);
  }
  // One head may be on its way; heads end the silence.
  server.height = 101;
  await following.later("a question", () => questions() === 4);
  server.tell(101);
  await until("the head", () => heads.at(-1) === 101);
  assert.equal(server.subscriptions, 1);
  assert.deepEqual(following.logs, []);
});

Deno.test("followHeads() leaves a connection that tells of no head though there are some", async () => {
  await using following = follow();
  const { server, heads, logs } = following;
  await until("the subscription", () => heads.length === 1);
  server.tell(101);
  await until("the head", () => heads.length === 2);
  server.height = 103;
  await following.later("another subscription", () => server.subscriptions === 2);
  assert.match(String(lost(logs)[0]!.facts["reason"]), /went on from 101 to 103/);
});

Deno.test("followHeads() leaves a connection that answers nothing any more", async () => {
  await using following = follow();
  const { server, heads, logs } = following;
  await until("the subscription", () => heads.length === 1);
  server.height = undefined;
  await following.later("the loss", () => lost(logs).length === 1);
  assert.match(String(lost(logs)[0]!.facts["reason"]), /no answer for 60000 ms/);
  await following.later("another try", () => server.subscriptions === 2);
  // Not answered either: tried again and again, told once.
  await following.later("one more", () => server.subscriptions === 3);
  server.height = 100;
  await following.later("an answer", () => heads.length === 2);
  assert.equal(lost(logs).length, 1);
});

Deno.test("followHeads() takes no harm from what is no head", async () => {
  await using following = follow();
  const { server, heads } = following;
  await until("the subscription", () => heads.length === 1);
  const subscription = (result: unknown) =>
    JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params: { result } });
  for (const text of ["", "x", "null", "1", "[]", "{}", "9".repeat(70_000)]) server.send(text);
  server.send(subscription(undefined));
  server.send(subscription({ number: "0xzz" }));
  server.tell(101);
  await until("the head", () => heads.at(-1) === 101);
  assert.deepEqual(heads, [undefined, undefined, undefined, 101]);
  assert.equal(server.subscriptions, 1);
});

Deno.test("followHeads() tries again where subscriptions are refused, and says why", async () => {
  await using following = follow();
  following.server.refuses = true;
  await following.later("the refusal", () => lost(following.logs).length === 1);
  assert.match(String(lost(following.logs)[0]!.facts["reason"]), /refuses eth_subscribe/);
  following.server.refuses = false;
  await following.later("the subscription", () => following.heads.length === 1);
});

Deno.test("followHeads() ends when it is aborted, connected or not", async () => {
  await using connected = follow();
  await until("the subscription", () => connected.heads.length === 1);
  await using refused = follow("ws://127.0.0.1:1");
  await until("the loss", () => lost(refused.logs).length === 1);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const conns: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const conn of listener) conns.push(conn);
  })();
  {
    // Takes the connection and never answers the handshake.
    await using hanging = follow(`ws://127.0.0.1:${port}`);
    await until("the connection", () => conns.length === 1);
    await hanging.later("the loss", () => lost(hanging.logs).length === 1);
    assert.match(String(lost(hanging.logs)[0]!.facts["reason"]), /no answer for 60000 ms/);
  }
  for (const conn of conns) conn.close();
  listener.close();
  await accepting;
});
