/**
 * Deno workers: a module's URL and plain options come in, a supervised worker goes out.
 * Messages are plain data; the service manager hears how the process is.
 * This room never knows what a worker works on.
 */
export * from "./host.ts";
export * from "./protocol.ts";
export * from "./service_manager.ts";
export * from "./supervise.ts";
