/**
 * Alerts: what the ledger says in, messages to operators and miners out.
 * Blocks, payments, silent workers and halted loops are told once, by one instance.
 * This room moves no money, and only its own note of what was told is written.
 */
export { type Channels, openChannels, type Target } from "./channels.ts";
export { type AlertsDeps, type AlertsOptions, lookOnce, runAlerts } from "./loop.ts";
export type { AlertsWorkerOptions, ToAlerts } from "./options.ts";
export * from "./watch.ts";
