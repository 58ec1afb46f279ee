/**
 * The HTTP door: requests come in from strangers, a handler's responses go out.
 * Connections, their silence and the size of what they send are bounded here. This room never
 * knows what is asked for.
 */
export * from "./file_handles.ts";
export * from "./server.ts";
