/**
 * Counts and spans: what the pool measures of itself, for Prometheus and OpenTelemetry.
 * Numbers come in from every room, text in Prometheus's format goes out. Each Deno worker keeps its
 * own; the main thread puts them side by side. This room never knows what a number is about.
 */
export * from "./loop_lag.ts";
export * from "./meters.ts";
export * from "./render.ts";
export * from "./table.ts";
export * from "./trace.ts";
