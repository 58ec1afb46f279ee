/** What the main thread asks its stratum workers for an operator, and what they answer; plain data. */
import type { StratumPortConfig, VarDiffConfig } from "../config/mod.ts";
import type { PolicyOptions } from "../policy/mod.ts";
import type { ShareTally } from "./job_shares.ts";

/** A session as an operator sees it. */
export interface SessionFacts {
  /** "2-17": the worker, and the number of its session. */
  id: string;
  ip: string;
  /** Port that it came in by. */
  port: number;
  /** Undefined before the login. */
  login?: string;
  worker?: string;
  dialect?: string;
  /** Of its newest job (hashes). */
  difficulty?: bigint;
  /** Accepted since it is there. */
  shares: number;
  /** Milliseconds since 1970. */
  connectedAtMs: number;
  lastActiveMs: number;
}

/** Sessions that are meant; what is not named does not matter. */
export interface SessionFilter {
  id?: string;
  login?: string;
  /** An address as it counts for policy: IPv4, or an IPv6 /64. */
  ip?: string;
}

/** Settings that may change while miners are there. */
export interface Adjustment {
  /** Ports by their address; others keep what they have. */
  ports: { listen: StratumPortConfig["listen"]; difficulty: bigint; varDiff?: VarDiffConfig }[];
  /** Of HTTP getwork (hashes). */
  difficulty: bigint;
  niceHashMinDifficulty: bigint;
  askedDifficulty: { min: bigint; max: bigint };
  maxWorkers: number;
  policy: Pick<PolicyOptions, "banning" | "limits">;
  timeoutMs: number;
  loginTimeoutMs: number;
}

/** A question; `max` bounds the answer. */
export type Question =
  | { kind: "sessions"; filter: SessionFilter; max: number }
  | { kind: "drop"; filter: SessionFilter }
  | { kind: "standing"; ip: string }
  | { kind: "jobs" }
  /** Also reads certificates and lists again. */
  | { kind: "adjust"; adjustment: Adjustment };

/** The answer to each kind. */
export interface Answers {
  sessions: { sessions: SessionFacts[]; total: number };
  /** Sessions that were sent away. */
  drop: number;
  standing: { white: boolean; mixed: boolean };
  jobs: [headerHash: string, tally: ShareTally][];
  /** Ports whose certificate could not be read again. */
  adjust: { certificates: number[] };
}
