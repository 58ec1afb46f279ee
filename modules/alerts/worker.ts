/** The Deno worker of alerts: one connection to Redis, the channels, one clock. */
import { lookup } from "node:dns/promises";
import { systemClock } from "../base/mod.ts";
import { createKeys, openStore } from "../ledger/mod.ts";
import { hostWorker } from "../workers/mod.ts";
import { openChannels } from "./channels.ts";
import { type AlertsDeps, runAlerts } from "./loop.ts";
import type { AlertsWorkerOptions, ToAlerts } from "./options.ts";

hostWorker<AlertsWorkerOptions, ToAlerts>("alerts", async (options, { log, ending }) => {
  const store = await openStore(options.redis, { log, wait: ending });
  const end = new AbortController();
  const deps: AlertsDeps = {
    ...{ store, keys: createKeys(options.prefix), clock: systemClock, log },
    channels: openChannels(options.alerts, options.pool),
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  };
  const running = runAlerts(options, deps, end.signal);
  return {
    receive({ alerts }) {
      const former = deps.channels;
      deps.channels = openChannels(alerts, options.pool);
      options.alerts = alerts;
      former.close();
    },
    async stop() {
      end.abort(new Error("stopped"));
      await running;
      deps.channels.close();
      await store.close();
    },
  };
});
