/**
 * The sockets of the doors: ports that tell plain, TLS, PROXY and HTTP connections apart.
 * Connections come in; wires go out, each with the address of the miner behind it.
 * This folder knows no dialect and no policy: who may connect is asked through `admit`.
 */
export * from "./options.ts";
export { openPort } from "./port.ts";
export * from "./wire.ts";
