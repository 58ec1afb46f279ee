/**
 * Statistics: the ledger's work and tables come in, one snapshot every few seconds goes out.
 * Hashrate and luck are pure functions; the clock is the worker's.
 * This room never moves money, never counts a failed read as zero and never serves a request.
 */
export * from "./collect.ts";
export * from "./hashrate.ts";
export * from "./luck.ts";
export * from "./options.ts";
export * from "./run.ts";
