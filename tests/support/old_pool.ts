/** The recorded database of a real open-ethereum-pool, and an API over any test database. */
import {
  createApp,
  type GuardOptions,
  type PoolFacts,
  type SettingsOptions,
} from "../../modules/api/mod.ts";
import { type Clock, FakeClock, silentLogger } from "../../modules/base/mod.ts";
import { createKeys, openStore, type Store } from "../../modules/ledger/mod.ts";
import { createCollector } from "../../modules/stats/mod.ts";
import { startRedis, type TestRedisOptions } from "./redis.ts";

const FIXTURES = new URL("../fixtures/open-ethereum-pool/", import.meta.url);

/** The configuration of the recorded pool. */
export const RECORDED = {
  prefix: "eth",
  api: {
    ...{ payments: 30, blocks: 50, luckWindow: [64, 128, 256], statsCollectIntervalMs: 5_000 },
    ...{ hashrateWindowMs: 1_800_000, hashrateLargeWindowMs: 10_800_000 },
  },
};

/** A file of the recording. */
export async function recorded(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(name, FIXTURES));
}

/** A pool's database with a collector and the API over it. */
export interface ApiWorld {
  store: Store;
  keys: ReturnType<typeof createKeys>;
  clock: FakeClock;
  /** Collects at the clock's time. */
  collect(): Promise<unknown>;
  purge(): Promise<number>;
  /** Goes on with a collector that remembers nothing. */
  restart(): void;
  /** Commands, transactions' commands and scripts that the app has sent to Redis. */
  readonly commands: string[];
  /** Asks the app without a socket; `peer` is the address that it would be asked from. */
  get(path: string, init?: RequestInit, peer?: string): Promise<Response>;
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a private redis-server and everything over it. */
export async function openApiWorld(
  options: TestRedisOptions & {
    nowMs?: number;
    prefix?: string;
    api?: Partial<typeof RECORDED.api>;
    mining?: { ready: boolean; reason: string; sessions: number };
    page?: string;
    settings?: SettingsOptions;
    facts?: PoolFacts;
    guard?: GuardOptions;
  } = {},
): Promise<ApiWorld> {
  const redis = await startRedis(options);
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const clock = new FakeClock(options.nowMs);
  const api = { ...RECORDED.api, ...options.api };
  const keys = createKeys(options.prefix ?? RECORDED.prefix);
  const deps = { store, keys, clock: clock as Clock, log: silentLogger };
  let collector = createCollector(api, deps);
  const commands: string[] = [];
  const counted: Store = {
    ...store,
    command: (...args) => (commands.push(args[0]!), store.command(...args)),
    multi: (list) => (commands.push(...list.map(([name]) => name!)), store.multi(list)),
    script: (script, ...args) => (commands.push(script.name), store.script(script, ...args)),
  };
  const app = createApp(
    {
      ...api,
      ...(options.page === undefined ? {} : { page: options.page }),
      ...(options.settings === undefined ? {} : { settings: options.settings }),
      ...(options.facts === undefined ? {} : { facts: options.facts }),
      ...(options.guard === undefined ? {} : { guard: options.guard }),
    },
    { ...deps, store: counted, mining: () => options.mining },
  );
  return {
    ...{ store, keys, clock, commands },
    collect: () => collector.collect(),
    purge: () => collector.purge(),
    restart: () => void (collector = createCollector(api, deps)),
    get: async (path, init, peer = "192.0.2.1") =>
      await app.request(`http://pool.example${path}`, init, { peer }),
    kill: () => redis.kill(),
    async [Symbol.asyncDispose]() {
      await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

/** The recorded database in a private redis-server, its expiries as they were recorded. */
export async function openRecordedWorld(nowMs: number): Promise<ApiWorld> {
  const dump = decodeURIComponent(new URL("dump.rdb", FIXTURES).pathname);
  const world = await openApiWorld({ dump, nowMs });
  await restoreExpiring(world.store);
  return world;
}

/** Keys whose recorded expiry has passed in real time are gone after loading: writes them again. */
async function restoreExpiring(store: Store): Promise<void> {
  const keys = JSON.parse(await recorded("redis.json")) as Record<
    string,
    { type: string; pttl: number; value: [string, number][] }
  >;
  for (const [key, { type, pttl, value }] of Object.entries(keys)) {
    if (pttl < 0) continue;
    if (type !== "zset") throw new Error(`Cannot restore ${key}: current type is ${type}`);
    await store.command("DEL", key);
    await store.command("ZADD", key, ...value.flatMap(([member, score]) => [`${score}`, member]));
    await store.command("PEXPIRE", key, String(pttl));
  }
}
