/**
 * What each process and each Deno worker may do: the configuration comes in, Deno's rights go out.
 * This room opens nothing, starts nothing and reads nothing; who starts them uses what it says.
 */
export * from "./addresses.ts";
export * from "./flags.ts";
export * from "./process.ts";
export * from "./workers.ts";
