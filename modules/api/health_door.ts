/** Two paths for load balancers and service managers: whether the process lives, and is ready. */
import type { Clock, Logger } from "../base/mod.ts";
import type { ListenAddress } from "../config/mod.ts";
import { type HttpServer, serveHttp } from "../http/mod.ts";
import type { MiningHealth } from "./readiness.ts";

/** Connections held at once: a few load balancers. */
const CONNECTIONS_MAX = 64;

/**
 * Opens the door of a process that may have no API: `/healthz` is 200 while the process answers,
 * `/readyz` is 200 when a new miner may be sent here, otherwise 503 with the reason.
 *
 * @throws {Error} when the address cannot be listened on
 */
export async function serveHealth(
  listen: ListenAddress,
  deps: { log: Logger; clock: Clock; mining(): MiningHealth | undefined },
): Promise<HttpServer> {
  const { hostname, port } = listen;
  const server = await serveHttp(
    { hostname, port, connectionsMax: CONNECTIONS_MAX, bodyBytesMax: 0 },
    (request) => answer(new URL(request.url).pathname, deps.mining()),
    deps,
  );
  deps.log.info("health.listening", { hostname, port: server.port });
  return server;
}

function answer(path: string, mining: MiningHealth | undefined): Response {
  if (path === "/healthz") return json({ alive: true }, 200);
  if (path !== "/readyz") return json({ error: "ask /healthz or /readyz" }, 404);
  const ready = mining?.ready ?? true;
  return json({
    ...{ ready, reason: ready ? "" : `Mining is not ready: ${mining!.reason}` },
    ...(mining === undefined ? {} : { sessions: mining.sessions }),
  }, ready ? 200 : 503);
}

function json(body: unknown, status: number): Response {
  return new Response(JSON.stringify(body) + "\n", {
    status,
    headers: { "Content-Type": "application/json", "Cache-Control": "no-store" },
  });
}
