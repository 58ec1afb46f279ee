/** What the Deno worker of alerts is started with; plain data. */
import type { AlertsConfig } from "../config/mod.ts";
import type { RedisOptions } from "../ledger/mod.ts";
import type { CommonWorkerOptions } from "../workers/mod.ts";
import type { AlertsOptions } from "./loop.ts";

/** Options of `modules/alerts/worker.ts`. */
export interface AlertsWorkerOptions extends CommonWorkerOptions, AlertsOptions {
  /** Prefix of every Redis key. */
  prefix: string;
  redis: RedisOptions;
  /** Name of the pool in messages. */
  pool: string;
}

/** What the main thread tells the worker: settings of the looks to come. */
export type ToAlerts = { kind: "adjust"; alerts: AlertsConfig };
