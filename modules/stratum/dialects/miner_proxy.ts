/**
 * The miner-proxy dialect, called "stratum" by miners: mining.subscribe without a version and
 * submissions with five members (ethminer's stratum+tcp, PhoenixMiner's -proto 1).
 */
import { toHash } from "../../base/mod.ts";
import { type Command, type Dialect, readCommand, type RpcId } from "../dialect.ts";
import { readNamedClaim } from "../../share/mod.ts";

/** Reads `[user, job, nonce, header, mix]`. */
export function readFiveMembers(id: RpcId, params: unknown[], worker: unknown): Command {
  const claim = params.length === 5
    ? readNamedClaim(params.slice(1))
    : { field: "params" as const };
  return { kind: "submit", id, claim, worker: worker ?? params[0] };
}

function known(
  method: string,
  id: RpcId,
  params: unknown[],
  { worker }: Record<string, unknown>,
): Command | undefined {
  switch (method) {
    case "mining.subscribe":
      return { kind: "subscribe", id, agent: params[0] };
    case "mining.extranonce.subscribe":
      return { kind: "extranonce", id };
    case "mining.authorize":
      return { kind: "login", id, login: params[0], password: params[1], worker };
    case "mining.submit":
      return readFiveMembers(id, params, worker);
    case "eth_submitHashrate":
    case "mining.hashrate":
      return { kind: "hashrate", id, rate: params[0], worker };
    case "mining.noop":
      return { kind: "noop", id };
  }
}

/** The miner-proxy dialect. */
export const minerProxy: Dialect = {
  name: "miner-proxy",
  ...{ hasExtranonce: false, sendsWorkOnLogin: true, namesWorkers: false },
  read: (request) => readCommand(request, known),
  result: (id, result) => JSON.stringify({ id, jsonrpc: "2.0", result, error: null }),
  error: (id, { code, message }) =>
    JSON.stringify({ id, jsonrpc: "2.0", result: false, error: [code, message, null] }),
  push: ({ id, job, terms, clean }) =>
    JSON.stringify({
      ...{ id: null, jsonrpc: "2.0", method: "mining.notify" },
      params: [id, job.headerHash, job.seedHash, toHash(terms.target), clean],
    }),
};
