/** Every metric of the pool: name, kind, what it counts, labels and buckets. */

/** Bounds of histograms of times (seconds). */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** How a metric is described; counters end in `_total`, units stand in the name. */
export interface MeterFacts {
  kind: "counter" | "gauge" | "histogram";
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram. */
  buckets?: readonly number[];
}

/**
 * The metrics by name. Each Deno worker has its own series, told apart by the label `worker`
 * ("main" for the main thread), so that a worker that starts anew is a counter that begins anew.
 */
export const METERS = {
  quarry_shares_total: {
    ...{ kind: "counter", labels: ["verdict"] },
    help: "Submissions by verdict: accepted, or why a share was rejected",
  },
  quarry_share_difficulty_total: {
    ...{ kind: "counter", labels: [] },
    help: "Difficulty of accepted shares (hashes); its rate is the pool's hashrate",
  },
  quarry_submit_seconds: {
    ...{ kind: "histogram", labels: ["verdict"], buckets: SECONDS },
    help: "From a submission's line read to its answer written",
  },
  quarry_sessions: {
    ...{ kind: "gauge", labels: [] },
    help: "Open stratum sessions",
  },
  quarry_bans_total: {
    ...{ kind: "counter", labels: ["reason"] },
    help: "Addresses banned, by reason",
  },
  quarry_broadcast_seconds: {
    ...{ kind: "histogram", labels: [], buckets: SECONDS },
    help: "From the first to the last session that a job was sent to",
  },
  quarry_verifier_queue: {
    ...{ kind: "gauge", labels: [] },
    help: "Shares taken in that are not hashed yet",
  },
  quarry_verified_total: {
    ...{ kind: "counter", labels: [] },
    help: "Full hashes made",
  },
  quarry_verify_seconds: {
    ...{ kind: "histogram", labels: [], buckets: SECONDS },
    help: "From a share's way into the verifier's queue to its hash",
  },
  quarry_redis_batch_seconds: {
    ...{ kind: "histogram", labels: [], buckets: SECONDS },
    help: "One group commit: a batch of shares sent to Redis and answered",
  },
  quarry_redis_batch_shares: {
    ...{ kind: "histogram", labels: [], buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256] },
    help: "Shares of one group commit",
  },
  quarry_redis_ready: {
    ...{ kind: "gauge", labels: [] },
    help: "1 while shares can be recorded, 0 while Redis is away",
  },
  quarry_node_healthy: {
    ...{ kind: "gauge", labels: ["node"] },
    help: "1 while a node passes its checks",
  },
  quarry_node_height: {
    ...{ kind: "gauge", labels: ["node"] },
    help: "Height of a node's head at its last good check",
  },
  quarry_node_call_seconds: {
    ...{ kind: "histogram", labels: ["node", "outcome"], buckets: SECONDS },
    help: "JSON-RPC requests to a node, by outcome: answered or failed",
  },
  quarry_jobs_total: {
    ...{ kind: "counter", labels: [] },
    help: "Jobs handed out",
  },
  quarry_job_height: {
    ...{ kind: "gauge", labels: [] },
    help: "Height of the job that is mined",
  },
  quarry_job_timestamp_seconds: {
    ...{ kind: "gauge", labels: [] },
    help: "When the job that is mined came (Unix time)",
  },
  quarry_network_difficulty: {
    ...{ kind: "gauge", labels: [] },
    help: "Difficulty of the block that is mined (hashes)",
  },
  quarry_candidates_total: {
    ...{ kind: "counter", labels: [] },
    help: "Blocks found by our miners",
  },
  quarry_candidates_refused_total: {
    ...{ kind: "counter", labels: [] },
    help: "Blocks found that no node took: each refused it or gave no answer",
  },
  quarry_node_solutions_total: {
    ...{ kind: "counter", labels: ["node", "answer"] },
    help: "Solutions handed to a node, by its answer: accepted, refused or failed",
  },
  quarry_blocks: {
    ...{ kind: "gauge", labels: ["state"] },
    help: "Blocks in the ledger: candidate, immature, matured (orphans among them)",
  },
  quarry_money_shannon: {
    ...{ kind: "gauge", labels: ["state"] },
    help: "The pool's sums (Shannon): balance, immature, pending, paid",
  },
  quarry_payments_pending: {
    ...{ kind: "gauge", labels: [] },
    help: "Payments reserved and not confirmed",
  },
  quarry_payouts_paused: {
    ...{ kind: "gauge", labels: [] },
    help: "1 while payments are paused by hand, whoever is the payer",
  },
  quarry_loop_state: {
    ...{ kind: "gauge", labels: ["loop", "state"] },
    help: "1 for the state that a money loop is in: running, standby, waiting, retrying, halted",
  },
  quarry_loop_timestamp_seconds: {
    ...{ kind: "gauge", labels: ["loop"] },
    help: "When a loop's state began (Unix time)",
  },
  quarry_lease_held: {
    ...{ kind: "gauge", labels: ["role"] },
    help: "1 while some process holds the lease of a role",
  },
  quarry_invariants_broken: {
    ...{ kind: "gauge", labels: [] },
    help:
      "Sums of the ledger that are below nothing, which cannot be; `deno task audit` checks the rest",
  },
  quarry_ledger_up: {
    ...{ kind: "gauge", labels: [] },
    help: "1 when the ledger answered this scrape; its metrics are missing otherwise",
  },
  quarry_miners: {
    ...{ kind: "gauge", labels: [] },
    help: "Logins with shares in the last statistics",
  },
  quarry_statistics_timestamp_seconds: {
    ...{ kind: "gauge", labels: [] },
    help: "When statistics were collected last (Unix time)",
  },
  quarry_api_seconds: {
    ...{ kind: "histogram", labels: ["status"], buckets: SECONDS },
    help: "API requests by class of status: 2xx, 3xx, 4xx, 5xx",
  },
  quarry_event_loop_lag_seconds: {
    ...{ kind: "histogram", labels: [], buckets: SECONDS },
    help: "How late a timer of 100 ms came: what else waited for the event loop",
  },
  quarry_worker_restarts: {
    ...{ kind: "gauge", labels: ["part"] },
    help: "How often a Deno worker was started again",
  },
  quarry_log_events_total: {
    ...{ kind: "counter", labels: ["level", "room", "event"] },
    help: "Log lines by event; docs/events.md says what each means",
  },
  quarry_resident_bytes: {
    ...{ kind: "gauge", labels: [] },
    help: "Resident memory of the process",
  },
  quarry_heap_bytes: {
    ...{ kind: "gauge", labels: [] },
    help: "Used heap of one thread's V8",
  },
  quarry_build_info: {
    ...{ kind: "gauge", labels: ["version"] },
    help: "1, with the version",
  },
} as const satisfies Record<string, MeterFacts>;

/** Names of metrics. */
export type MeterName = keyof typeof METERS;

/** The labels of a metric, each with its value. */
export type LabelsOf<Name extends MeterName> = Record<
  (typeof METERS)[Name]["labels"][number],
  string
>;

/** Names of metrics of one kind. */
export type MeterOf<Kind extends MeterFacts["kind"]> = {
  [Name in MeterName]: (typeof METERS)[Name]["kind"] extends Kind ? Name : never;
}[MeterName];
