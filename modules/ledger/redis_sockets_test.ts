/** Tests that Redis's sockets outlive a fault that comes before the client listens. */
import assert from "node:assert/strict";
import net from "node:net";
import tls from "node:tls";
import { makeCertificate } from "../../tests/support/certificate.ts";
import { connectOnce } from "./redis_client.ts";
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

Deno.test("watched() sockets tell a fault that nobody heard to who listens next", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = net.createConnection(watched({ host: "127.0.0.1", port: listener.addr.port }));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  (await listener.accept()).close();
  const heard: Error[] = [];
  const first = new Error("first");
  socket.emit("error", first);
  socket.once("error", (error) => heard.push(error));
  socket.on("error", () => {});
  await Promise.resolve();
  assert.deepEqual(heard, [first]);
  // What somebody heard is not told again, and a second one ends nothing.
  socket.emit("error", new Error("second"));
  const later: Error[] = [];
  socket.on("error", (error) => later.push(error));
  await Promise.resolve();
  assert.deepEqual(later, []);
  socket.destroy();
  await closed;
});

Deno.test("connectOnce() outlives a server that hangs up after the handshake, and says so", async () => {
  const [certificate, pool] = [makeCertificate("redis"), makeCertificate("pool")];
  const server = tls.createServer({
    ...{ cert: certificate.cert, key: certificate.key, ca: pool.cert },
    ...{ requestCert: true, rejectUnauthorized: true },
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const asking = { database: 0, password: "", tls: { ca: certificate.cert }, timeoutMs: 20_000 };
  // The alert comes before or after the client's own listener, or is lost to a reset.
  for (let turn = 0; turn < 20; turn++) {
    await assert.rejects(
      connectOnce({ ...asking, address: `127.0.0.1:${port}` }),
      /alert|reset|closed|EPIPE/i,
    );
  }
  await new Promise((resolve) => server.close(resolve));
});
