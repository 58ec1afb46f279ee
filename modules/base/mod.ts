/**
 * The ground floor: units, hex, targets, clock, retry, log and errors.
 * Plain values come in and go out. This room never does I/O and never imports another room.
 */
export * from "./bell.ts";
export * from "./clock.ts";
export * from "./errors.ts";
export * from "./hex.ts";
export * from "./log.ts";
export * from "./retry.ts";
export * from "./target.ts";
export * from "./units.ts";
