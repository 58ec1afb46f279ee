/**
 * Limits and bans: what an address did comes in, whether it may go on goes out.
 * State is bounded and in memory. This room never closes a connection itself.
 */
export * from "./policy.ts";
