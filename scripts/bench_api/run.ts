/** `scripts/bench api`: page views of a small and a large pool, and shares beside page views. */
import process from "node:process";
import { createApp } from "../../modules/api/mod.ts";
import { silentLogger, systemClock } from "../../modules/base/mod.ts";
import { median, say } from "../bench_stratum/figures.ts";
import { type FilledPool, fillPool, loginOf, type PoolSize } from "./fill.ts";
import { sharesBesideViews, VIEWS_PER_SECOND } from "./shares.ts";

/** Settings of a run. */
export interface ApiBenchOptions {
  out: string;
  /** Seconds of each load of shares. */
  seconds: number;
  /** Page views of each kind, per round. */
  requests: number;
  rounds: number;
}

const SMALL: PoolSize = { miners: 1_000, shares: 10_000_000, blocks: 1_000, payments: 1_000 };
const LARGE: PoolSize = {
  ...{ miners: 100_000, shares: 10_000_000, blocks: 20_000, payments: 100_000 },
};
/** Requests before a measurement. */
const WARM_UP = 300;
/** Requests under way at once. */
const AT_ONCE = 8;

/** Page views, by path; logins change with every request. */
export const VIEWS: Record<string, (login: string) => string> = {
  "/api/stats": () => "/api/stats",
  "/api/accounts/{login}": (login) => `/api/accounts/${login}`,
  "/api/v2/pool": () => "/api/v2/pool",
  "/api/v2/miners/{login}": (login) => `/api/v2/miners/${login}`,
  "/api/v2/miners/{login}/history": (login) => `/api/v2/miners/${login}/history`,
  "/api/v2/miners": (login) => `/api/v2/miners?before=${Number(login) % 900}`,
};

/** What a load came to. */
export interface Load {
  perSecond: number;
  /** Processor time of API and Redis for one request (microseconds): what other work cannot blur. */
  cpuUs: number;
  /** The part of it that is Redis's, which shares wait for. */
  redisUs: number;
  p50Ms: number;
  p99Ms: number;
}

/** Runs both parts, prints ratios and writes JSON. */
export async function benchApi({ out, seconds, rounds, requests }: ApiBenchOptions): Promise<void> {
  say("Filling a pool of 1,000 miners and one of 100,000");
  const small = await fillPool(SMALL);
  const large = await fillPool(LARGE);
  const report: Record<string, unknown> = {
    collectMs: { small: small.collectMs, large: large.collectMs },
  };
  say(`one collection: ${small.collectMs.toFixed(0)} ms and ${large.collectMs.toFixed(0)} ms`);
  try {
    const views: Record<string, unknown> = report.views = {};
    const redisUs: number[] = [];
    for (const [name, path] of Object.entries(VIEWS)) {
      const loads: [Load[], Load[]] = [[], []];
      // In turn, so that whatever else the machine does meets both.
      for (let round = 0; round < rounds; round++) {
        loads[0].push(await load(small, SMALL.miners, path, requests));
        loads[1].push(await load(large, LARGE.miners, path, requests));
      }
      const [few, many] = loads.map(middle) as [Load, Load];
      const ratio = many.cpuUs / few.cpuUs;
      redisUs.push(many.redisUs);
      views[name] = { small: few, large: many, costRatio: ratio };
      say(
        `${name.padEnd(32)} ${show(few)} | ${show(many)} | cost × ${ratio.toFixed(2)}`,
      );
    }
    const mean = redisUs.reduce((sum, one) => sum + one, 0) / redisUs.length;
    // What views take of the one thread that shares wait for: other work cannot blur this figure.
    report.redisPart = mean * VIEWS_PER_SECOND / 1e6;
    say(
      `${VIEWS_PER_SECOND} page views a second take ${
        (mean * VIEWS_PER_SECOND / 1e4).toFixed(1)
      } % of Redis's time`,
    );
    report.shares = await sharesBesideViews(large, { seconds, rounds });
  } finally {
    for (const pool of [small, large]) {
      await pool.store.close();
      await pool.redis[Symbol.asyncDispose]();
    }
  }
  await Deno.mkdir(out, { recursive: true });
  await Deno.writeTextFile(`${out}/api.json`, JSON.stringify(report, null, 2) + "\n");
}

/** An app that keeps no answer, so that every view is made anew. */
export function appOf({ store, keys }: Pick<FilledPool, "store" | "keys">) {
  return createApp({ payments: 30, statsCollectIntervalMs: -1 }, {
    ...{ store, keys, clock: systemClock, log: silentLogger, mining: () => undefined },
  });
}

/** Makes so many page views, eight at a time, over all miners. */
export async function load(
  pool: FilledPool,
  miners: number,
  path: (login: string) => string,
  requests: number,
): Promise<Load> {
  const app = appOf(pool);
  const times: number[] = [];
  let next = 0, left = WARM_UP;
  const ask = async () => {
    while (left-- > 0) {
      // Spread over all miners, the same way each time.
      next = (next + 7_919) % miners;
      const startedAt = performance.now();
      const response = await app.request(`http://pool${path(loginOf(next))}`);
      await response.text();
      if (response.status !== 200) throw new Error(`${response.status} from ${path("")}`);
      times.push(performance.now() - startedAt);
    }
  };
  await ask();
  times.length = 0;
  left = requests;
  const cpuBefore = await cpuUs(pool);
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  const lasted = (performance.now() - startedAt) / 1_000;
  const cpuAfter = await cpuUs(pool);
  const [cpu, redis] = [cpuAfter.all - cpuBefore.all, cpuAfter.redis - cpuBefore.redis];
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor(times.length * part)] ?? 0;
  return {
    ...{ perSecond: requests / lasted, cpuUs: cpu / requests, redisUs: redis / requests },
    ...{ p50Ms: at(0.5), p99Ms: at(0.99) },
  };
}

/** Processor time that this process and the pool's Redis have used (microseconds). */
async function cpuUs({ store }: FilledPool): Promise<{ all: number; redis: number }> {
  const info = String(await store.command("INFO", "cpu"));
  const parts = ["sys", "user"].map((kind) =>
    Number(new RegExp(`used_cpu_${kind}:([\\d.]+)`).exec(info)?.[1] ?? NaN)
  );
  const { user, system } = process.cpuUsage();
  const redis = (parts[0]! + parts[1]!) * 1e6;
  return { all: user + system + redis, redis };
}

function middle(loads: Load[]): Load {
  const of = (key: keyof Load) => median(loads.map((one) => one[key]));
  return {
    perSecond: of("perSecond"),
    cpuUs: of("cpuUs"),
    redisUs: of("redisUs"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
  };
}

function show({ perSecond, cpuUs, redisUs, p50Ms, p99Ms }: Load): string {
  return `${cpuUs.toFixed(0)} µs (Redis ${redisUs.toFixed(0)}) ${perSecond.toFixed(0)}/s p50 ${
    p50Ms.toFixed(2)
  } ms p99 ${p99Ms.toFixed(2)} ms`;
}
