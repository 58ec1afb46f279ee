/**
 * The door for nodes that push work (`--miner.notify`, with or without `notify.full`).
 *
 * Only addresses of a node's `notifyFrom` are heard. Nodes behind one address tell themselves apart
 * by the path: `--miner.notify http://pool:8899/NAME`. What a push is believed for is decided by
 * the watch (`work/choice.ts`).
 */
import { type Clock, errorText, type Logger } from "../base/mod.ts";
import { type Push, readPush } from "../chain/mod.ts";
import { type HttpServer, serveHttp } from "../http/mod.ts";
import { normalAddress, rangeTest } from "./net/addresses.ts";

/** Settings of the door. */
export interface NotifyOptions {
  hostname: string;
  port: number;
  /** Nodes by name, and the addresses or CIDR ranges that each pushes from. */
  nodes: { name: string; notifyFrom: readonly string[] }[];
}

/** What the door needs, and whom it tells. */
export interface NotifyDeps {
  clock: Clock;
  log: Logger;
  /** A push, and the nodes that it may be from: at least one. */
  onPush(nodes: string[], push: Push): void;
}

const CONNECTIONS_MAX = 64;
/** A block header is below two kibibytes. */
const BODY_BYTES_MAX = 16 * 1024;
/** Time for a request's head, and for a whole request (milliseconds). */
const HEAD_MS = 2_000, REQUEST_MS = 5_000;
/** That a stranger knocked, or a body was broken, is told to the log at most this often (milliseconds). */
const LOG_MS = 60_000;

/** Opens the door. @throws when the address is taken */
export async function serveNotify(options: NotifyOptions, deps: NotifyDeps): Promise<HttpServer> {
  const nodes = options.nodes.map(({ name, notifyFrom }) => ({
    name,
    isFrom: rangeTest(notifyFrom, `upstream ${name}: notifyFrom`),
  }));
  const strangers = new Complaint("notify.stranger", deps);
  const broken = new Complaint("notify.broken", deps);
  const server = await serveHttp({
    ...{ hostname: options.hostname, port: options.port, headMs: HEAD_MS, requestMs: REQUEST_MS },
    ...{ connectionsMax: CONNECTIONS_MAX, bodyBytesMax: BODY_BYTES_MAX },
  }, async (request, peer) => {
    const ip = normalAddress(peer) ?? peer;
    const listed = nodes.filter(({ isFrom }) => isFrom(ip)).map(({ name }) => name);
    if (listed.length === 0) {
      strangers.note({ ip, note: "no upstream's notifyFrom has it" });
      return new Response(null, { status: 403, headers: { connection: "close" } });
    }
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const push = readBody(await request.text());
    if (typeof push === "string") {
      broken.note({ ip, error: push });
      return new Response(null, { status: 400 });
    }
    const named = nodeOfPath(new URL(request.url).pathname);
    deps.onPush(listed.includes(named) ? [named] : listed, push);
    return new Response(null, { status: 200 });
  }, deps);
  deps.log.info("notify.listening", { hostname: options.hostname, port: server.port });
  return server;
}

/** The push, or what is wrong with the body. */
function readBody(body: string): Push | string {
  if (body.length > BODY_BYTES_MAX) return `more than ${BODY_BYTES_MAX} bytes`;
  try {
    return readPush(JSON.parse(body));
  } catch (error) {
    return errorText(error);
  }
}

function nodeOfPath(path: string): string {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return "";
  }
}

/** Counts what recurs and tells of it once in a while. */
class Complaint {
  #requests = 0;
  #loggedMs = -Infinity;

  constructor(readonly event: string, readonly deps: { clock: Clock; log: Logger }) {}

  note(facts: Record<string, unknown>): void {
    this.#requests++;
    const nowMs = this.deps.clock.now();
    if (nowMs - this.#loggedMs < LOG_MS) return;
    this.#loggedMs = nowMs;
    this.deps.log.warn(this.event, { ...facts, requests: this.#requests });
    this.#requests = 0;
  }
}
