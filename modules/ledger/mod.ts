/**
 * The vault: shares, blocks, accounts and payments in Redis, each fact in one script.
 * Verified shares and chain facts come in; fates, balances and views go out.
 * This room never talks to a node, never judges a share and never holds a key to the wallet.
 */
export * from "./accounts.ts";
export * from "./alert_state.ts";
export { audit, type AuditFinding, type AuditReport, isClean } from "./audit.ts";
export { type Books, MovingBooks, readBooks } from "./audit_books.ts";
export * from "./audit_log.ts";
export * from "./block_pages.ts";
export * from "./block_rows.ts";
export * from "./blocks.ts";
export * from "./extranonces.ts";
export * from "./durability.ts";
export * from "./export.ts";
export * from "./finds.ts";
export * from "./gauges.ts";
export * from "./instances.ts";
export * from "./journal.ts";
export * from "./keys.ts";
export * from "./leases.ts";
export * from "./legacy_rows.ts";
export * from "./migrate.ts";
export * from "./miner_facts.ts";
export * from "./mining.ts";
export * from "./old_payments.ts";
export * from "./opening.ts";
export * from "./overview.ts";
export * from "./payment_pages.ts";
export * from "./pause.ts";
export * from "./payments.ts";
export * from "./recorder.ts";
export * from "./redis.ts";
export type { RedisTls } from "./redis_client.ts";
export type { ClusterOptions, SentinelOptions } from "./redis_place.ts";
export * from "./replica.ts";
export * from "./round.ts";
export * from "./scan.ts";
export * from "./series.ts";
export * from "./settings.ts";
export * from "./share_counts.ts";
export * from "./share_record.ts";
export {
  type BlockView,
  type CandidateView,
  type LuckRow,
  type MinerRate,
  type MinersSnapshot,
  type PoolSnapshot,
  readMinersSnapshot,
  readPoolSnapshot,
  readWorkerRates,
  snapshotLogins,
  type WorkerRate,
  writeSnapshots,
} from "./snapshots.ts";
export * from "./status.ts";
export * from "./unknown_blocks.ts";
export * from "./views.ts";
export * from "./worker_days.ts";
