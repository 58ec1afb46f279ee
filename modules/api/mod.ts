/**
 * The API: snapshots and the ledger's views come in, JSON and the page go out over HTTP.
 * open-ethereum-pool's five endpoints keep their bytes.
 * This room writes nothing to the ledger but settings that miners signed, and never computes what stats has to say.
 */
export * from "./app.ts";
export * from "./readiness.ts";
export * from "./server.ts";
export type { SettingsOptions } from "./settings_door.ts";
