/** The routes of `/api/v2` as they are documented, checked and typed. */
import { createRoute, z } from "@hono/zod-openapi";
import * as shape from "./schemas.ts";

function answer<S extends z.ZodType>(schema: S, description: string) {
  const content = { "application/json": { schema } };
  return { 200: { description, content } } as const;
}

const failed = (description: string) => ({
  description,
  content: { "application/json": { schema: shape.failure } },
});

/** Before the first collection there is nothing to say. */
const notYet = failed("No statistics were collected yet");
const csv = "As CSV with `?format=csv` or `Accept: text/csv`.";
const params = shape.addressParams;

/** `/pool`: the pool at a glance. */
export const poolRoute = createRoute({
  ...{ method: "get", path: "/pool", tags: ["Pool"], summary: "The pool at a glance" },
  responses: {
    200: {
      description: "Hashrate, round, chain, luck, newest rows",
      content: { "application/json": { schema: shape.pool } },
    },
    503: notYet,
  },
});
/** `/pool/history`: charts of the pool. */
export const poolHistoryRoute = createRoute({
  ...{ method: "get", path: "/pool/history", tags: ["Pool"], summary: "Charts of the pool" },
  request: { query: shape.historyQuery },
  responses: {
    200: {
      description: "24h in 5 minutes, 7d in hours, 30d in three hours",
      content: { "application/json": { schema: shape.poolHistory } },
    },
    503: notYet,
  },
});
/** `/miners`: miners by hashrate. */
export const minersRoute = createRoute({
  ...{ method: "get", path: "/miners", tags: ["Miners"], summary: "Miners by hashrate" },
  request: { query: shape.minersQuery },
  responses: answer(shape.miners, "With a share in the short window"),
});
/** `/miners/{address}`: one miner. */
export const minerRoute = createRoute({
  ...{ method: "get", path: "/miners/{address}", tags: ["Miners"], summary: "One miner" },
  request: { params },
  responses: answer(shape.miner, "Also of an address that nobody mined to: `known` is false"),
});
/** `/miners/{address}/history`: charts of a miner or of one of its workers. */
export const minerHistoryRoute = createRoute({
  ...{ method: "get", path: "/miners/{address}/history", tags: ["Miners"] },
  summary: "Charts of a miner or of one of its workers",
  request: { params, query: shape.minerHistoryQuery },
  responses: answer(shape.minerHistory, "Hashrate, measured and reported"),
});
/** `/miners/{address}/payments`: a miner's payments, newest first. */
export const minerPaymentsRoute = createRoute({
  ...{ method: "get", path: "/miners/{address}/payments", tags: ["Miners"] },
  summary: "A miner's payments, newest first",
  request: { params, query: shape.paymentsQuery },
  responses: answer(shape.minerPayments, csv),
});
/** `/miners/{address}/credits`: what a miner was credited for each block, newest first. */
export const minerCreditsRoute = createRoute({
  ...{ method: "get", path: "/miners/{address}/credits", tags: ["Miners"] },
  summary: "What a miner was credited for each block, newest first",
  request: { params, query: shape.creditsQuery },
  responses: answer(shape.credits, `A page may be short while there is a next one. ${csv}`),
});
/** `/miners/{address}/blocks`: blocks that a miner found, newest first. */
export const minerBlocksRoute = createRoute({
  ...{ method: "get", path: "/miners/{address}/blocks", tags: ["Miners"] },
  summary: "Blocks that a miner found, newest first",
  request: { params, query: shape.minerBlocksQuery },
  responses: answer(shape.minerBlocks, csv),
});
/** `/blocks`: found blocks, newest first. */
export const blocksRoute = createRoute({
  ...{ method: "get", path: "/blocks", tags: ["Pool"], summary: "Found blocks, newest first" },
  request: { query: shape.blocksQuery },
  responses: answer(shape.blocks, csv),
});
/** `/payments`: payments, newest first. */
export const paymentsRoute = createRoute({
  ...{ method: "get", path: "/payments", tags: ["Pool"], summary: "Payments, newest first" },
  request: { query: shape.paymentsQuery },
  responses: answer(shape.payments, csv),
});
/** `/status`: what works and what does not. */
export const statusRoute = createRoute({
  ...{ method: "get", path: "/status", tags: ["Pool"], summary: "What works and what does not" },
  responses: answer(shape.status, "Each part with the reason and the mend"),
});
/** `/status/history`: what worked in the last day. */
export const statusHistoryRoute = createRoute({
  ...{ method: "get", path: "/status/history", tags: ["Pool"] },
  summary: "What worked in the last 24 hours",
  responses: answer(shape.statusHistory, "In steps of five minutes"),
});
/** `/connect`: how to mine here. */
export const connectRoute = createRoute({
  ...{ method: "get", path: "/connect", tags: ["Pool"], summary: "How to mine here" },
  responses: answer(shape.connect, "Ports, and command lines to fill in"),
});
/** `/events`: a doorbell: server-sent events `pool`, `block`, `payment`. */
export const eventsRoute = createRoute({
  ...{ method: "get", path: "/events", tags: ["Pool"] },
  summary: "A doorbell: server-sent events `pool`, `block`, `payment`",
  responses: {
    200: {
      description: '`data: {"version":N}`; ask again for what is shown',
      content: { "text/event-stream": { schema: z.string() } },
    },
    429: failed("Too many streams"),
  },
});
/** `/ping`: whether anybody is there. */
export const pingRoute = createRoute({
  ...{ method: "get", path: "/ping", tags: ["Pool"], summary: "Whether anybody is there" },
  responses: { 204: { description: "Yes" } },
});
