/** The HTTP door against peers that hold connections, drip bytes and send nonsense. */
import assert from "node:assert/strict";
import { startChild, until } from "../../tests/support/process.ts";
import { createLogger, type LogRecord, systemClock } from "../base/mod.ts";
import { type HttpHandler, type HttpOptions, serveHttp } from "./server.ts";

async function door(options: Partial<HttpOptions>, handler: HttpHandler) {
  const lines: LogRecord[] = [];
  const log = createLogger((record) => lines.push(record), "http");
  const server = await serveHttp(
    { hostname: "127.0.0.1", port: 0, connectionsMax: 8, bodyBytesMax: 16, ...options },
    handler,
    { log, clock: systemClock },
  );
  return {
    ...{ lines, server },
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: server.port }),
    [Symbol.asyncDispose]: () => server.close(1_000),
  };
}

const encoder = new TextEncoder();

/** Everything that comes until the peer closes. */
async function rest(conn: Deno.Conn): Promise<string> {
  return await new Response(conn.readable).text().catch(() => "");
}

async function raw(conn: Deno.Conn, text: string): Promise<string> {
  await conn.write(encoder.encode(text));
  return await rest(conn);
}

const echo: HttpHandler = async (request, peer) => {
  const { pathname, search } = new URL(request.url);
  return new Response(`${request.method} ${pathname}${search} ${await request.text()} ${peer}`, {
    status: 202,
    headers: { "x-given": request.headers.get("x-given") ?? "none" },
  });
};

Deno.test("serveHttp() hands over method, path, headers, body and peer", async () => {
  await using http = await door({}, echo);
  const response = await fetch(`http://127.0.0.1:${http.server.port}//a%20b?c=d`, {
    ...{ method: "POST", body: "body", headers: { "x-given": "yes" } },
  });
  assert.equal(await response.text(), "POST //a%20b?c=d body 127.0.0.1");
  assert.deepEqual([response.status, response.headers.get("x-given")], [202, "yes"]);
});

Deno.test("serveHttp() shows one byte more than allowed and closes the connection", async () => {
  await using http = await door({}, echo);
  const chunks = "8\r\nxxxxxxxx\r\n".repeat(100);
  const head = "POST /p HTTP/1.1\r\nHost: pool\r\n";
  const chunked = await raw(
    await http.connect(),
    `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`,
  );
  assert.match(chunked, new RegExp(`POST /p x{17} 127`));
  // What is announced as too long is not waited for.
  const announced = await raw(await http.connect(), `${head}Content-Length: 1000000\r\n\r\nabc`);
  assert.match(announced, /POST \/p {2}127/);
});

Deno.test("serveHttp() answers what cannot be read with 400 and the rest goes on", async () => {
  await using http = await door({}, echo);
  for (const target of ["*", "http://[x/a", "a b"]) {
    const answer = await raw(
      await http.connect(),
      `POST ${target} HTTP/1.1\r\nHost: pool\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 400 /, target);
  }
  const odd = "GET http://other/a?b HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n";
  assert.match(await raw(await http.connect(), odd), /GET \/a\?b {2}127/);
  await raw(await http.connect(), "\x16\x03\x01\x00\xc8\x01\x00\r\n\r\n");
  assert.deepEqual(http.lines, []);
});

Deno.test("serveHttp() makes a handler's failure a 500 and a log line", async () => {
  await using http = await door({}, () => {
    throw new Error("broken");
  });
  const response = await fetch(`http://127.0.0.1:${http.server.port}/x`);
  assert.deepEqual([response.status, await response.text()], [500, ""]);
  assert.deepEqual(http.lines.map((line) => line.event), ["http.failed"]);
});

Deno.test("serveHttp() refuses connections above the maximum, says so once, and serves on", async () => {
  await using http = await door({ connectionsMax: 3 }, echo);
  const held = await Promise.all(Array.from({ length: 3 }, () => http.connect()));
  for (const conn of held) await conn.write(encoder.encode("GET /half"));
  const refused = await Promise.all(Array.from({ length: 5 }, () => http.connect()));
  for (const conn of refused) assert.equal(await rest(conn), "");
  assert.deepEqual(http.lines.map((line) => line.event), ["http.full"]);
  for (const conn of held) {
    assert.match(await raw(conn, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), / 202 /);
  }
});

Deno.test("serveHttp() closes connections that never finish a head or a body", async () => {
  await using http = await door({ headMs: 100, requestMs: 200 }, echo);
  const silent = await http.connect();
  const half = await http.connect();
  await half.write(encoder.encode("GET / HT"));
  const body = await http.connect();
  await body.write(encoder.encode("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"));
  // The test ends only when all three were closed.
  for (const conn of [silent, half, body]) assert.doesNotMatch(await rest(conn), / 202 /);
});

Deno.test("HttpServer.close() answers what is under way and cuts what takes too long", async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const http = await door({}, async () => {
    begun.resolve();
    await gate.promise;
    return new Response("late");
  });
  const idle = await http.connect();
  const asked = fetch(`http://127.0.0.1:${http.server.port}/`);
  await begun.promise;
  const closed = http.server.close(10_000);
  gate.resolve();
  assert.equal(await (await asked).text(), "late");
  await closed;
  assert.equal(await rest(idle), "");

  const stuck = await door({}, () => new Promise(() => {}));
  const conn = await stuck.connect();
  await conn.write(encoder.encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  await stuck.server.close(50);
  assert.equal(await rest(conn), "");
  await assert.rejects(stuck.connect());
});

Deno.test("HttpServer.close() does not wait for requests whose peers went away", async () => {
  const gone = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const http = await door({}, async () => {
    begun.resolve();
    await gone.promise;
    answered.resolve();
    return new Response("too late");
  });
  const end = new AbortController();
  const asked = fetch(`http://127.0.0.1:${http.server.port}/`, { signal: end.signal });
  await begun.promise;
  end.abort();
  await assert.rejects(asked);
  await new Promise((resolve) => setTimeout(resolve, 50));
  gone.resolve();
  await answered.promise;
  const startMs = performance.now();
  await http.server.close(5_000);
  assert.ok(performance.now() - startMs < 2_500);
});

Deno.test("serveHttp() accepts again after the process ran out of file handles", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const hello = new URL("../../tests/fixtures/http/hello.ts", import.meta.url).pathname;
  await using child = startChild("sh", [
    ...["-c", `ulimit -n 120; exec "$0" run --allow-net "$1"`, Deno.execPath(), hello],
  ]);
  const port = Number(await until("the port", () => /"port":(\d+)/.exec(child.output())?.[1]));
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
  const ask = async (conn: Deno.TcpConn) => {
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
    const buffer = new Uint8Array(1_024);
    const size = await conn.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, size ?? 0));
  };
  // The system takes more connections than the process has handles for.
  const held = await Promise.all(Array.from({ length: 160 }, connect));
  assert.match(await ask(held[0]!), /^HTTP\/1.1 200/);
  for (const conn of held) conn.close();
  const late = await connect();
  assert.match(await ask(late), /^HTTP\/1.1 200/);
  late.close();
});
