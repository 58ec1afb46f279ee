/**
 * An HTTP/1.1 server whose connections are bounded in number and in time.
 *
 * `Deno.serve` has no such bounds: idle connections take every file handle of the process, and the
 * accept that fails then ends it. Node's server, which Deno has too, drops what is too much.
 */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock, Logger } from "../base/mod.ts";
import { wakeListener } from "./file_handles.ts";

/** Settings of an HTTP port. */
export interface HttpOptions {
  hostname: string;
  /** 0: the system chooses. */
  port: number;
  /** Connections held at once; further ones are closed at once. */
  connectionsMax: number;
  /** Bytes of a body that the handler gets to see; one more shows that there were more. */
  bodyBytesMax: number;
  /** Whether other Deno workers listen on the same port (SO_REUSEPORT). @default {false} */
  reusePort?: boolean;
  /** Time for a request's head to be complete (milliseconds). @default {10000} */
  headMs?: number;
  /** Time for a whole request to be read (milliseconds). @default {20000} */
  requestMs?: number;
  /** Silence after which a connection is closed (milliseconds). @default {75000} */
  idleMs?: number;
}

/** Answers a request; `peer` is the socket's address. What it throws becomes a 500 and a log line. */
export type HttpHandler = (request: Request, peer: string) => Response | Promise<Response>;

/** A listening HTTP port. */
export interface HttpServer {
  /** The port in use, which the system chose when 0 was asked for. */
  readonly port: number;
  /** Stops listening, answers what is under way for at most `withinMs`, closes every connection. */
  close(withinMs: number): Promise<void>;
}

/** That all connections are taken is told to the log at most this often (milliseconds). */
const FULL_LOG_MS = 10_000;
/** Connections that the system holds until they are accepted. */
const BACKLOG = 511;
/** Bytes of events that may wait for a peer. */
const EVENT_BYTES_MAX = 65_536;
/** How often overdue requests are looked for, and the listener is woken (milliseconds). */
const CHECK_MS = 1_000;

/** Opens an HTTP port. @throws when the address is taken */
export async function serveHttp(
  options: HttpOptions,
  handler: HttpHandler,
  deps: { log: Logger; clock: Clock },
): Promise<HttpServer> {
  const { log } = deps;
  const headMs = options.headMs ?? 10_000;
  const idleMs = options.idleMs ?? 75_000;
  const server = createServer({
    headersTimeout: headMs,
    requestTimeout: Math.max(headMs, options.requestMs ?? 20_000),
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headMs),
  }, (incoming, outgoing) => void exchange(incoming, outgoing));
  server.maxConnections = options.connectionsMax;
  server.setTimeout(idleMs, (socket) => socket.destroy());
  server.on("connection", hold);
  const underWay = new Set<Promise<void>>();
  let closing = false;
  let held = 0;
  let fullLogMs = -Infinity;

  function hold(socket: Socket) {
    held++;
    socket.once("close", () => held--);
    const nowMs = deps.clock.now();
    if (held < options.connectionsMax || nowMs - fullLogMs < FULL_LOG_MS) return;
    fullLogMs = nowMs;
    log.warn("http.full", { held, note: "further connections are closed at once" });
  }

  async function exchange(incoming: IncomingMessage, outgoing: ServerResponse) {
    // A peer that goes away in the middle is no error of ours.
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    const done = Promise.withResolvers<void>();
    // The peer may go at any moment, also before there is an answer to send.
    const gone = new Promise<void>((resolve) => outgoing.once("close", resolve));
    underWay.add(done.promise);
    try {
      const response = await respond(incoming);
      if (response !== undefined) {
        await Promise.race([gone, send(response, incoming, outgoing, closing)]);
      }
    } catch {
      incoming.socket.destroy();
    } finally {
      underWay.delete(done.promise);
      done.resolve();
    }
  }

  async function respond(incoming: IncomingMessage): Promise<Response | undefined> {
    const body = await readBody(incoming, options.bodyBytesMax);
    if (body === undefined) return undefined;
    let request: Request;
    try {
      request = requestOf(incoming, body);
    } catch {
      return new Response(null, { status: 400 });
    }
    try {
      return await handler(request, incoming.socket.remoteAddress ?? "");
    } catch (error) {
      log.error("http.failed", { path: incoming.url?.slice(0, 200), error });
      return new Response(null, { status: 500 });
    }
  }

  const { hostname: host, port, reusePort = false } = options;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, reusePort, backlog: BACKLOG }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // Out of file handles, most likely: the port stays open.
  server.on("error", (error) => log.warn("http.acceptFailed", { error }));
  // A listener that ran out of file handles hears of nobody any more until it is woken.
  const waking = setInterval(() => wakeListener(server, BACKLOG), CHECK_MS);

  return {
    port: (server.address() as AddressInfo).port,
    async close(withinMs) {
      closing = true;
      clearInterval(waking);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const end = new AbortController();
      const late = deps.clock.sleep(withinMs, end.signal).catch(() => {});
      await Promise.race([Promise.all(underWay), late]);
      end.abort(new Error("closed"));
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * The body, cut one byte after the maximum; undefined when the peer went away. A body that is
 * announced as too long is not waited for: Content-Length tells the handler.
 */
function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array | undefined> {
  if (Number(incoming.headers["content-length"] ?? 0) > maxBytes) {
    return Promise.resolve(new Uint8Array(0));
  }
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const finish = () => {
      incoming.pause();
      resolve(new Uint8Array(Buffer.concat(chunks).subarray(0, maxBytes + 1)));
    };
    incoming.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxBytes) finish();
    });
    incoming.on("end", finish);
    incoming.on("close", () => resolve(undefined));
  });
}

/** @throws {TypeError} when path, method or headers cannot be read */
function requestOf(incoming: IncomingMessage, body: Uint8Array): Request {
  const { method = "GET", rawHeaders } = incoming;
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  }
  const bodiless = method === "GET" || method === "HEAD";
  return new Request(urlOf(incoming.url ?? ""), {
    ...{ method, headers },
    ...(bodiless ? {} : { body: body as BodyInit }),
  });
}

/** The host is never looked at; `GET http://pool/path` (a proxy's form) is read too. */
function urlOf(target: string): string {
  if (target.startsWith("/")) return new URL("http://localhost" + target).href;
  const { pathname, search, protocol } = new URL(target);
  if (protocol !== "http:") throw new TypeError("Cannot read the request's target");
  return `http://localhost${pathname}${search}`;
}

async function send(
  response: Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  closing: boolean,
): Promise<void> {
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  if (response.headers.get("content-type") === "text/event-stream") {
    return await sendEvents(response, outgoing);
  }
  const body = new Uint8Array(await response.arrayBuffer());
  // The rest of a body that was not read would be taken for the next request.
  const last = closing || !incoming.complete;
  if (last) outgoing.setHeader("connection", "close");
  outgoing.statusCode = response.status;
  await new Promise<void>((resolve) => {
    outgoing.on("finish", () => {
      if (last) incoming.socket.destroySoon();
      resolve();
    });
    outgoing.end(body);
  });
}

/** Sends a stream of events as it comes; a peer that goes, or that does not read, ends it. */
async function sendEvents(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.statusCode = response.status;
  outgoing.flushHeaders();
  const reader = response.body?.getReader();
  const gone = () => void reader?.cancel().catch(() => {});
  outgoing.once("close", gone);
  if (outgoing.destroyed) gone();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    // What waits here is doorbells: one that nobody hears is rung again.
    if (!outgoing.write(part.value) && outgoing.writableLength > EVENT_BYTES_MAX) break;
  }
  gone();
  outgoing.end();
}
