/** A TCP forwarder on a port that stays: closed, what is behind it looks like a program that is down. */

/** A door that can be shut. */
export interface Gate extends AsyncDisposable {
  readonly port: number;
  /** Cuts every connection and refuses new ones. */
  shut(): void;
  /** Forwards again. */
  open(): void;
}

/** Forwards a loopback port to another one. */
export function openGate(port: number, target: number): Gate {
  let listener: Deno.TcpListener | undefined;
  const connections = new Set<Deno.Conn>();

  async function accept(from: Deno.TcpListener) {
    for await (const client of from) {
      connections.add(client);
      forward(client).catch(() => {}).finally(() => drop(client));
    }
  }
  async function forward(client: Deno.TcpConn) {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: target });
    connections.add(server);
    try {
      await Promise.all([
        client.readable.pipeTo(server.writable),
        server.readable.pipeTo(client.writable),
      ]);
    } finally {
      drop(server);
    }
  }
  function drop(connection: Deno.Conn) {
    if (!connections.delete(connection)) return;
    try {
      connection.close();
    } catch { /* its stream has closed it */ }
  }
  function open() {
    listener = Deno.listen({ hostname: "127.0.0.1", port });
    accept(listener).catch(() => {});
  }
  function shut() {
    listener?.close();
    listener = undefined;
    for (const connection of connections) drop(connection);
  }
  open();
  return {
    ...{ port, shut, open },
    [Symbol.asyncDispose]: () => Promise.resolve(shut()),
  };
}
