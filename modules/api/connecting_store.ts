/** A store that is there at once and connects in the background: Redis may come later. */
import { type Clock, type Logger, retry } from "../base/mod.ts";
import {
  openStore,
  readFromReplica,
  type RedisOptions,
  type Store,
  StoreError,
} from "../ledger/mod.ts";

/** Where the API's Redis is; the configuration's `redis`. */
export interface ApiRedis extends RedisOptions {
  /** "host:port" or a socket's path of a replica to read from; undefined: the master is read. */
  replica?: string;
  /** How far it may be behind (milliseconds). @default {10000} */
  replicaMaxLagMs?: number;
}

/** What the API reads and writes: the master, and a replica for the reads if there is one. */
export function apiStore(
  { replica, replicaMaxLagMs = 10_000, ...redis }: ApiRedis,
  deps: { log: Logger; clock: Clock },
): Store {
  const master = connectingStore(redis, deps);
  if (replica === undefined) return master;
  const { sentinel: _, cluster, ...common } = redis;
  const reading = connectingStore({ ...common, endpoint: replica }, {
    ...deps,
    // A Cluster's replica sends readers away until they ask for it.
    ...(cluster === undefined ? {} : { onReady: (store: Store) => store.command("READONLY") }),
  });
  return readFromReplica(master, reading, replicaMaxLagMs, deps);
}

/** Until it is connected every command fails as "away"; later losses reconnect by themselves. */
export function connectingStore(
  options: RedisOptions,
  deps: { log: Logger; clock: Clock; onReady?: (store: Store) => Promise<unknown> },
): Store {
  const end = new AbortController();
  let store: Store | undefined;
  retry(() => openStore(options, { ...deps, wait: end.signal }), {
    ...{ attempts: Infinity, clock: deps.clock, signal: end.signal, maxMs: 5_000 },
    retryable: (error) => !end.signal.aborted && (deps.log.warn("redis.away", { error }), true),
  }).then(async (opened) => {
    if (end.signal.aborted) await opened.close();
    else store = opened;
  }).catch(() => {/* closed before Redis came */});

  function connected(): Store {
    if (store === undefined) throw new StoreError("Redis is away", "away");
    return store;
  }
  return {
    get connection() {
      return store?.connection ?? 0;
    },
    get server() {
      return store?.server ?? "";
    },
    get ready() {
      return store?.ready ?? false;
    },
    // deno-lint-ignore require-await -- a rejection, never an exception
    command: async (...args) => connected().command(...args),
    // deno-lint-ignore require-await -- as above
    multi: async (commands) => connected().multi(commands),
    // deno-lint-ignore require-await -- as above
    script: async (script, keys, args) => connected().script(script, keys, args),
    async close() {
      end.abort(new Error("closed"));
      await store?.close();
    },
  };
}
