/**
 * EthereumStratum/2.0.0 (EIP-1571): no jsonrpc member, ids from 0 to 65535, numbers as hex without
 * 0x and leading zeros, settings told once and then only as they change.
 */
import { type Command, type Dialect, readCommand, type RpcError, type RpcId } from "../dialect.ts";
import { readPartialClaim, type Rejection } from "../../share/mod.ts";

/** Seconds that a session without traffic, or one that may be resumed, is kept for. */
export const SESSION_SECONDS = 180;
/** Errors in a row that the pool tolerates, as told to the miner. */
const ERRORS_MAX = 5;

/** Codes of EIP-1571: 3xx not authorised, 4xx bad request, 5xx the pool's fault. */
const CODES: Record<Rejection | "unauthorized" | "internal", number> = {
  ...{ stale: 404, unknownJob: 404, duplicate: 406, lowDifficulty: 406, badMix: 406 },
  ...{ malformed: 400, notSubscribed: 301, unauthorized: 301, busy: 503, away: 503 },
  internal: 500,
};

function known(
  method: string,
  id: RpcId,
  params: unknown[],
  { params: given }: Record<string, unknown>,
): Command | undefined {
  switch (method) {
    case "mining.hello": {
      const agent = given !== null && typeof given === "object" && "agent" in given
        ? given.agent
        : undefined;
      return { kind: "hello", id, agent };
    }
    case "mining.subscribe":
      return { kind: "subscribe", id, resume: typeof given === "string" ? given : params[0] };
    case "mining.authorize":
      return { kind: "login", id, login: params[0], password: params[1] };
    case "mining.submit":
      return {
        ...{ kind: "submit", id, worker: params[2] },
        claim: params.length === 3 ? readPartialClaim(params[0], params[1]) : { field: "params" },
      };
    case "mining.hashrate":
      return { kind: "hashrate", id, rate: prefixed(params[0]), worker: params[1] };
    case "mining.noop":
      return { kind: "noop", id };
    case "mining.bye":
      return { kind: "bye", id };
  }
}

function prefixed(rate: unknown): unknown {
  return typeof rate === "string" && !rate.startsWith("0x") ? "0x" + rate : rate;
}

function codeOf({ code, kind }: RpcError): number {
  if (kind !== undefined) return CODES[kind];
  return code >= 100 ? code : code === 0 ? 503 : 400;
}

/** EthereumStratum/2.0.0. */
export const ethereumStratum2: Dialect = {
  name: "EthereumStratum/2.0.0",
  ...{ hasExtranonce: true, sendsWorkOnLogin: true, namesWorkers: true },
  read: (request) => readCommand(request, known),
  result: (id, result) => JSON.stringify(result === true ? { id } : { id, result }),
  error: (id, error) =>
    JSON.stringify({ id, error: { code: codeOf(error), message: error.message } }),
  hello: (id) =>
    JSON.stringify({
      id,
      result: {
        ...{ proto: "EthereumStratum/2.0.0", encoding: "plain", resume: "1" },
        ...{ timeout: SESSION_SECONDS.toString(16), maxerrors: ERRORS_MAX.toString(16) },
        node: "quarry",
      },
    }),
  subscribed: (id, session) => JSON.stringify({ id, result: session.id }),
  settings(told, now) {
    const params: Record<string, string> = {};
    if (told.epoch !== now.epoch) params.epoch = now.epoch.toString(16);
    if (told.difficulty !== now.difficulty) {
      params.target = ((1n << 256n) / now.difficulty).toString(16).padStart(64, "0");
    }
    // All four on a new session; the algorithm never changes within one.
    if (told.epoch === undefined) params.algo = "ethash";
    if (told.extranonce !== now.extranonce) params.extranonce = now.extranonce;
    return Object.keys(params).length === 0
      ? []
      : [JSON.stringify({ method: "mining.set", params })];
  },
  push: ({ id, job, clean }) =>
    JSON.stringify({
      method: "mining.notify",
      params: [id, job.height.toString(16), job.headerHash.slice(2), clean ? "1" : "0"],
    }),
  farewell: () => JSON.stringify({ method: "mining.bye" }),
};
