/** A pool's database of a given size, written directly: miners, buckets, charts, blocks, payments. */
import { silentLogger, systemClock } from "../../modules/base/mod.ts";
import { createKeys, openStore, SERIES_RANGES, type Store } from "../../modules/ledger/mod.ts";
import { createCollector } from "../../modules/stats/mod.ts";
import { startRedis, type TestRedis } from "../../tests/support/redis.ts";

/** How big the pool is. */
export interface PoolSize {
  miners: number;
  /** Shares behind its sums. */
  shares: number;
  blocks: number;
  payments: number;
}

/** A filled pool. */
export interface FilledPool {
  redis: TestRedis;
  store: Store;
  keys: ReturnType<typeof createKeys>;
  /** What one collection took (milliseconds). */
  collectMs: number;
}

/** The configuration's windows and lists. */
export const COLLECTING = {
  ...{ hashrateWindowMs: 1_800_000, hashrateLargeWindowMs: 10_800_000 },
  ...{ luckWindow: [64, 128, 256], payments: 50, blocks: 50 },
};

const SHARE = 4_000_000_000n;
const BUCKETS = 3;
const CHUNK = 500;

/** The login of a number. */
export function loginOf(n: number): string {
  return "0x" + n.toString(16).padStart(40, "0");
}

/** Starts a Redis and fills it, then collects once, as the pool does every five seconds. */
export async function fillPool(size: PoolSize): Promise<FilledPool> {
  const redis = await startRedis();
  const store = await openStore({
    ...{ endpoint: redis.endpoint, database: 0, password: "", timeoutMs: 60_000 },
  }, { log: silentLogger });
  const keys = createKeys("etc");
  const nowSeconds = Math.floor(Date.now() / 1000);
  await fillMiners(store, keys, size, nowSeconds);
  await fillLists(store, keys, size, nowSeconds);
  const deps = { store, keys, clock: systemClock, log: silentLogger };
  const collector = createCollector(COLLECTING, deps);
  await collector.collect();
  const startedAt = performance.now();
  await collector.collect();
  return { redis, store, keys, collectMs: performance.now() - startedAt };
}

async function fillMiners(
  store: Store,
  keys: FilledPool["keys"],
  { miners, shares }: PoolSize,
  nowSeconds: number,
) {
  const each = BigInt(Math.max(1, Math.floor(shares / miners))) * SHARE;
  const charts = chartKeys(keys, nowSeconds);
  for (let i = 0; i < miners; i += CHUNK) {
    const logins = Array.from({ length: Math.min(CHUNK, miners - i) }, (_, n) => loginOf(i + n));
    const commands = logins.flatMap((login) => [
      [
        ...["HSET", keys.miner(login), "lastShare", `${nowSeconds}`, "balance", "123456789"],
        ...["paid", "987654321", "immature", "5", "blocksFound", "1"],
      ],
      ...charts(login),
    ]);
    commands.push(["HSET", keys.roundCurrent(), ...logins.flatMap((login) => [login, `${each}`])]);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const start = nowSeconds - nowSeconds % 120 - bucket * 120;
      const fields = logins.flatMap((login) => [
        ...[`${login}:rig`, `${each / BigInt(BUCKETS)}`, `${login}:rig:t`, `${start}`],
      ]);
      commands.push(["HSET", keys.own.bucket(start), ...fields]);
    }
    await store.multi(commands);
  }
  await store.command("HSET", keys.stats(), "roundShares", `${each * BigInt(miners)}`);
}

/** A day of points of one login in the two spans that a chart may touch. */
function chartKeys(keys: FilledPool["keys"], nowSeconds: number) {
  const { spanSeconds, stepSeconds } = SERIES_RANGES["24h"];
  const points = Array.from({ length: spanSeconds / stepSeconds }, (_, i) => `${i}:182000000,;`);
  const chunk = Math.floor(nowSeconds / spanSeconds);
  return (login: string) =>
    [chunk - 1, chunk].map((one) => ["SET", keys.own.series("24h", one, login), points.join("")]);
}

async function fillLists(
  store: Store,
  keys: FilledPool["keys"],
  { miners, blocks, payments }: PoolSize,
  nowSeconds: number,
) {
  const add = async (count: number, command: (n: number) => string[][]) => {
    for (let i = 0; i < count; i += CHUNK) {
      const length = Math.min(CHUNK, count - i);
      await store.multi(Array.from({ length }, (_, n) => command(i + n)).flat());
    }
  };
  await add(blocks, (n) => [[
    ...["ZADD", keys.matured(), `${n + 1}`],
    `0:0:0x${n.toString(16)}:0x${n}:${
      nowSeconds - 1_000_000 + n
    }:1000000:900000:2000000000000000000`,
  ]]);
  await add(payments, (n) => {
    const [at, login] = [`${nowSeconds - 10_000_000 + n * 10}`, loginOf(n % miners)];
    return [
      ["ZADD", keys.paymentsAll(), at, `0x${n}:${login}:1000000`],
      ["ZADD", keys.paymentsOf(login), at, `0x${n}:1000000`],
    ];
  });
}
