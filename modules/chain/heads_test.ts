/** New heads over a real WebSocket server: rings, comes back, and notices silence. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { followHeads } from "./heads.ts";

/** A node that takes subscriptions; `serve` says what each connection does. */
function headServer(serve: (socket: WebSocket, connection: number) => void) {
  let connections = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    const connection = ++connections;
    socket.onmessage = ({ data }) => {
      const { id, method, params } = JSON.parse(data);
      assert.deepEqual([method, params], ["eth_subscribe", ["newHeads"]]);
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, result: "0x1" }));
      serve(socket, connection);
    };
    return response;
  });
  return { url: `ws://127.0.0.1:${server.addr.port}`, server };
}

const HEAD = JSON.stringify({
  ...{ jsonrpc: "2.0", method: "eth_subscription" },
  params: { subscription: "0x1", result: { number: "0x10" } },
});

Deno.test("followHeads() rings for each head, and comes back after a lost and a silent connection", async () => {
  const rung = Promise.withResolvers<void>();
  let [heads, seen] = [0, 0];
  const { url, server } = headServer((socket, connection) => {
    seen = connection;
    // The first is closed after two heads, the second never says anything.
    if (connection === 1) {
      socket.send(HEAD);
      socket.send(HEAD);
      socket.close();
    } else if (connection === 3) socket.send(HEAD);
  });
  const end = new AbortController();
  const done = followHeads({ node: "n", url, silentMs: 200 }, {
    ...{ clock: systemClock, log: silentLogger },
    onHead: () => ++heads === 3 && rung.resolve(),
  }, end.signal);
  await rung.promise;
  assert.equal(seen, 3);
  end.abort(new Error("done"));
  await done;
  await server.shutdown();
});

Deno.test("followHeads() ends at once when it is aborted, connected or not", async () => {
  for (const url of ["ws://127.0.0.1:1", headServerUrl()]) {
    const end = new AbortController();
    const done = followHeads({ node: "n", url, silentMs: 60_000 }, {
      ...{ clock: systemClock, log: silentLogger, onHead: () => {} },
    }, end.signal);
    await new Promise((resolve) => setTimeout(resolve, 20));
    end.abort(new Error("done"));
    await done;
  }
  await silentServer?.shutdown();
});

let silentServer: Deno.HttpServer | undefined;
function headServerUrl(): string {
  const { url, server } = headServer(() => {});
  silentServer = server;
  return url;
}
