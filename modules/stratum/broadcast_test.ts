/** Broadcasts in portions: everybody's newest job, nobody forgotten, shares taken in between. */
import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer } from "node:net";
import { doorDeps, scriptedDoor, scriptedJob } from "../../tests/support/door.ts";
import { Broadcast, onNextTurn, PORTION } from "./broadcast.ts";
import type { Wire } from "./net/mod.ts";
import { JobIds, OfferSet } from "./offers.ts";
import { Session } from "./session.ts";

const COUNT = 5 * PORTION + 7;

function offers(n: number): OfferSet {
  return new OfferSet(
    scriptedJob(n),
    { epoch: 0, clean: true, repeated: false },
    new JobIds(0),
  );
}

/** Receivers that keep what they got, and turns that the test gives. */
function setUp() {
  const got: { who: number; set: OfferSet }[] = [];
  const receivers = new Set(
    Array.from({ length: COUNT }, (_, who) => ({
      who,
      push: (set: OfferSet) => void got.push({ who, set }),
    })),
  );
  const turns: (() => void)[] = [];
  const state = { current: undefined as OfferSet | undefined };
  const broadcast = new Broadcast({
    receivers,
    isCurrent: (set) => set === state.current,
    onNextTurn: (call) => turns.push(call),
  });
  const send = (set: OfferSet) => {
    state.current = set;
    broadcast.send(set);
  };
  const finish = () => {
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) turn();
  };
  return { got, receivers, turns, state, broadcast, send, finish };
}

Deno.test("a broadcast reaches everybody once, a portion at a time", () => {
  const { got, turns, send, finish } = setUp();
  send(offers(1));
  assert.equal(got.length, PORTION);
  assert.equal(turns.length, 1);
  finish();
  assert.equal(got.length, COUNT);
  assert.equal(new Set(got.map(({ who }) => who)).size, COUNT);
});

Deno.test("who waits for a job when a newer one comes gets only that, before the others", () => {
  const { got, turns, send, finish } = setUp();
  const [older, newer] = [offers(1), offers(2)];
  send(older);
  turns.shift()!();
  const served = new Set(got.map(({ who }) => who));
  send(newer);
  assert.equal(got.length, 2 * PORTION, "one portion a turn, whatever is sent");
  finish();
  const after = got.slice(2 * PORTION);
  assert.ok(after.every(({ set }) => set === newer));
  assert.equal(after.length, COUNT);
  const late = after.slice(0, COUNT - served.size);
  assert.ok(late.every(({ who }) => !served.has(who)));
});

Deno.test("jobs that come faster than a broadcast ends still reach everybody", () => {
  const { got, turns, send } = setUp();
  for (let n = 1; n <= 12; n++) {
    send(offers(n));
    turns.shift()?.();
  }
  assert.equal(new Set(got.map(({ who }) => who)).size, COUNT);
});

Deno.test("who left, and everybody once the job is withdrawn, is left out", () => {
  const { got, receivers, state, send, finish, turns } = setUp();
  send(offers(1));
  const gone = [...receivers].filter(({ who }) => !got.some((one) => one.who === who));
  for (const receiver of gone.slice(0, 100)) receivers.delete(receiver);
  turns.shift()!();
  state.current = undefined;
  finish();
  assert.ok(got.length <= 2 * PORTION);
  assert.ok(!gone.slice(0, 100).some(({ who }) => got.some((one) => one.who === who)));
});

Deno.test("onNextTurn() lets the event loop read its sockets first", async () => {
  let received = 0;
  const server = createServer((socket) => socket.on("data", ({ length }) => received += length));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").setNoDelay(true);
  try {
    await new Promise<void>((resolve) => client.once("connect", resolve));
    client.write("x");
    while (received === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    for (let sent = 2; sent <= 100; sent++) {
      // Over loopback the byte is with the server's system when write() returns.
      client.write("x");
      await new Promise<void>((resolve) => onNextTurn(resolve));
      assert.equal(received, sent);
    }
  } finally {
    client.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});

Deno.test("a session whose login brought the job gets it no second time by the broadcast", async () => {
  const door = scriptedDoor();
  const sent: string[] = [];
  const lines = [
    { id: 1, method: "mining.subscribe", params: ["t/1", "EthereumStratum/1.0.0"] },
    { id: 2, method: "mining.authorize", params: ["0x" + "11".repeat(20), "x"] },
  ].map((line) => new TextEncoder().encode(JSON.stringify(line) + "\n"));
  const loggedIn = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<null>();
  const jobs = () => sent.filter((line) => line.includes('"mining.notify","params"')).length;
  const note = (bytes: Uint8Array) => {
    sent.push(...new TextDecoder().decode(bytes).trim().split("\n"));
    if (jobs() > 0) loggedIn.resolve();
  };
  const wire: Wire = {
    ...{ remoteAddress: "127.0.0.1", secure: false, queuedBytes: 0, send: note, sendLatest: note },
    read: () => lines.length > 0 ? Promise.resolve(lines.shift()!) : ended.promise,
    close: () => ended.resolve(null),
  };
  const terms = { difficulty: 1_000_000n, scheme: "prop" as const };
  const session = new Session(wire, { service: door.service, terms, ...doorDeps });
  const run = session.run();
  await loggedIn.promise;
  assert.equal(jobs(), 1);
  session.push(door.service.offers()!);
  assert.equal(jobs(), 1);
  session.push(door.service.renewedOffers()!);
  assert.equal(jobs(), 2);
  wire.close();
  await run;
});
