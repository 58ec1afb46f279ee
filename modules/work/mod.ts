/**
 * Jobs: what may be mined now, and lately.
 * Work packages of nodes come in; jobs and lookups by header hash go out.
 * This room never talks to a miner and never hashes.
 */
export * from "./choice.ts";
export * from "./job.ts";
export * from "./job_book.ts";
export * from "./watch.ts";
