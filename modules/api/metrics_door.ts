/** `/metrics` for Prometheus, on a port of its own: what this process counts and what the ledger has. */
import { type Clock, type Logger } from "../base/mod.ts";
import { serveHttp } from "../http/mod.ts";
import {
  createKeys,
  type LedgerDeps,
  readGauges,
  readOverview,
  type RedisOptions,
} from "../ledger/mod.ts";
import {
  beforeSample,
  clearGauge,
  gauge,
  METRICS_TYPE,
  renderMetrics,
  watchLoop,
} from "../metrics/mod.ts";
import { connectingStore } from "./connecting_store.ts";

/** Where it listens and whose ledger it shows. */
export interface MetricsOptions {
  listen: { hostname: string; port: number };
  /** Prefix of the pool's keys. */
  prefix: string;
  redis: RedisOptions;
  version: string;
}

/** The open door. */
export interface MetricsDoor {
  readonly port: number;
  close(): Promise<void>;
}

/** Scrapers at a time. */
const CONNECTIONS_MAX = 16;
const CLOSE_MS = 1_000;
const LOOP_STATES = ["running", "standby", "waiting", "retrying", "halted"];

/** Opens the door; Redis may come later, or go. */
export async function serveMetrics(
  options: MetricsOptions,
  deps: { log: Logger; clock: Clock },
): Promise<MetricsDoor> {
  const store = connectingStore(options.redis, deps);
  const ledger = { store, keys: createKeys(options.prefix) };
  const endLoopWatch = watchLoop();
  const endSampling = beforeSample(async () => {
    gauge("quarry_build_info", 1, { version: options.version });
    gauge("quarry_resident_bytes", Deno.memoryUsage().rss);
    await lookAtLedger(ledger, deps.log);
  });
  const { hostname, port } = options.listen;
  const server = await serveHttp(
    { hostname, port, connectionsMax: CONNECTIONS_MAX, bodyBytesMax: 0 },
    (request) => answer(request),
    deps,
  ).catch(async (error) => {
    endSampling();
    endLoopWatch();
    await store.close();
    throw error;
  });
  deps.log.info("metrics.listening", { hostname, port: server.port });
  return {
    port: server.port,
    async close() {
      endSampling();
      endLoopWatch();
      await server.close(CLOSE_MS);
      await store.close();
    },
  };
}

async function answer(request: Request): Promise<Response> {
  if (new URL(request.url).pathname !== "/metrics") {
    return new Response("Not found: the metrics are at /metrics\n", { status: 404 });
  }
  if (request.method !== "GET") {
    return new Response("Only GET\n", { status: 405, headers: { allow: "GET" } });
  }
  return new Response(await renderMetrics(), { headers: { "content-type": METRICS_TYPE } });
}

/** Sets the ledger's gauges; while it does not answer they are missing, not zero. */
async function lookAtLedger(ledger: LedgerDeps, log: Logger): Promise<void> {
  try {
    const [found, overview] = await Promise.all([readGauges(ledger), readOverview(ledger)]);
    // What has vanished from the ledger since the last scrape is missing too.
    for (const name of LEDGER_GAUGES) clearGauge(name);
    gauge("quarry_ledger_up", 1);
    for (const [state, shannon] of Object.entries(found.money)) {
      gauge("quarry_money_shannon", Number(shannon), { state });
    }
    for (const [state, rows] of Object.entries(found.blocks)) {
      gauge("quarry_blocks", rows, { state });
    }
    gauge("quarry_payments_pending", found.paymentsOpen);
    gauge("quarry_payouts_paused", found.payoutsPaused ? 1 : 0);
    for (const [loop, status] of Object.entries(found.loops)) {
      for (const state of LOOP_STATES) {
        gauge("quarry_loop_state", status.state === state ? 1 : 0, { loop, state });
      }
      gauge("quarry_loop_timestamp_seconds", status.sinceMs / 1000, { loop });
    }
    for (const [role, held] of Object.entries(found.leases)) {
      gauge("quarry_lease_held", held ? 1 : 0, { role });
    }
    gauge("quarry_invariants_broken", found.impossible.length);
    if (overview !== undefined) {
      gauge("quarry_miners", overview.miners);
      gauge("quarry_statistics_timestamp_seconds", overview.collectedAtMs / 1000);
    }
  } catch (error) {
    log.debug("metrics.ledgerNotRead", { error });
    for (const name of LEDGER_GAUGES) clearGauge(name);
    gauge("quarry_ledger_up", 0);
  }
}

const LEDGER_GAUGES = [
  "quarry_money_shannon",
  "quarry_blocks",
  "quarry_payments_pending",
  "quarry_payouts_paused",
  "quarry_loop_state",
  "quarry_loop_timestamp_seconds",
  "quarry_lease_held",
  "quarry_invariants_broken",
  "quarry_miners",
  "quarry_statistics_timestamp_seconds",
] as const;
