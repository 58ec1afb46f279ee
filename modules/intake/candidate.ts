/**
 * The block path: hand the solution to every node and record it at once; neither waits for the
 * other. What a node answers is written down, not believed: the unlocker asks the chain.
 */
import { errorText, type Logger } from "../base/mod.ts";
import type { Scheme } from "../config/mod.ts";
import type { CandidateFate, Recorder, ShareRecord } from "../ledger/mod.ts";
import { count, traced } from "../metrics/mod.ts";
import type { VerifiedShare } from "../share/mod.ts";

// From zero on, or a process's first block would be no increase to whoever watches.
count("quarry_candidates_total", undefined, 0);
count("quarry_candidates_refused_total", undefined, 0);

/** What one node said to a solution. */
export interface SubmissionAnswer {
  node: string;
  /** Undefined when there was no answer. */
  accepted?: boolean;
  error?: string;
  tookMs: number;
}

/** What the block path needs. */
export interface CandidateDeps {
  recorder: Recorder;
  /** Hands a solution to every node at once. */
  submitWork(nonce: string, headerHash: string, mix: string): Promise<SubmissionAnswer[]>;
  /** Keeps a node's answer beside the candidate. */
  noteAnswer(candidate: ShareRecord, node: string, answer: string): Promise<unknown>;
  log: Logger;
}

/**
 * Submits and records a found block; resolves when the ledger has it.
 *
 * @throws when the process closes before the ledger answered: the journal keeps the candidate
 */
export function submitCandidate(
  deps: CandidateDeps,
  share: VerifiedShare,
  record: ShareRecord,
  /** The scheme, where the ledger is being asked for it; undefined when it did not answer. */
  settled?: Promise<Scheme | undefined>,
): Promise<CandidateFate> {
  const facts = { height: share.job.height, nonce: record.nonce, login: record.login };
  return traced("block.candidate", facts, () => handIn(deps, share, record, settled));
}

async function handIn(
  deps: CandidateDeps,
  share: VerifiedShare,
  record: ShareRecord,
  settled: Promise<Scheme | undefined> | undefined,
): Promise<CandidateFate> {
  const { log } = deps;
  const block = {
    ...{ height: share.job.height, nonce: record.nonce, headerHash: record.headerHash },
    ...{ login: record.login, worker: record.worker, difficulty: share.job.difficulty },
    scheme: record.scheme,
  };
  log.info("block.found", block);
  count("quarry_candidates_total");
  const answers = deps.submitWork(record.nonce, record.headerHash, record.mix);
  // Whatever becomes of its row. Without any reply this process is closing, and nobody knows.
  answers.then((given) => {
    if (!given.some(({ accepted }) => accepted)) count("quarry_candidates_refused_total");
  }).catch(() => {});
  const candidate = { ...record, blockDifficulty: share.job.difficulty };
  const fate = settled === undefined
    ? deps.recorder.recordCandidate(candidate)
    : settled.then((scheme = record.scheme) =>
      deps.recorder.recordCandidate({ ...candidate, scheme })
    );

  // Notes wait for the row they belong to; a failed note is logged and costs nothing else.
  Promise.all([answers, fate]).then(async ([given]) => {
    for (const answer of given) {
      const text = answer.accepted === undefined ? `error: ${answer.error}` : `${answer.accepted}`;
      const level = answer.accepted === true ? log.info : log.error;
      level("block.submitted", { ...block, ...answer });
      await deps.noteAnswer(record, answer.node, text);
    }
  }).catch((error) => log.error("block.noteFailed", { ...block, error: errorText(error) }));

  const recorded = await fate;
  if (recorded === "recorded") log.info("block.recorded", block);
  else log.error("block.notRecorded", { ...block, fate: recorded });
  return recorded;
}
