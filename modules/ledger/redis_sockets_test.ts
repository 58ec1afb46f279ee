/** Tests that Redis's sockets outlive a fault that comes before the client listens. */
import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { watched } from "./redis_sockets.ts";

Deno.test("watched() sockets have a listener for errors from their beginning, no others", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const at = { host: "127.0.0.1", port: listener.addr.port };
  /** Listeners for errors that a socket has before anybody could add one. */
  const listeners = async (connect: () => net.Socket) => {
    const socket = connect();
    const count = socket.listenerCount("error");
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", resolve));
    (await listener.accept()).close();
    socket.destroy();
    await closed;
    return count;
  };
  assert.equal(
    await listeners(() => net.createConnection(watched(at))),
    await listeners(() => net.createConnection(at)) + 1,
  );
  assert.equal(
    await listeners(() => tls.connect(watched(at))),
    await listeners(() => tls.connect(at)) + 1,
  );
});
