/** What every dialect does: requests to commands, answers and jobs to lines. */
import type { Job } from "../work/mod.ts";

/** A JSON-RPC id as it came; it is echoed as it is. */
export type RpcId = string | number | null;

/** What a miner asks for, whatever words its dialect has. */
export type Command =
  | { kind: "login"; id: RpcId; login: unknown; worker?: unknown }
  | { kind: "getWork"; id: RpcId }
  | {
    kind: "submit";
    id: RpcId;
    /** The claim, read by the share room. */
    params: unknown;
    worker?: unknown;
  }
  | { kind: "hashrate"; id: RpcId; rate: unknown; worker?: unknown }
  /** The miner asks the pool's block (old HTTP miners do). */
  | { kind: "getBlock"; id: RpcId }
  | { kind: "unknown"; id: RpcId; method: string }
  | { kind: "malformed"; id: RpcId; message: string };

/** An error as a miner sees it. */
export interface RpcError {
  code: number;
  message: string;
}

/** Words for commands; holds no state of a session. */
export interface Dialect {
  readonly name: string;
  /** Reads one parsed JSON value. */
  read(request: unknown): Command;
  /** An answer of `true` or any other plain result. */
  result(id: RpcId, result: unknown): string;
  error(id: RpcId, error: RpcError): string;
  /** The job as an answer to a question for work. */
  work(id: RpcId, job: Job, shareTarget: bigint): string;
  /** The job pushed unasked. */
  push(job: Job, shareTarget: bigint): string;
}
