/** A node's WebSocket: subscriptions to new heads, which a test sends, and what else it answers. */
import { toQuantity } from "../../modules/base/mod.ts";

/** A running server. */
export interface HeadServer extends AsyncDisposable {
  readonly url: string;
  /** Connections with a subscription so far. */
  readonly subscriptions: number;
  /** Methods that were asked for, in order. */
  readonly calls: string[];
  /** Height that eth_blockNumber answers; undefined: nothing is answered any more. */
  height: number | undefined;
  /** Whether eth_subscribe is refused. */
  refuses: boolean;
  /** Tells every subscriber of a head. */
  tell(height: number): void;
  /** Sends a text as it is. */
  send(text: string): void;
  /** Closes every connection. */
  drop(): void;
}

/** Starts a server on loopback. */
export function startHeadServer(): HeadServer {
  const sockets = new Set<WebSocket>();
  const calls: string[] = [];
  let subscriptions = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => sockets.add(socket);
    socket.onclose = () => sockets.delete(socket);
    socket.onmessage = ({ data }) => {
      const { id, method } = JSON.parse(data);
      calls.push(method);
      const reply = answer(method);
      if (reply !== undefined) socket.send(JSON.stringify({ jsonrpc: "2.0", id, ...reply }));
      if (method === "eth_subscribe") subscriptions++;
    };
    return response;
  });
  function answer(method: string): Record<string, unknown> | undefined {
    if (face.height === undefined) return undefined;
    if (method === "eth_blockNumber") return { result: toQuantity(face.height) };
    if (face.refuses) return { error: { code: -32601, message: "no subscriptions" } };
    return { result: "0x1" };
  }
  const face: HeadServer = {
    url: `ws://127.0.0.1:${server.addr.port}`,
    ...{ calls, height: 100, refuses: false },
    get subscriptions() {
      return subscriptions;
    },
    tell(height) {
      face.height = height;
      const params = { subscription: "0x1", result: { number: toQuantity(height) } };
      face.send(JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params }));
    },
    send(text) {
      for (const socket of sockets) socket.send(text);
    },
    drop() {
      for (const socket of sockets) socket.close();
    },
    async [Symbol.asyncDispose]() {
      face.drop();
      await server.shutdown();
    },
  };
  return face;
}
