/** The Deno worker of alerts: one connection to Redis, the channels, one clock. */
import { lookup } from "node:dns/promises";
import { systemClock } from "../base/mod.ts";
import { createKeys, openStore } from "../ledger/mod.ts";
import { hostWorker } from "../workers/mod.ts";
import { openChannels } from "./channels.ts";
import { runAlerts } from "./loop.ts";
import type { AlertsWorkerOptions } from "./options.ts";

hostWorker<AlertsWorkerOptions>("alerts", async (options, { log }) => {
  const store = await openStore(options.redis, { log });
  const channels = openChannels(options.alerts, options.pool);
  const end = new AbortController();
  const running = runAlerts(options, {
    ...{ store, keys: createKeys(options.prefix), clock: systemClock, log, channels },
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  }, end.signal);
  return {
    async stop() {
      end.abort(new Error("stopped"));
      await running;
      channels.close();
      await store.close();
    },
  };
});
