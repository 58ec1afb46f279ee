/** Start options and messages of a stratum Deno worker; plain data. */
import type { StratumPortConfig } from "../config/mod.ts";
import type { CommonWorkerOptions } from "../workers/mod.ts";
import type { EpochRule } from "../ethash/mod.ts";
import type { PolicyMessage, PolicyOptions } from "../policy/mod.ts";
import type { ShareCounters } from "../intake/mod.ts";
import type { RedisOptions } from "../ledger/mod.ts";
import type { Job } from "../work/mod.ts";
import type { Question } from "./questions.ts";

/** What a stratum worker is started with. */
export interface StratumWorkerOptions extends CommonWorkerOptions {
  /** Number of this worker, from 0. */
  index: number;
  /** Stratum workers of this process; more than one share the ports. */
  workers: number;
  /** Prefix of every Redis key. */
  prefix: string;
  redis: RedisOptions & { waitReplicas: number };
  /** Connections to Redis: with two, notes and lists never stand before shares. */
  connections: 1 | 2;
  /** Its own journal first, then those of former workers that nobody else replays. */
  journals: string[];
  /** Path of its rejected-share log. */
  rejectedLog: string;
  rule: EpochRule;
  /** First height that the rule does not describe. */
  powEndsHeight?: number;
  verifierThreads?: number;
  /** The native verifier's file; missing: where it is built. */
  libraryPath?: string;
  /** Full datasets; the first worker prepares them, and all of the process use them. */
  dag: { mode: "off" | "memory" | "file"; dir: string; memoryLimitBytes?: number };
  upstreams: { name: string; url: string; timeoutMs: number }[];
  /** Share difficulty of HTTP getwork (hashes). */
  difficulty: bigint;
  /** Least difficulty of a session from NiceHash (hashes). */
  niceHashMinDifficulty: bigint;
  /** Bounds of the difficulty that a miner may ask for (hashes). */
  askedDifficulty: { min: bigint; max: bigint };
  /** First hex digits of every extranonce, by which instances differ; empty for a single one. */
  extranoncePrefix: string;
  /** The pool's own scheme, that of HTTP getwork. */
  scheme: "prop" | "pplns" | "solo";
  /** Whether a miner may ask for solo mining by login or password. */
  soloByLogin: boolean;
  /** The PPLNS window in thousandths of the network's difficulty. */
  pplnsWindowMilli: bigint;
  maxWorkers: number;
  healthCheck: boolean;
  hashrateExpirationMs: number;
  policy: PolicyOptions & { refreshIntervalMs: number };
  /** Memory in which the workers count connections by address; missing: no cap, or one worker. */
  connectionCounts?: SharedArrayBuffer;
  /** Undefined when the door is closed. */
  stratum?: {
    maxConn: number;
    timeoutMs: number;
    loginTimeoutMs: number;
    /** Every stratum port. */
    ports: StratumPortConfig[];
    /** CIDR ranges whose PROXY headers are believed. */
    trustedProxies: string[];
  };
  getwork?: {
    hostname: string;
    port: number;
    maxConn: number;
    limitHeadersBytes: number;
    limitBodyBytes: number;
    trustedProxies: string[];
  };
}

/** What the main thread tells a stratum worker. */
export type ToStratum =
  | { kind: "job"; job: Job }
  | { kind: "noWork"; reason: string }
  /** No new miners from now on; those who are there stay. */
  | { kind: "drain" }
  /** This instance has another number: its extranonces begin otherwise from now on. */
  | { kind: "extranonces"; prefix: string }
  /** Answered under the same id. */
  | { kind: "ask"; id: number; question: Question }
  | { kind: "policy"; message: PolicyMessage };

/** What a stratum worker tells the main thread. */
export type FromStratum =
  | StratumStatus
  | { kind: "answer"; id: number; answer: unknown }
  | { kind: "policy"; message: PolicyMessage };

/** What it tells each second. */
export interface StratumStatus {
  kind: "status";
  sessions: number;
  /** Whether shares can be recorded. */
  healthy: boolean;
  /** Whether there is a job to hand out. */
  hasWork: boolean;
  counters: ShareCounters;
  /** Ports in use. */
  stratumPorts?: number[];
  getworkPort?: number;
}
