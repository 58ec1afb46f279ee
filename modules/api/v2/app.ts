/** The app of `/api/v2`: guards, kept answers, and each route over what the ledger has prepared. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { countBlocks, type Overview, readStatus, StoreError } from "../../ledger/mod.ts";
import { CURSOR_HEADER, keptAnswers, wantsCsv } from "./answers.ts";
import { connectBody, hostOf } from "./connect.ts";
import { csvOf } from "./csv.ts";
import { asOf, type V2Deps } from "./deps.ts";
import { docsPage, STYLE } from "./docs.ts";
import { Doorbell } from "./events.ts";
import { addressReader, type GuardOptions, guards, type Peer } from "./guard.ts";
import { blockPage, paymentPage } from "./lists.ts";
import { minerBlocksBody, minerCreditsBody, minerPaymentsBody } from "./miner_lists.ts";
import { minerBody, minerHistoryBody, minersBody } from "./miners.ts";
import { poolBody, poolHistoryBody } from "./pool.ts";
import { refused } from "./refused.ts";
import * as route from "./routes.ts";
import * as shape from "./schemas.ts";
import { statusBody, statusHistoryBody } from "./status.ts";

/** The type that a client is made from: `hc<ApiV2>("https://pool.example/api/v2")`. */
export type ApiV2 = ReturnType<typeof createRoutes>;

const INFO = {
  openapi: "3.1.0",
  info: {
    ...{ title: "quarry API", version: "2" },
    description: "Everything that the pool's page shows. Money is decimal text, times are " +
      "milliseconds since 1970, what is unknown is null.",
  },
  servers: [{ url: "/api/v2" }],
};

/** Columns of each list as CSV: its rows' fields. */
const COLUMNS: [path: RegExp, columns: string[]][] = [
  [/\/payments$/, Object.keys(shape.payment.shape)],
  [/\/credits$/, Object.keys(shape.credit.shape)],
  [/\/blocks$/, Object.keys(shape.block.shape)],
];

const NOT_YET = {
  error: { code: "no_statistics", message: "no statistics were collected yet: ask again in 5 s" },
};

/** What works now is not a matter of collections: an answer is kept no longer (milliseconds). */
const STATUS_MS_MAX = 5_000;

/** The app, and its bell to be closed at the end. */
export function createV2(options: GuardOptions, deps: V2Deps) {
  const bell = new Doorbell(deps);
  const base = new OpenAPIHono<{ Bindings: Peer }>({ defaultHook: refuse });
  for (const guard of guards(options, deps.clock)) base.use("*", guard);
  const keptFor = (ms: number) => keptAnswers(ms, deps.clock);
  const kept = keptFor(deps.statsCollectIntervalMs);
  const keptStatus = keptFor(Math.min(STATUS_MS_MAX, deps.statsCollectIntervalMs));
  base.use("*", async (context, next) => {
    if (/\/(settings|events|ping)$/.test(context.req.path)) return await next();
    const keeper = context.req.path.endsWith("/status") ? keptStatus : kept;
    return await keeper(context, next);
  });
  base.use("*", asCsv);
  const app = createRoutes(base, options, deps, bell);
  const document = app.getOpenAPI31Document(INFO);
  app.get("/openapi.json", (context) => context.json(document));
  app.get("/docs", (context) => context.html(docsPage(document)));
  app.get("/docs.css", (context) => context.body(STYLE, 200, { "Content-Type": "text/css" }));
  app.onError((error, context) => {
    deps.log.warn("api.failed", { path: context.req.path, error });
    const damaged = error instanceof StoreError && error.fate === "refused";
    const why = damaged
      ? "something in the pool's storage cannot be read: the operator's log names it"
      : "the pool's storage gave no answer: ask again in 5 s";
    return refused(503, "unavailable", why, { "Retry-After": "5" });
  });
  return { app, bell };
}

