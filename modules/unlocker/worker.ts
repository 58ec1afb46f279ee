/** The unlocker's Deno worker: opens Redis and the node, then runs the loop until told to stop. */
import { systemClock } from "../base/mod.ts";
import { createNode, type NodeOptions } from "../chain/mod.ts";
import { createKeys, openStore, type RedisOptions } from "../ledger/mod.ts";
import { type CommonWorkerOptions, hostWorker } from "../workers/mod.ts";
import { type LoopOptions, runLoop } from "./loop.ts";

/** What the main thread sends with `start`. */
export interface UnlockerWorkerOptions extends CommonWorkerOptions {
  redis: RedisOptions;
  /** The configuration's `coin`. */
  prefix: string;
  node: NodeOptions;
  /** A second node that must agree on orphans. */
  confirmWith?: NodeOptions;
  unlocker: LoopOptions;
}

hostWorker<UnlockerWorkerOptions>("unlocker", async (options, context) => {
  const { log, event } = context;
  const store = await openStore(options.redis, { log });
  const stop = new AbortController();
  const running = runLoop(options.unlocker, {
    store,
    keys: createKeys(options.prefix),
    clock: systemClock,
    log,
    event,
    node: createNode(options.node),
    ...(options.confirmWith === undefined ? {} : { confirmWith: createNode(options.confirmWith) }),
  }, stop.signal);
  return {
    async stop() {
      stop.abort();
      await running;
      await store.close();
    },
  };
});
