/**
 * The routes of the API: open-ethereum-pool's five, health, readiness and the page.
 *
 * As in the old pool every method is answered, and every reply, a 404 with its empty body
 * included, carries the same three headers.
 */
import { type Context, Hono } from "hono";
import { type Clock, isAddress, type Logger } from "../base/mod.ts";
import {
  readMiner,
  readMinersSnapshot,
  readNodes,
  readOverview,
  readPoolSnapshot,
  readWorkerRates,
  type ViewDeps,
} from "../ledger/mod.ts";
import { observe } from "../metrics/mod.ts";
import { AccountCache } from "./account_cache.ts";
import { Latest } from "./latest.ts";
import { accountBody, blocksBody, minersBody, paymentsBody, statsBody } from "./old_shapes.ts";
import { type MiningHealth, readiness } from "./readiness.ts";
import { settingsDoor, type SettingsOptions } from "./settings_door.ts";
import { servePage } from "./static.ts";
import { createV2 } from "./v2/app.ts";
import { NO_FACTS, type PoolFacts } from "./v2/facts.ts";
import type { GuardOptions } from "./v2/guard.ts";
import { refused } from "./v2/refused.ts";

/** Account bodies held at most. */
const ACCOUNTS_MAX = 10_000;

/** Headers of every reply of the old pool. */
const OLD_HEADERS = {
  "Content-Type": "application/json; charset=UTF-8",
  "Access-Control-Allow-Origin": "*",
  "Cache-Control": "no-cache",
};

/** What the app serves. */
export interface AppOptions {
  /** Payments shown. */
  payments: number;
  /** Pause between collections (milliseconds). */
  statsCollectIntervalMs: number;
  /** Folder of the page; undefined: no page. */
  page?: string;
  /** The operator's SVG in place of the page's own. */
  logo?: string;
  /** What signed settings are checked with; undefined: nobody can change any here. */
  settings?: SettingsOptions;
  /** What `/api/v2` shows of the configuration. @default {NO_FACTS} */
  facts?: PoolFacts;
  /** Who may ask `/api/v2`. @default {everybody, from pages of this origin} */
  guard?: GuardOptions;
}

/** What the app works with. */
export interface AppDeps extends ViewDeps {
  clock: Clock;
  log: Logger;
  /** Undefined when this process does not mine. */
  mining(): MiningHealth | undefined;
  /** Ends streams that are open. */
  end?: AbortSignal;
}

/** The app's type is the contract of its routes. */
export type ApiApp = ReturnType<typeof createApp>;

/** The app over a ledger; it opens nothing and is asked through `app.fetch` or `app.request`. */
export function createApp(options: AppOptions, deps: AppDeps) {
  const { clock, log } = deps;
  const { statsCollectIntervalMs, payments } = options;
  const pool = new Latest(() => readPoolSnapshot(deps), deps);
  const miners = new Latest(() => readMinersSnapshot(deps), deps);
  const accounts = new AccountCache(
    { maxAgeMs: statsCollectIntervalMs, size: ACCOUNTS_MAX },
    clock,
  );
  const v2 = createV2(options.guard ?? { rateLimit: 0, cors: [], trustedProxies: [] }, {
    ...{ ...deps, facts: options.facts ?? NO_FACTS, statsCollectIntervalMs },
    overview: new Latest(() => readOverview(deps), deps),
  });
  deps.end?.addEventListener("abort", () => v2.bell.close(), { once: true });

  async function nodes() {
    try {
      return await readNodes(deps);
    } catch (error) {
      log.warn("api.nodesNotRead", { error });
      return undefined;
    }
  }

  async function account(login: string): Promise<string | undefined> {
    const [miner, workers] = await Promise.all([
      readMiner(deps, login, payments),
      readWorkerRates(deps, login),
    ]);
    return miner === undefined ? undefined : accountBody(miner, workers, payments);
  }

  return new Hono()
    .use("*", cleanPath)
    .use("*", timed)
    .all("/api/stats", async () => reply(statsBody(await pool.get(), await nodes(), clock.now())))
    .all("/api/miners", async () => reply(minersBody(await miners.get(), clock.now())))
    .all("/api/blocks", async () => reply(blocksBody(await pool.get())))
    .all("/api/payments", async () => reply(paymentsBody(await pool.get())))
    .all("/api/accounts/:login", async (context) => {
      const login = context.req.param("login");
      if (!isAddress(login)) return reply(null, 404);
      const key = login.toLowerCase();
      const body = await accounts.get(key, () => account(key));
      return body === undefined ? reply(null, 404) : reply(body);
    })
    .all("/healthz", () => reply('{"alive":true}\n'))
    .all("/readyz", async () => {
      const state = await readiness({ ...deps, pool, statsCollectIntervalMs });
      return reply(JSON.stringify(state) + "\n", state.ready ? 200 : 503);
    })
    .route("/api/v2", v2.app)
    .route("/api/v2", settingsDoor(options.settings, deps))
    .all("/api/v2/*", () => refused(404, "not_found", "no such path: see /api/v2/docs"))
    .use(
      "*",
      options.page === undefined
        ? pass
        : servePage(options.page, { logo: options.logo, pings: pingsOf(options.facts) }),
    )
    .notFound(() => reply(null, 404))
    .onError((error, context) => {
      log.warn("api.failed", { path: context.req.path, error });
      return reply(null, 500);
    });
}

/** `//api/stats` goes to `/api/stats`, as the old pool's router sent it. */
async function cleanPath(context: Context, next: () => Promise<void>) {
  const url = new URL(context.req.url);
  const clean = url.pathname.replace(/\/{2,}/g, "/");
  if (clean === url.pathname) return await next();
  return reply(null, 301, { Location: clean + url.search });
}

/** Notes how long an answer took, by class of its status. */
async function timed(context: Context, next: () => Promise<void>) {
  const startMs = performance.now();
  await next();
  const status = `${Math.floor(context.res.status / 100)}xx`;
  observe("quarry_api_seconds", (performance.now() - startMs) / 1000, { status });
}

async function pass(_context: Context, next: () => Promise<void>) {
  await next();
}

/** Where the page may measure latencies. */
function pingsOf(facts: PoolFacts = NO_FACTS): string[] {
  return facts.regions.flatMap(({ ping }) => ping === undefined ? [] : [new URL(ping).origin]);
}

function reply(body: string | null, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { ...OLD_HEADERS, ...headers } });
}
