/** HTTP getwork as open-ethereum-pool answers it. */
import assert from "node:assert/strict";
import { targetOf, toHash } from "../base/mod.ts";
import { readDialogue, Words } from "../../tests/support/dialogue.ts";
import { doorDeps, scriptedDoor, scriptedJob } from "../../tests/support/door.ts";
import { answer, serveGetwork, splitValues } from "./getwork.ts";
import { addressReader, PRIVATE_RANGES } from "./remote_address.ts";
import { serveStratum } from "./server.ts";

const LOGIN = "0x" + "11".repeat(20);
const LIMITS = { limitHeadersBytes: 1_024, limitBodyBytes: 256 };
const TERMS = { difficulty: 2_000_000_000n, scheme: "prop" as const };
const MIX = "0x" + "cd".repeat(32);

function door() {
  const scripted = scriptedDoor();
  const deps = {
    service: scripted.service,
    ...doorDeps,
    terms: TERMS,
    addressOf: addressReader([]),
  };
  const ask = (path: string, body: string | undefined, init: RequestInit = {}) =>
    answer(
      new Request(`http://pool${path}`, {
        method: "POST",
        ...(body === undefined ? {} : { body }),
        ...init,
      }),
      "10.0.0.9",
      LIMITS,
      deps,
    );
  return { ...scripted, ask };
}

function listening() {
  const { service } = scriptedDoor();
  const options = { hostname: "127.0.0.1", port: 0, reusePort: false, maxConn: 8, ...LIMITS };
  return serveGetwork(options, {
    service,
    ...doorDeps,
    terms: TERMS,
    addressOf: addressReader([]),
  });
}

Deno.test("answer() gives work and takes it, several objects in one body", async () => {
  const { ask, submissions } = door();
  const { headerHash, seedHash } = scriptedJob(1);
  const response = await ask(
    `/${LOGIN}/rig1`,
    `{"id":1,"jsonrpc":"2.0","method":"eth_getWork","params":[]} {"id":2,"method":"eth_getBlockByNumber"}`,
  );
  assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
  const target = toHash(targetOf(2_000_000_000n));
  assert.equal(
    await response.text(),
    `{"id":1,"jsonrpc":"2.0","result":["${headerHash}","${seedHash}","${target}"]}\n` +
      `{"id":2,"jsonrpc":"2.0","result":{"number":"0x65","difficulty":"0x077359400"}}\n`,
  );
  const params = `["0x00000000000000c1","${headerHash}","${MIX}"]`;
  const taken = await ask(
    `/${LOGIN}/rig1`,
    `{"id":3,"method":"eth_submitWork","params":${params}}`,
  );
  assert.equal(await taken.text(), `{"id":3,"jsonrpc":"2.0","result":true}\n`);
  assert.deepEqual([submissions[0]!.login, submissions[0]!.worker], [LOGIN, "rig1"]);
});

Deno.test("answer() keeps open-ethereum-pool's status codes", async () => {
  const { ask, policy } = door();
  assert.equal((await ask("/nobody", "{}")).status, 404);
  assert.equal((await ask(`/${LOGIN}/a/b`, "{}")).status, 404);
  assert.equal((await ask(`/${LOGIN}`, undefined, { method: "GET" })).status, 405);
  const large = await ask(`/${LOGIN}`, "x".repeat(300));
  assert.equal(large.status, 417);
  assert.equal(await large.text(), "Request too large\n");
  const heavy = await ask(`/${LOGIN}`, "{}", { headers: { "x-long": "y".repeat(2_000) } });
  assert.equal(heavy.status, 431);
  assert.match(await (await ask(`/${LOGIN}`, "junk")).text(), /"code":-1/);
  for (let i = 0; i < 50; i++) policy.onMalformed("10.0.0.9");
  const banned = await ask(`/${LOGIN}`, `{"id":1,"method":"eth_getWork"}`);
  assert.deepEqual([banned.status, await banned.text()], [200, ""]);
});

/** The doors that speak HTTP getwork: a port of its own, and every stratum port. */
const DOORS: Record<string, () => Promise<{ port: number; close(): Promise<void> }>> = {
  async "serveGetwork()"() {
    const server = await listening();
    return { port: server.port, close: () => server.close(1_000) };
  },
  async "serveStratum()"() {
    const server = await serveStratum({
      ports: [{
        ...{ listen: { hostname: "127.0.0.1", port: 0 }, proxyProtocol: false, ...TERMS },
      }],
      ...{ trustedProxies: [], maxConn: 8, timeoutMs: 60_000, loginTimeoutMs: 60_000 },
      ...{ reusePort: false, getwork: LIMITS },
    }, { service: scriptedDoor().service, ...doorDeps });
    return { port: server.ports[0]!, close: () => server.close() };
  },
};

