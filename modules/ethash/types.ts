/** What the verifier takes and gives: its options, its calls and their answers. */
import type { Logger } from "../base/mod.ts";
import type { Claim, PowHash } from "./batcher.ts";
import type { DagOptions } from "./datasets.ts";
import type { EpochRule } from "./epochs.ts";
import type { ContextInfo } from "./library.ts";

export type { Claim, PowHash } from "./batcher.ts";
export type { DagOptions, DagProgress } from "./datasets.ts";

/** How a verifier is opened. */
export interface VerifierOptions {
  rule: EpochRule;
  /** The native library. @default what `deno task native` builds */
  libraryPath?: string;
  /** Threads that hash, at least and for the whole process. @default one per core */
  threads?: number;
  /** Shares that may wait; more are refused as busy. @default {4096} */
  maxQueued?: number;
  /**
   * Full datasets of the prepared epoch and, near its end, the next; light caches serve meanwhile
   * and whenever a dataset is not to be had. @default {{ mode: "off" }}
   */
  dag?: DagOptions;
  log: Logger;
}

/** What a search goes through; nonces wrap at 2^64. */
export interface SearchOptions {
  height: number;
  headerHash: Uint8Array;
  /** The largest result that is a solution. */
  target: bigint;
  startNonce: bigint;
  /** Nonces to try, 1 to {@linkcode SEARCH_MAX}. */
  count: number;
}

/** A search's answer. */
export interface SearchResult {
  /** The lowest solution of the range. */
  solution?: PowHash & { nonce: bigint };
  /** Nonces gone through, the solution's included. */
  tried: number;
}

/** Numbers for metrics. */
export interface VerifierStats {
  /** Shares that have no answer yet. */
  underWay: number;
  /** Shares answered. */
  hashed: number;
  /** Shares refused because too many were waiting. */
  busy: number;
}

/** Hashes shares. Every height comes from a job of ours, never from a miner. */
export interface Verifier {
  /**
   * Makes this height's epoch ready, starts the next one's when the end is near, and closes what
   * is neither the last, this or the next.
   */
  prepare(height: number): Promise<void>;
  /** Whether this height's epoch is ready, so that hashing does not wait for it. */
  isReady(height: number): boolean;
  /**
   * Hashes one share, in a batch with others.
   *
   * @throws {VerifierBusyError} (rejects) when too many wait, {VerifierClosedError} after close(),
   * {VerifierError} when the height's epoch is not next to the prepared one.
   */
  hash(height: number, headerHash: Uint8Array, nonce: bigint): Promise<PowHash>;
  /**
   * The same for a share whose miner sent a mix digest: two keccaks come first, and when the
   * claimed result is above the claim's target the answer is undefined and nothing is hashed. A
   * filter, never an acceptance: the caller compares the digests.
   */
  hashClaim(
    height: number,
    headerHash: Uint8Array,
    nonce: bigint,
    claim: Claim,
  ): Promise<PowHash | undefined>;
  /** The seed hash of a height's epoch, as getWork shows it. */
  seedHash(height: number): Uint8Array;
  /** keccak-256 of a message of at most 1 MiB. */
  keccak256(message: Uint8Array): Uint8Array;
  /** Searches a range of nonces, for miners; ends early when the verifier closes. */
  search(options: SearchOptions): Promise<SearchResult>;
  /** Sizes of a height's epoch. */
  info(height: number): Promise<ContextInfo>;
  /**
   * Hashes this height's epoch over its full dataset from now on: the file
   * `full-R23-<seed>` in `directory`, generated when it is missing (gigabytes; minutes).
   */
  useDataset(height: number, directory: string, threads?: number): Promise<void>;
  /** Attaches a dataset file by its path. */
  attachDataset(height: number, path: string): Promise<void>;
  /** Writes the sparse dummy of a height's dataset, which keeps a node from generating it. */
  writeDummyDataset(height: number, directory: string): Promise<void>;
  stats(): VerifierStats;
  /** Rejects what waits, lets what runs end, frees every context. */
  close(): Promise<void>;
}
