/** The payer's Deno worker: opens Redis, runs the loop, and is the only place that reads the key. */
import { Bell, PoolError, systemClock } from "../base/mod.ts";
import {
  createKeys,
  openStore,
  rewriteAppendOnly,
  type Store,
  writeStatus,
} from "../ledger/mod.ts";
import { hostWorker } from "../workers/mod.ts";
import { runPayer } from "./loop.ts";
import { type OpenedRun, openRun, payerLease } from "./open.ts";
import type { KeyReader } from "./key_sources.ts";
import type { PayerWorkerOptions, ToPayer } from "./worker_options.ts";

const read: KeyReader = {
  file(path) {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      throw new PoolError(`Cannot read ${path} of payouts.signer`, { cause: error });
    }
  },
  mode(path) {
    try {
      return Deno.statSync(path).mode;
    } catch (error) {
      throw new PoolError(`Cannot read ${path} of payouts.signer`, { cause: error });
    }
  },
  env: (name) => Deno.env.get(name),
};

hostWorker<PayerWorkerOptions, ToPayer>("payer", async (options, { log, event, ending }) => {
  const onReady = (store: Store) => rewriteAppendOnly(store, log);
  const store = await openStore(options.redis, { log, onReady, wait: ending });
  const keys = createKeys(options.prefix);
  const end = new AbortController();
  const bell = new Bell();
  let opened: OpenedRun | undefined;
  let { payouts } = options;
  const finished = runPayer({
    lease: payerLease({ store, keys }, options.instance),
    async openRun() {
      opened?.close();
      opened = undefined;
      opened = await openRun({ ...options, payouts }, {
        store,
        keys,
        clock: systemClock,
        log,
        read,
        event,
      });
      return opened;
    },
    clock: systemClock,
    ...{ log, bell },
    writeStatus: (status) => writeStatus({ store, keys }, "payer", status),
  }, end.signal);
  return {
    receive(message) {
      if (message.kind === "run") opened?.runNow();
      if (message.kind === "options") {
        payouts = { ...payouts, ...message.options };
        opened?.adopt(payouts);
      }
      bell.ring();
    },
    async stop() {
      end.abort(new Error("stopped"));
      await finished;
      opened?.close();
      await store.close();
    },
  };
});
