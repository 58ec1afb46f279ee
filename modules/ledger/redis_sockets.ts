/**
 * Keeps a fault in Redis's socket from ending the process before the client listens for it.
 *
 * @redis/client waits for "connect" or "secureConnect" with a promise and listens for errors after
 * that. What comes in between, such as the alert of a server that wants another certificate
 * (TLS 1.3 sends it after the handshake, RFC 8446, section 4.4.2.4) or the reset of a proxy without
 * servers, would find nobody who listens and end the process. It is kept for the client, which says
 * it as the reason then.
 */
import net from "node:net";
import tls from "node:tls";

/** An option of a socket that belongs to Redis's client. */
const OURS = Symbol("Redis");

/** Options for `createClient({ socket })`: the socket has a listener for errors from its beginning. */
export function watched<T extends object>(options: T): T {
  return { ...options, [OURS]: true };
}

/** Hears what nobody else does, until the socket's end, and tells who listens first after that. */
function hearEarly(socket: net.Socket): void {
  let missed: Error | undefined;
  socket.on("error", (error) => {
    if (socket.listenerCount("error") === 1) missed = error;
  });
  socket.on("newListener", (event) => {
    if (event !== "error" || missed === undefined) return;
    const error = missed;
    missed = undefined;
    queueMicrotask(() => socket.emit("error", error));
  });
}

/** Has `connect` listen at the sockets that were asked for with `watched()`, and at no others. */
function listenEarly<
  Name extends string,
  Connect extends (...args: never[]) => net.Socket,
>(module: Record<Name, Connect>, name: Name): void {
  const connect = module[name];
  const early = (...args: Parameters<Connect>) => {
    const socket = connect(...args);
    if (args.some((arg) => typeof arg === "object" && arg !== null && OURS in arg)) {
      hearEarly(socket);
    }
    return socket;
  };
  module[name] = early as Connect;
}

listenEarly(net, "createConnection");
listenEarly(tls, "connect");
