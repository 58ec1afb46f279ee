/** TLS clients for tests, and a relay that cuts, gathers or stops what travels between two sockets. */
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { TestCertificate } from "./certificate.ts";
import { RawClient } from "./port.ts";

/** A TLS client that checks the certificate's chain. */
export class TlsClient {
  constructor(readonly socket: TLSSocket) {}

  /** Connects and completes the handshake. */
  static async connect(port: number, { cert }: TestCertificate): Promise<TlsClient> {
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: cert });
    await once(socket, "secureConnect");
    return new TlsClient(socket);
  }

  /** The fingerprint of the certificate it met. */
  get fingerprint(): string {
    return this.socket.getPeerCertificate().fingerprint256;
  }

  /** What comes next, as text. */
  async read(): Promise<string> {
    const [bytes] = await once(this.socket, "data");
    return new TextDecoder().decode(bytes);
  }

  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    const closed = once(this.socket, "close");
    this.socket.destroy();
    await closed;
  }
}

/**
 * Carries one connection to a port, after bytes of its own, until it is stopped; the client's first
 * bytes go in two parts, cut at `cut`, its second and third ones can be gathered.
 */
export async function openRelay(
  port: number,
  [first, second]: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)],
  cut = 0,
  mode: "carry" | "gather" = "carry",
): Promise<{ port: number; stop(): void; close(): Promise<void> }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  await server.send(first);
  let client: RawClient | undefined;
  let isStopped = false;
  const relaying = (async () => {
    client = new RawClient(await listener.accept());
    const hello = await client.read();
    await server.send(Uint8Array.of(...second, ...hello!.subarray(0, cut)));
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    await server.send(hello!.subarray(cut));
    const back = carry(server, client);
    if (mode === "gather") {
      // The client's Finished waits for what it says next.
      const finished = (await client.read())!.slice();
      await server.send(Uint8Array.of(...finished, ...(await client.read())!));
    }
    await Promise.all([carry(client, server), back]);
  })();
  async function carry(from: RawClient, to: RawClient) {
    for (let bytes = await from.read(); bytes !== null && !isStopped; bytes = await from.read()) {
      await to.send(bytes).catch(() => {});
    }
  }
  return {
    port: (listener.addr as Deno.NetAddr).port,
    stop: () => isStopped = true,
    async close() {
      client?.close();
      server.close();
      listener.close();
      await relaying;
    },
  };
}

/** A TLS client's first flight, as bytes. */
export async function clientHello(): Promise<Uint8Array> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = connect({ port: (listener.addr as Deno.NetAddr).port, host: "127.0.0.1" });
  socket.on("error", () => {});
  const conn = await listener.accept();
  const buffer = new Uint8Array(4_096);
  const size = await conn.read(buffer);
  conn.close();
  listener.close();
  const closed = once(socket, "close");
  socket.destroy();
  await closed;
  return buffer.subarray(0, size!);
}
