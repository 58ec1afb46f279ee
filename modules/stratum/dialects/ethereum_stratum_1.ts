/**
 * EthereumStratum/1.0.0, the NiceHash dialect (github.com/nicehash/Specifications,
 * EthereumStratum_NiceHash_v1.0.0.txt), with the habits of TeamRedMiner, which submits in the
 * five-member form, and of GodMiner, which wants a new job id with every notify.
 *
 * The order of notify is job, seed, header, and no hex has 0x. Difficulty is a number in units of
 * about 2^32 hashes: a miner's own target for it is 15 millionths stricter than ours, never laxer.
 */
import { type Command, type Dialect, readCommand, type RpcId } from "../dialect.ts";
import { readPartialClaim } from "../../share/mod.ts";
import { readFiveMembers } from "./miner_proxy.ts";

/** Hashes of difficulty 1, rounded: the specification's 2^48 / 65535 is 1.5e-5 more. */
const UNIT = 2 ** 32;

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
      if (params.length === 5) return readFiveMembers(id, params, worker);
      return {
        ...{ kind: "submit", id, worker: worker ?? params[0] },
        claim: params.length === 3 ? readPartialClaim(params[1], params[2]) : { field: "params" },
      };
    case "mining.hashrate":
    case "eth_submitHashrate":
      return { kind: "hashrate", id, rate: params[0], worker };
    case "mining.noop":
    case "mining.multi_version":
    case "mining.get_transactions":
      return { kind: "noop", id };
  }
}

function notification(method: string, params: unknown[]): string {
  return JSON.stringify({ id: null, method, params });
}

/** EthereumStratum/1.0.0. */
export const ethereumStratum1: Dialect = {
  name: "EthereumStratum/1.0.0",
  ...{ hasExtranonce: true, sendsWorkOnLogin: true, namesWorkers: false },
  read: (request) => readCommand(request, known),
  result: (id, result) => JSON.stringify({ id, result, error: null }),
  error: (id, { code, message }) =>
    JSON.stringify({ id, result: false, error: [code, message, null] }),
  subscribed: (id, session) =>
    JSON.stringify({
      id,
      result: [["mining.notify", session.id, "EthereumStratum/1.0.0"], session.extranonce],
      error: null,
    }),
  settings(told, now) {
    const lines: string[] = [];
    // The first one came with the answer to mining.subscribe.
    if (told.extranonce !== now.extranonce && told.extranonce !== undefined) {
      lines.push(notification("mining.set_extranonce", [now.extranonce]));
    }
    if (told.difficulty !== now.difficulty) {
      lines.push(notification("mining.set_difficulty", [Number(now.difficulty) / UNIT]));
    }
    return lines;
  },
  push: ({ id, job, clean }) =>
    notification("mining.notify", [id, job.seedHash.slice(2), job.headerHash.slice(2), clean]),
};
