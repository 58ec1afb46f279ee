/**
 * The eth-proxy dialect: eth_submitLogin, eth_getWork, eth_submitWork, eth_submitHashrate.
 *
 * Most GPU miners and nearly all Ethash ASICs speak it; HTTP getwork uses the same words. Members
 * that are not known (`compact`, ...) are ignored. A push carries id 0, because Claymore and others
 * take only that for a job. The target is padded to 32 bytes, which every miner accepts.
 */
import { toHash } from "../../base/mod.ts";
import { readClaim } from "../../share/mod.ts";
import { type Command, type Dialect, readCommand, type RpcId } from "../dialect.ts";
import type { Offer } from "../offers.ts";

function known(
  method: string,
  id: RpcId,
  params: unknown[],
  { params: given, worker }: Record<string, unknown>,
): Command | undefined {
  switch (method) {
    case "eth_submitLogin":
    case "eth_login":
      return { kind: "login", id, login: params[0], password: params[1], worker };
    case "eth_getWork":
      return { kind: "getWork", id };
    case "eth_submitWork":
      return { kind: "submit", id, claim: readClaim(given), worker };
    case "eth_submitHashrate":
      return { kind: "hashrate", id, rate: params[0], worker };
    case "eth_getBlockByNumber":
      return { kind: "getBlock", id };
  }
}

/** The three texts of eth_getWork: header hash, seed hash, share target. */
export function workOf({ job, terms }: Offer): [string, string, string] {
  return [job.headerHash, job.seedHash, toHash(terms.target)];
}

function result(id: RpcId, value: unknown): string {
  return JSON.stringify({ id, jsonrpc: "2.0", result: value });
}

/** The eth-proxy dialect. */
export const ethProxy: Dialect = {
  name: "eth-proxy",
  ...{ hasExtranonce: false, sendsWorkOnLogin: false, namesWorkers: false },
  read: (request) => readCommand(request, known),
  result,
  error: (id, { code, message }) =>
    JSON.stringify({ id, jsonrpc: "2.0", result: null, error: { code, message } }),
  work: (id, offer) => result(id, workOf(offer)),
  push: (offer) => result(0, workOf(offer)),
};
