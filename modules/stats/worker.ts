/** The Deno worker of statistics: one connection to Redis, one collector, one clock. */
import { systemClock } from "../base/mod.ts";
import { createKeys, openStore } from "../ledger/mod.ts";
import { hostWorker } from "../workers/mod.ts";
import { createCollector } from "./collect.ts";
import type { StatsWorkerOptions } from "./options.ts";
import { runStats } from "./run.ts";

const clock = systemClock;

hostWorker<StatsWorkerOptions>("stats", async (options, { log, ending }) => {
  const store = await openStore(options.redis, { log, wait: ending });
  const keys = createKeys(options.prefix);
  const collector = createCollector({ ...options.api, nodeBeatMs: options.nodeBeatMs }, {
    store,
    keys,
    clock,
    log,
  });
  const end = new AbortController();
  const running = runStats(options.api, { collector, clock, log }, end.signal);
  return {
    async stop() {
      end.abort(new Error("stopped"));
      await running;
      await store.close();
    },
  };
});
