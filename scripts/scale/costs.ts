/** What was measured, in one place; docs/capacity.md says where, when and on which machine. */

/** Costs of one share, session, job, worker and login. */
export interface Costs {
  /** Processor time of the mining process for a share, its hash not counted (µs). */
  shareMicros: number;
  /** Processor time of a full hash over the light cache, and over the dataset (µs). */
  lightMicros: number;
  datasetMicros: number;
  /** From the first to the last of a thread's sessions, for each of them, when a job is sent (µs). */
  jobMicros: number;
  /** Memory of an idle session, plain and TLS (bytes). */
  sessionBytes: number;
  tlsSessionBytes: number;
  /** Redis's thread: a batch of shares, each share in it (µs), and the sync of all that came (µs). */
  batchMicros: number;
  batchShareMicros: number;
  syncMicros: number;
  /** Append-only file: a batch, each share in it (bytes). */
  batchFileBytes: number;
  shareFileBytes: number;
  /** Redis's memory for a worker in each bucket of 120 s, for the rest of it, and for a login. */
  workerBucketBytes: number;
  workerBytes: number;
  loginBytes: number;
  /** Redis's memory for a share in the duplicate set, and for a batch's stored reply (bytes). */
  duplicateBytes: number;
  replyBytes: number;
  /** Statistics: processor time of a collection for a worker, and Redis's part of it (µs). */
  collectMicros: number;
  collectRedisMicros: number;
  /** API and Redis together, for a miner's page: its account and its chart (µs). */
  viewMicros: number;
  /** Lines on the wire, by eth-proxy, which has the longest (bytes). */
  jobBytes: number;
  shareBytes: number;
  answerBytes: number;
  /** Ethernet, IPv4 and TCP headers of a line, and of its acknowledgement (bytes). */
  packetBytes: number;
}

/** Two cores of an AMD EPYC (Zen 5) virtual machine, shared with other work. */
export const MEASURED: Costs = {
  shareMicros: 61,
  lightMicros: 96,
  datasetMicros: 0.6,
  jobMicros: 16.4,
  sessionBytes: 10_240,
  tlsSessionBytes: 40_960,
  batchMicros: 135,
  batchShareMicros: 13,
  syncMicros: 2_000,
  batchFileBytes: 200,
  shareFileBytes: 650,
  workerBucketBytes: 225,
  workerBytes: 24_000,
  loginBytes: 20_000,
  duplicateBytes: 250,
  replyBytes: 250,
  collectMicros: 11.7,
  collectRedisMicros: 1.6,
  viewMicros: 502,
  jobBytes: 243,
  shareBytes: 206,
  answerBytes: 40,
  packetBytes: 66,
};
