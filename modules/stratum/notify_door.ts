/**
 * The door for nodes that push work (`--miner.notify`, with or without `notify.full`).
 *
 * A push is a bell: whatever it carries, the nodes are asked for work at once, in the usual order.
 * So nobody can make the pool mine a stranger's header, and notify.full, whose header has no seal
 * hash, serves as well. Asking costs a millisecond on the same machine.
 */
import type { Clock, Logger } from "../base/mod.ts";
import { type HttpServer, serveHttp } from "../http/mod.ts";
import { normalAddress, rangeTest } from "./net/addresses.ts";

/** Settings of the door. */
export interface NotifyOptions {
  hostname: string;
  port: number;
  /** Nodes by name, and the addresses or CIDR ranges that each pushes from. */
  nodes: { name: string; notifyFrom: readonly string[] }[];
}

const CONNECTIONS_MAX = 64;
/** A block header is below a kibibyte. */
const BODY_BYTES_MAX = 16 * 1024;
/** That a stranger knocked is told to the log at most this often (milliseconds). */
const STRANGER_LOG_MS = 60_000;

/** Opens the door. @throws when the address is taken */
export async function serveNotify(
  options: NotifyOptions,
  deps: { clock: Clock; log: Logger; onPush(node: string): void },
): Promise<HttpServer> {
  const { clock, log, onPush } = deps;
  const nodes = options.nodes.map(({ name, notifyFrom }) => ({
    name,
    isFrom: rangeTest(notifyFrom, `upstream ${name}: notifyFrom`),
  }));
  let [strangers, loggedMs] = [0, -Infinity];
  const server = await serveHttp({
    ...{ hostname: options.hostname, port: options.port },
    ...{ connectionsMax: CONNECTIONS_MAX, bodyBytesMax: BODY_BYTES_MAX },
  }, async (request, peer) => {
    const ip = normalAddress(peer) ?? peer;
    const node = nodes.find(({ isFrom }) => isFrom(ip));
    if (node === undefined) {
      strangers++;
      const nowMs = clock.now();
      if (nowMs - loggedMs >= STRANGER_LOG_MS) {
        loggedMs = nowMs;
        log.warn("notify.stranger", { ip, requests: strangers, note: "no upstream's notifyFrom" });
        strangers = 0;
      }
      return new Response(null, { status: 403 });
    }
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (!isWork(await request.text())) return new Response(null, { status: 400 });
    onPush(node.name);
    return new Response(null, { status: 200 });
  }, deps);
  log.info("notify.listening", { hostname: options.hostname, port: server.port });
  return server;
}

/** Whether a body is a work package (an array of texts) or a header (an object with a number). */
function isWork(body: string): boolean {
  if (body.length > BODY_BYTES_MAX) return false;
  try {
    const value = JSON.parse(body);
    if (Array.isArray(value)) {
      return value.length >= 3 && value.every((text) => typeof text === "string");
    }
    return value !== null && typeof value === "object" && typeof value.number === "string";
  } catch {
    return false;
  }
}
