/** The unlocker's Deno worker: opens Redis and the node, then runs the loop until told to stop. */
import { Bell, systemClock } from "../base/mod.ts";
import { createNode } from "../chain/mod.ts";
import { createKeys, openStore, rewriteAppendOnly, type Store } from "../ledger/mod.ts";
import { hostWorker } from "../workers/mod.ts";
import { createCoinbases } from "./coinbases.ts";
import { runLoop } from "./loop.ts";
import type { ToUnlocker, UnlockerWorkerOptions } from "./options.ts";

hostWorker<UnlockerWorkerOptions, ToUnlocker>("unlocker", async (options, context) => {
  const { log, event, ending } = context;
  const onReady = (store: Store) => rewriteAppendOnly(store, log);
  const store = await openStore(options.redis, { log, onReady, wait: ending });
  const stop = new AbortController();
  const bell = new Bell();
  const running = runLoop(options.unlocker, {
    store,
    keys: createKeys(options.prefix),
    clock: systemClock,
    ...{ log, event, bell },
    node: createNode(options.node),
    coinbases: createCoinbases(options.unlocker.coinbases, {
      nodes: options.miningNodes.map((node) => createNode(node)),
      log,
    }),
    ...(options.confirmWith === undefined ? {} : { confirmWith: createNode(options.confirmWith) }),
  }, stop.signal);
  return {
    receive: () => bell.ring(),
    async stop() {
      stop.abort();
      await running;
      await store.close();
    },
  };
});
