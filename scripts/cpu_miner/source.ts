/** What a miner needs from a pool, whatever the wire: work, answers to submissions, a hashrate line. */
import { hexToBytes, isHash, isQuantity, parseQuantity } from "../../modules/base/mod.ts";

/** Something to mine. */
export interface Work {
  /** Header hash without seal, as the pool wrote it. */
  header: string;
  headerHash: Uint8Array;
  /** Names the epoch; dialects without it tell the height. */
  seedHash?: Uint8Array;
  height?: number;
  /** Job id, in dialects that name the job. */
  jobId?: string;
  /** Hex digits that every nonce begins with. */
  extranonce?: string;
  /** The largest result that is a share. */
  target: bigint;
}

/** A share as it is submitted; nonce, header and mix are 0x hex. */
export interface Submission {
  nonce: string;
  header: string;
  mix: string;
  jobId?: string | undefined;
  extranonce?: string | undefined;
}

/** The pool's answer. */
export interface Reply {
  /** True or false as answered, null when no answer came. */
  accepted: boolean | null;
  /** The pool's or the connection's words. */
  error?: string;
}

/** A pool over some wire. */
export interface WorkSource {
  /** Serves one connection: calls `onWork` for new work until it ends or the signal is aborted. */
  serve(onWork: (work: Work) => void, signal: AbortSignal): Promise<void>;
  /** Never rejects: a lost connection is an answer too. */
  submit(submission: Submission): Promise<Reply>;
  /** Tells the pool the hashrate (hashes per second); answers are not looked at. */
  reportHashrate(hashrateHps: number): void;
}

/** One JSON-RPC answer or push, as loosely as pools write them. */
export interface Message {
  id?: unknown;
  method?: unknown;
  params?: unknown;
  result?: unknown;
  error?: unknown;
}

/**
 * Reads the array of eth_getWork: header, seed, target, and perhaps more.
 *
 * @throws {TypeError} when it is none; the target may lack leading zeros, as the Go pool writes it.
 */
export function readWork(result: unknown): Work {
  const [header, seed, target] = Array.isArray(result) ? result : [];
  if (!isHash(header) || !isHash(seed) || !isQuantity(target)) {
    throw new TypeError(`Cannot read work: current value is ${JSON.stringify(result)}`);
  }
  return {
    header,
    headerHash: hexToBytes(header),
    seedHash: hexToBytes(seed),
    target: parseQuantity(target, "target"),
  };
}

/** Whether two works are the same to a miner. */
export function sameWork(one: Work, other: Work | undefined): boolean {
  return one.header === other?.header && one.target === other.target && one.jobId === other.jobId;
}

/** Turns an answer to a submission into a reply. */
export function readReply(message: Message): Reply {
  const error = readError(message.error);
  // EthereumStratum/2.0.0 answers success by an id alone.
  const { result = true } = message;
  return error === undefined ? { accepted: result === true } : { accepted: false, error };
}

/** The words of a JSON-RPC error: an object, an array as in old stratum, or a string. */
export function readError(error: unknown): string | undefined {
  if (error === null || error === undefined) return undefined;
  if (Array.isArray(error)) return String(error[1] ?? error[0]);
  if (typeof error === "object" && "message" in error) return String(error.message);
  return typeof error === "string" ? error : JSON.stringify(error);
}

/** Parameters of eth_submitHashrate: 32 bytes of rate, 32 bytes that name this miner. */
export function hashrateParams(hashrateHps: number, id: string): [string, string] {
  return ["0x" + BigInt(Math.round(hashrateHps)).toString(16).padStart(64, "0"), id];
}

/** A random name for eth_submitHashrate. */
export function randomId(): string {
  return "0x" + crypto.getRandomValues(new Uint8Array(32)).toHex();
}
