/** The API's door: one listening socket over the app, opened and closed cleanly. */
import type { Clock, Logger, LogLevel } from "../base/mod.ts";
import type { ApiConfig } from "../config/mod.ts";
import { serveHttp } from "../http/mod.ts";
import { createKeys } from "../ledger/mod.ts";
import { createApp } from "./app.ts";
import { type ApiRedis, apiStore } from "./connecting_store.ts";
import type { MiningHealth } from "./readiness.ts";
import type { SettingsOptions } from "./settings_door.ts";
import { DEFAULT_PAGE } from "./static.ts";
import { type PoolFacts, takeOver } from "./v2/facts.ts";

/** What the API is opened with. */
export interface ApiOptions {
  /** Prefix of every Redis key. */
  prefix: string;
  redis: ApiRedis;
  logLevel: LogLevel;
  /** Name of this instance. */
  instance: string;
  api: ApiConfig;
  /** What signed settings are checked with; undefined: they are off. */
  settings?: SettingsOptions;
  /** What `/api/v2` shows of the configuration; undefined: nothing. */
  facts?: PoolFacts;
  /** CIDR ranges whose X-Forwarded-For is believed. @default {[]} */
  trustedProxies?: readonly string[];
}

/** What may change while the API serves. */
export interface ApiAdjustment {
  /** Requests a minute from one address; 0: no limit. */
  rateLimit: number;
  facts: PoolFacts;
  settings?: SettingsOptions;
}

/** A running API. */
export interface Api {
  /** The port listened on; 0 when `purgeOnly` opens none. */
  readonly port: number;
  /** Takes over what may change while it serves. */
  adjust(to: ApiAdjustment): void;
  /** Takes no more requests, finishes those under way, closes the connection to Redis. */
  close(): Promise<void>;
}

/** Replies under way may take this long (milliseconds) at the end. */
const CLOSE_MS = 3_000;
/** Largest body: of a signed message (bytes). */
const BODY_BYTES_MAX = 8_192;
/** Largest logo: part of every first view (bytes). */
const LOGO_BYTES_MAX = 4_096;
/** Connections held at once: browsers, and a load balancer's. */
const CONNECTIONS_MAX = 1_024;

/**
 * Opens the API; Redis may be away. With `purgeOnly` nothing is served, as in the old pool.
 *
 * @throws {Error} when the address cannot be listened on.
 */
export async function serveApi(
  options: ApiOptions,
  deps: { log: Logger; clock: Clock; mining(): MiningHealth | undefined },
): Promise<Api> {
  const { api } = options;
  if (api.purgeOnly) {
    return { port: 0, adjust() {}, close: () => Promise.resolve() };
  }
  const page = api.static ?? DEFAULT_PAGE;
  if (!(await isFolder(page))) {
    const mend = api.static === undefined
      ? "build it: deno task frontend"
      : "correct api.static, or leave it out";
    deps.log.warn("api.pageMissing", { folder: page, mend });
  }
  const logo = api.logo !== undefined && await isLogo(api.logo, deps.log) ? api.logo : undefined;
  const store = apiStore(options.redis, deps);
  const end = new AbortController();
  const guard = {
    ...{ rateLimit: api.rateLimit, cors: api.cors },
    trustedProxies: options.trustedProxies ?? [],
  };
  const app = createApp({
    ...{ payments: api.payments, statsCollectIntervalMs: api.statsCollectIntervalMs },
    page,
    ...(logo === undefined ? {} : { logo }),
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(options.facts === undefined ? {} : { facts: options.facts }),
    guard,
  }, { ...deps, store, keys: createKeys(options.prefix), end: end.signal });
  const { hostname, port } = api.listen;
  const server = await serveHttp(
    { hostname, port, connectionsMax: CONNECTIONS_MAX, bodyBytesMax: BODY_BYTES_MAX },
    (request, peer) => app.fetch(request, { peer }),
    deps,
  ).catch(async (error) => {
    await store.close();
    throw error;
  });
  deps.log.info("api.listening", { hostname, port: server.port });
  return {
    port: server.port,
    adjust({ rateLimit, facts, settings }) {
      guard.rateLimit = rateLimit;
      if (options.facts !== undefined) takeOver(options.facts, facts);
      if (options.settings !== undefined && settings !== undefined) {
        const { thresholdShannon, thresholdMin, thresholdMax } = settings;
        Object.assign(options.settings, { thresholdShannon, thresholdMin, thresholdMax });
      }
    },
    async close() {
      end.abort(new Error("closing"));
      await server.close(CLOSE_MS);
      await store.close();
    },
  };
}

/** Says what is wrong with a logo; the page's own is shown then. */
async function isLogo(path: string, log: Logger): Promise<boolean> {
  const bytes = await Deno.readFile(path).catch(() => undefined);
  const problem = bytes === undefined
    ? "cannot be read"
    : bytes.length > LOGO_BYTES_MAX
    ? `has ${bytes.length} bytes, ${LOGO_BYTES_MAX} are the most`
    : !new TextDecoder().decode(bytes).includes("<svg")
    ? "is no SVG"
    : "";
  if (problem !== "") {
    const mend = "correct api.logo, or leave it out";
    log.warn("api.logoUnusable", { path, problem, mend, note: "the page shows its own" });
  }
  return problem === "";
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isDirectory, () => false);
}
