/** What every dialect does: requests to commands, answers and offers to lines. */
import type { Claim, MalformedClaim, Rejection } from "../share/mod.ts";
import type { Offer } from "./offers.ts";

/** A JSON-RPC id as it came; it is echoed as it is. */
export type RpcId = string | number | null;

/** What a miner asks for, whatever words its dialect has. */
export type Command =
  /** The greeting of EthereumStratum/2.0.0. */
  | { kind: "hello"; id: RpcId; agent?: unknown }
  /** @param resume the session that a miner comes back to */
  | { kind: "subscribe"; id: RpcId; agent?: unknown; resume?: unknown }
  | { kind: "extranonce"; id: RpcId }
  | { kind: "login"; id: RpcId; login: unknown; password?: unknown; worker?: unknown }
  | { kind: "getWork"; id: RpcId }
  | { kind: "submit"; id: RpcId; claim: Claim | MalformedClaim; worker?: unknown }
  | { kind: "hashrate"; id: RpcId; rate: unknown; worker?: unknown }
  /** The miner asks the pool's block (old HTTP miners do). */
  | { kind: "getBlock"; id: RpcId }
  | { kind: "noop"; id: RpcId }
  | { kind: "bye"; id: RpcId }
  | { kind: "unknown"; id: RpcId; method: string }
  | { kind: "malformed"; id: RpcId; message: string };

/** An error as a miner sees it; dialects with codes of their own choose by `kind`. */
export interface RpcError {
  code: number;
  message: string;
  kind?: Rejection | "unauthorized" | "internal";
}

/** What a session was told last; a dialect tells what differs. */
export interface Told {
  /** Share difficulty (hashes). */
  difficulty?: bigint;
  epoch?: number;
  extranonce?: string;
}

/** Words for commands; holds no state of a session. */
export interface Dialect {
  readonly name: string;
  /** Whether nonces begin with the session's extranonce. */
  readonly hasExtranonce: boolean;
  /** Whether work is sent right after the login; other miners ask for it. */
  readonly sendsWorkOnLogin: boolean;
  /** Whether submissions name the worker by what the login was answered with. */
  readonly namesWorkers: boolean;
  /** Reads one parsed JSON value. */
  read(request: unknown): Command;
  /** An answer of `true` or any other plain result. */
  result(id: RpcId, result: unknown): string;
  error(id: RpcId, error: RpcError): string;
  /** The answer to `hello`. */
  hello?(id: RpcId): string;
  /** The answer to `subscribe`. */
  subscribed?(id: RpcId, session: { id: string; extranonce: string }): string;
  /** The offer as an answer to a question for work. */
  work?(id: RpcId, offer: Offer): string;
  /** What has to be said before the offer: the difference to what was told. */
  settings?(told: Told, now: Required<Told>): string[];
  /** The offer pushed unasked; the same for every session. */
  push(offer: Offer): string;
  /** The last words before the pool closes the connection. */
  farewell?(): string;
}

/** A request as an object, or undefined. */
export function requestOf(request: unknown): Record<string, unknown> | undefined {
  if (request === null || typeof request !== "object" || Array.isArray(request)) return undefined;
  return request as Record<string, unknown>;
}

/** An id that can be echoed. */
export function readId(id: unknown): RpcId {
  return typeof id === "number" || typeof id === "string" ? id : null;
}

/** Reads what all dialects share; `known` maps the method to a command, or undefined. */
export function readCommand(
  request: unknown,
  known: (method: string, id: RpcId, params: unknown[], all: Record<string, unknown>) =>
    | Command
    | undefined,
): Command {
  const all = requestOf(request);
  if (all === undefined) {
    return { kind: "malformed", id: null, message: "Malformed request: expected a JSON object" };
  }
  const id = readId(all.id);
  const { method } = all;
  if (typeof method !== "string") {
    return { kind: "malformed", id, message: "Malformed request: method is missing" };
  }
  const params = Array.isArray(all.params) ? all.params : [];
  return known(method, id, params, all) ?? { kind: "unknown", id, method: method.slice(0, 64) };
}