for (const [name, open] of Object.entries(DOORS)) {
  Deno.test(`${name} holds the dialogue getwork`, async () => {
    const server = await open();
    const { headerHash, seedHash } = scriptedJob(1);
    const words = new Words();
    words.set("HEADER", headerHash);
    words.set("SEED", seedHash);
    words.set("TARGET", toHash(targetOf(2_000_000_000n)));
    words.set("MIX", MIX);
    let given: Promise<Response> | undefined;
    let replies = 0;
    for (const { kind, text, line } of await readDialogue("getwork")) {
      if (kind === "→") {
        const [method, path, ...body] = words.fill(text).split(" ");
        given = fetch(`http://127.0.0.1:${server.port}${path}`, {
          method: method!,
          ...(body.length === 0 ? {} : { body: body.join(" ") }),
        });
      } else {
        const response = await given!;
        const answer = `${response.status} ${(await response.text()).trim()}`.trim();
        words.match(text.trim(), answer, `line ${line}`);
        replies++;
      }
    }
    assert.equal(replies, 9);
    await server.close();
  });
}

Deno.test("serveStratum() answers HTTP requests however they are cut, and ends broken ones", async () => {
  const server = await DOORS["serveStratum()"]!();
  const body = `{"id":1,"jsonrpc":"2.0","method":"eth_getWork","params":[]}`;
  const request = `POST /${LOGIN}/rig1 HTTP/1.1\r\nHost: pool\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  const say = async (parts: string[]) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    conn.setNoDelay(true);
    for (const part of parts) await conn.write(new TextEncoder().encode(part));
    let text = "";
    const buffer = new Uint8Array(4_096);
    while (!text.includes("\r\n\r\n") || !/\}\n$|length: 0/.test(text)) {
      const size = await conn.read(buffer);
      if (size === null) break;
      text += new TextDecoder().decode(buffer.subarray(0, size));
    }
    conn.close();
    return text;
  };
  for (const at of [1, 4, 20, 80, request.length - 1]) {
    const text = await say([request.slice(0, at), request.slice(at)]);
    assert.match(text, /^HTTP\/1.1 200/, `cut at ${at}`);
    assert.match(text, /"result":\["0x/);
  }
  // Two requests at once on one connection get two answers.
  assert.match(await say([request + request.replace('"id":1', '"id":2')]), /"id":1/);
  const refused: [string, RegExp][] = [
    [`POST /${LOGIN} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n`, /^HTTP\/1.1 411/],
    [`POST /${LOGIN} HTTP/1.1\r\nContent-Length: x\r\n\r\n`, /^HTTP\/1.1 400/],
    [`POST /${LOGIN} HTTP/9\r\n\r\n`, /^HTTP\/1.1 400/],
    [`POST /${LOGIN} HTTP/1.1\r\nx: ${"y".repeat(4_000)}`, /^HTTP\/1.1 431/],
    [`POST /${LOGIN} HTTP/1.1\r\nContent-Length: 900\r\n\r\n${"z".repeat(900)}`, /^HTTP\/1.1 417/],
  ];
  for (const [text, status] of refused) assert.match(await say([text]), status);
  await server.close();
});

Deno.test("serveGetwork() answers over a real socket", async () => {
  const server = await listening();
  const response = await fetch(`http://127.0.0.1:${server.port}/${LOGIN}`, {
    method: "POST",
    body: `{"id":1,"method":"nothing"}`,
  });
  assert.match(await response.text(), /"code":-3/);
  await server.close(1_000);
});

Deno.test("splitValues() cuts objects apart and keeps junk as one value", () => {
  assert.deepEqual(splitValues(`{"a":"}{"}{"b":[1]}\n junk`), [`{"a":"}{"}`, `{"b":[1]}`, "junk"]);
  assert.deepEqual(splitValues(""), []);
});

Deno.test("addressReader() believes only the last hop of a listed proxy", () => {
  const read = addressReader(PRIVATE_RANGES);
  assert.equal(read("127.0.0.1", "6.6.6.6, 203.0.113.7"), "203.0.113.7");
  assert.equal(read("203.0.113.1", "6.6.6.6"), "203.0.113.1");
  assert.equal(read("::ffff:10.0.0.1", "203.0.113.7"), "203.0.113.7");
  assert.equal(read("127.0.0.1", "nonsense"), "127.0.0.1");
  assert.equal(addressReader([])("127.0.0.1", "203.0.113.7"), "127.0.0.1");
});
