/**
 * The eth-proxy dialect: eth_submitLogin, eth_getWork, eth_submitWork, eth_submitHashrate.
 *
 * Most GPU miners and nearly all Ethash ASICs speak it; HTTP getwork uses the same words. Members
 * that are not known (`compact`, ...) are ignored. A push carries id 0, because Claymore and others
 * take only that for a job. The target is padded to 32 bytes, which every miner accepts.
 */
import { toHash } from "../../base/mod.ts";
import type { Job } from "../../work/mod.ts";
import type { Command, Dialect, RpcId } from "../dialect.ts";

function read(request: unknown): Command {
  if (request === null || typeof request !== "object" || Array.isArray(request)) {
    return { kind: "malformed", id: null, message: "Malformed request: expected a JSON object" };
  }
  const { id: rawId, method, params, worker } = request as Record<string, unknown>;
  const id = readId(rawId);
  if (typeof method !== "string") {
    return { kind: "malformed", id, message: "Malformed request: method is missing" };
  }
  const list = Array.isArray(params) ? params : [];
  switch (method) {
    case "eth_submitLogin":
    case "eth_login":
      return { kind: "login", id, login: list[0], worker };
    case "eth_getWork":
      return { kind: "getWork", id };
    case "eth_submitWork":
      return { kind: "submit", id, params, worker };
    case "eth_submitHashrate":
      return { kind: "hashrate", id, rate: list[0], worker };
    case "eth_getBlockByNumber":
      return { kind: "getBlock", id };
    default:
      return { kind: "unknown", id, method };
  }
}

function readId(id: unknown): RpcId {
  if (typeof id === "number" || typeof id === "string") return id;
  return null;
}

function workOf(job: Job, shareTarget: bigint): [string, string, string] {
  return [job.headerHash, job.seedHash, toHash(shareTarget)];
}

function result(id: RpcId, value: unknown): string {
  return JSON.stringify({ id, jsonrpc: "2.0", result: value });
}

/** The eth-proxy dialect. */
export const ethProxy: Dialect = {
  name: "eth-proxy",
  read,
  result,
  error: (id, error) => JSON.stringify({ id, jsonrpc: "2.0", result: null, error }),
  work: (id, job, shareTarget) => result(id, workOf(job, shareTarget)),
  push: (job, shareTarget) => result(0, workOf(job, shareTarget)),
};
