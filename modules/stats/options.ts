/** What the statistics' Deno worker is started with; plain data only. */
import type { ApiConfig } from "../config/mod.ts";
import type { RedisOptions } from "../ledger/mod.ts";
import type { CommonWorkerOptions } from "../workers/mod.ts";

/** Options of `modules/stats/worker.ts`. */
export interface StatsWorkerOptions extends CommonWorkerOptions {
  /** Prefix of every Redis key. */
  prefix: string;
  redis: RedisOptions;
  /** Name of this instance. */
  instance: string;
  api: ApiConfig;
  /** Pause between two reports of an instance on its node (milliseconds). */
  nodeBeatMs: number;
}
