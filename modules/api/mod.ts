/**
 * The API: snapshots and the ledger's views come in, JSON and the page go out over HTTP.
 * open-ethereum-pool's five endpoints keep their bytes.
 * This room writes nothing to the ledger but settings that miners signed and acts of an operator, and never computes what stats has to say.
 */
export * from "./app.ts";
export * from "./health_door.ts";
export * from "./metrics_door.ts";
export * from "./readiness.ts";
export * from "./server.ts";
export type { SettingsOptions } from "./settings_door.ts";
export type { ApiV2 } from "./v2/app.ts";
export { type PoolFacts, poolFacts } from "./v2/facts.ts";
export type { GuardOptions } from "./v2/guard.ts";
export { askAdmin, UnreachableError } from "./admin/client.ts";
export { type AdminDoor, serveAdmin } from "./admin/door.ts";
export type { AdminMining, AdminParts, ReloadReport } from "./admin/parts.ts";
export { type AdminCommand, requestSchema } from "./admin/protocol.ts";