function createRoutes(
  base: OpenAPIHono<{ Bindings: Peer }>,
  options: GuardOptions,
  deps: V2Deps,
  bell: Doorbell,
) {
  const addressOf = addressReader(options.trustedProxies);
  const totals = async () => {
    const overview: Overview | undefined = await deps.overview.get();
    return {
      paidShannon: overview === undefined ? null : `${overview.paidShannon}`,
      paidDayShannon: overview === undefined ? null : `${overview.paidDayShannon}`,
      nextRunAtMs: (await readStatus(deps)).payer?.nextRunAtMs ?? null,
    };
  };
  return base
    .openapi(route.poolRoute, async (c) => {
      const overview = await deps.overview.get();
      if (overview === undefined) return c.json(NOT_YET, 503);
      return c.json(await poolBody(deps, overview), 200);
    })
    .openapi(route.poolHistoryRoute, async (c) => {
      const overview = await deps.overview.get();
      if (overview === undefined) return c.json(NOT_YET, 503);
      return c.json(await poolHistoryBody(deps, overview, c.req.valid("query").range), 200);
    })
    .openapi(
      route.minersRoute,
      async (c) => c.json(await minersBody(deps, c.req.valid("query")), 200),
    )
    .openapi(
      route.minerRoute,
      async (c) => c.json(await minerBody(deps, c.req.valid("param").address), 200),
    )
    .openapi(route.minerHistoryRoute, async (c) =>
      c.json(
        await minerHistoryBody(deps, c.req.valid("param").address, c.req.valid("query")),
        200,
      ))
    .openapi(route.minerPaymentsRoute, async (c) =>
      c.json(
        await minerPaymentsBody(deps, c.req.valid("param").address, c.req.valid("query")),
        200,
      ))
    .openapi(route.minerCreditsRoute, async (c) =>
      c.json(
        await minerCreditsBody(deps, c.req.valid("param").address, c.req.valid("query")),
        200,
      ))
    .openapi(
      route.minerBlocksRoute,
      async (c) =>
        c.json(
          await minerBlocksBody(deps, c.req.valid("param").address, c.req.valid("query")),
          200,
        ),
    )
    .openapi(route.blocksRoute, async (c) => {
      const { candidates: candidate, immature, matured } = await countBlocks(deps);
      const [page, overview] = await Promise.all([
        blockPage(deps, c.req.valid("query")),
        deps.overview.get(),
      ]);
      const orphaned = overview?.orphaned ?? null;
      // Orphans were counted a little earlier: one of them may have left its list since.
      const all = {
        immature: Math.max(0, immature - (orphaned?.immature ?? 0)),
        matured: Math.max(0, matured - (orphaned?.matured ?? 0)),
      };
      const counts = {
        candidate,
        ...all,
        orphaned: orphaned && orphaned.immature + orphaned.matured,
      };
      return c.json({ ...page, counts }, 200);
    })
    .openapi(
      route.paymentsRoute,
      async (c) =>
        c.json({ ...await paymentPage(deps, c.req.valid("query")), ...await totals() }, 200),
    )
    .openapi(route.statusRoute, async (c) => c.json(await statusBody(deps), 200))
    .openapi(
      route.statusHistoryRoute,
      async (c) => c.json(await statusHistoryBody(deps), 200),
    )
    .openapi(
      route.connectRoute,
      async (c) =>
        c.json(connectBody(deps.facts, hostOf(c.req.header("host")), await asOf(deps)), 200),
    )
    .openapi(
      route.eventsRoute,
      (c) =>
        bell.open(
          addressOf(c.env?.peer, c.req.header("x-forwarded-for")),
          c.req.raw.method,
        ) as never,
    )
    .openapi(route.pingRoute, (c) => c.body(null, 204));
}

/** What is wrong with an address or a query, by its field. */
function refuse(
  result: { success: boolean; error?: { issues: { path: PropertyKey[]; message: string }[] } },
): Response | undefined {
  if (result.success) return undefined;
  const issue = result.error?.issues[0];
  const field = issue?.path.join(".") ?? "";
  const code = field === "address" ? "bad_address" : "bad_request";
  if (field === "") return refused(400, code, "the body must be a JSON object, as /docs shows it");
  return refused(400, code, `${field}: ${issue?.message ?? "cannot be read"}`);
}

async function asCsv(
  context: Parameters<typeof wantsCsv>[0],
  next: () => Promise<void>,
): Promise<void> {
  await next();
  const columns = COLUMNS.find(([path]) => path.test(context.req.path))?.[1];
  if (columns === undefined || context.res.status !== 200 || !wantsCsv(context)) return;
  const { items, nextCursor } = await context.res.json();
  context.res = new Response(csvOf(columns, items), {
    headers: {
      "Content-Type": "text/csv; charset=utf-8",
      ...(nextCursor === null ? {} : { [CURSOR_HEADER]: nextCursor }),
    },
  });
}
