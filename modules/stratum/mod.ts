/**
 * The doors for miners: stratum and HTTP getwork.
 * Connections come in; submissions go to the corridor, jobs and answers to the miners.
 * This room never judges a share and never knows a Redis key.
 */
export * from "./messages.ts";
export * from "./mining.ts";
export * from "./mining_options.ts";
export type { JobFacts, MiningAdmin } from "./mining_admin.ts";
export type { Adjustment, SessionFacts, SessionFilter } from "./questions.ts";
