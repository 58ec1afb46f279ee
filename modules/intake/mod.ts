/**
 * The corridor of a share: a submission and its terms come in, an answer for the miner goes out.
 * It calls judge, recorder, nodes and policy, in that order. This room never parses and never listens.
 */
export * from "./candidate.ts";
export * from "./rejected_log.ts";
export * from "./submit.ts";
