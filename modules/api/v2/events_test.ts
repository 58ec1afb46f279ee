/** The doorbell over a real server: what rings, how many may listen, and how it ends. */
import assert from "node:assert/strict";
import { FakeClock, silentLogger } from "../../base/mod.ts";
import { serveHttp } from "../../http/mod.ts";
import type { Overview } from "../../ledger/mod.ts";
import { Latest } from "../latest.ts";
import { Doorbell, eventsBetween } from "./events.ts";

function overview(change: Partial<Overview> = {}): Overview {
  return {
    ...{ collectedAtMs: 1, hashrateHps: 0n, miners: 0, workers: 0, roundShares: 0n },
    ...{ roundStartedAt: null, height: null, difficulty: null, blockSeconds: null, luck: [] },
    ...{
      candidatesTotal: 0,
      immatureTotal: 0,
      maturedTotal: 0,
      orphaned: { immature: 0, matured: 0 },
      paymentsTotal: 0,
    },
    ...{ paidShannon: 0n, paidDayShannon: 0n, lastRewardWei: null, recent: [] },
    ...change,
  };
}

Deno.test("eventsBetween() rings for what has changed", () => {
  const names = (before: Overview | undefined, now: Overview | undefined) =>
    [...eventsBetween(before, now).matchAll(/event: (\w+)\ndata: \{"version":(\d+)\}\n\n/g)]
      .map(([, name, version]) => `${name} ${version}`);
  assert.deepEqual(names(undefined, undefined), []);
  assert.deepEqual(names(undefined, overview()), ["pool 1"]);
  assert.deepEqual(names(overview(), overview()), []);
  assert.deepEqual(names(overview(), overview({ collectedAtMs: 2 })), ["pool 2"]);
  assert.deepEqual(
    names(overview(), overview({ collectedAtMs: 2, candidatesTotal: 1, paymentsTotal: 1 })),
    ["pool 2", "block 2", "payment 2"],
  );
});

async function world() {
  const clock = new FakeClock(1_700_000_400_000);
  let now = overview();
  const bell = new Doorbell({
    clock,
    overview: new Latest(() => Promise.resolve(now), { clock, log: silentLogger }),
  });
  const server = await serveHttp(
    { hostname: "127.0.0.1", port: 0, connectionsMax: 100, bodyBytesMax: 0 },
    (request, peer) => bell.open(peer, request.method),
    { log: silentLogger, clock },
  );
  const url = `http://127.0.0.1:${server.port}/`;
  return {
    ...{ clock, bell, url, server },
    set: (next: Overview) => now = next,
    async [Symbol.asyncDispose]() {
      bell.close();
      const closed = server.close(1_000);
      await clock.advance(1_000);
      await closed;
    },
  };
}

/** Reads a stream until a text comes, while the clock goes on. */
async function until(
  reader: ReadableStreamDefaultReader<string>,
  clock: FakeClock,
  wanted: string,
): Promise<string> {
  let text = "";
  const end = new AbortController();
  const ticking = (async () => {
    while (!end.signal.aborted) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  while (!text.includes(wanted)) {
    const part = await reader.read();
    assert(!part.done, `the stream ended with ${text}`);
    text += part.value;
  }
  end.abort();
  await ticking;
  return text;
}

function readerOf(response: Response) {
  return response.body!.pipeThrough(new TextDecoderStream()).getReader();
}

Deno.test("Doorbell rings over a real connection, keeps it open, and lets the peer go", async () => {
  await using it = await world();
  const response = await fetch(it.url);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = readerOf(response);
  await until(reader, it.clock, 'event: pool\ndata: {"version":1}\n\n');
  it.set(overview({ collectedAtMs: 2, candidatesTotal: 1 }));
  await until(reader, it.clock, 'event: block\ndata: {"version":2}\n\n');
  await until(reader, it.clock, ": still here\n\n");
  assert.equal(it.bell.size, 1);
  await reader.cancel();
  while (it.bell.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
});

Deno.test("Doorbell opens no stream for HEAD, which nobody would read", async () => {
  await using it = await world();
  for (let i = 0; i < 10; i++) {
    const response = await fetch(it.url, { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
  }
  assert.equal(it.bell.size, 0);
});

Deno.test("Doorbell lets a listener go that does not read", async () => {
  const clock = new FakeClock(1_700_000_400_000);
  let collectedAtMs = 1;
  const bell = new Doorbell({
    clock,
    overview: new Latest(() => Promise.resolve(overview({ collectedAtMs: collectedAtMs++ })), {
      ...{ clock, log: silentLogger },
    }),
  });
  const reader = bell.open("192.0.2.1").body!.getReader();
  for (let i = 0; i < 500 && bell.size > 0; i++) await clock.advance(1_000);
  assert.equal(bell.size, 0);
  await assert.rejects(reader.read(), /does not read/);
});

Deno.test("Doorbell lets an address open eight streams, and ends all when it closes", async () => {
  await using it = await world();
  const readers = [];
  for (let i = 0; i < 8; i++) readers.push(readerOf(await fetch(it.url)));
  const refused = await fetch(it.url);
  assert.equal(refused.status, 429);
  assert.equal((await refused.json()).error.code, "too_many_streams");
  it.bell.close();
  for (const reader of readers) {
    let part = await reader.read();
    while (!part.done) part = await reader.read();
  }
  assert.equal(it.bell.size, 0);
});
