/**
 * The share path: judge, record, tell policy, answer. This is how a share becomes money.
 *
 * A verified share is added to its login's sum: in `shares:roundCurrent` (prop), in the window
 * (pplns) or in a counter of its own (solo). A candidate turns the sums of its scheme into the
 * block's round; the unlocker splits the reward by these, and the payer pays the balances.
 * `accepted` is answered only after the ledger has the share.
 */
import { assert, type Logger } from "../base/mod.ts";
import type { Recorder, ShareRecord } from "../ledger/mod.ts";
import { count, isTracedShare, traced, untraced } from "../metrics/mod.ts";
import type { Policy } from "../policy/mod.ts";
import {
  judge,
  type JudgeDeps,
  type Rejection,
  REJECTIONS,
  type Submission,
  type VerifiedShare,
} from "../share/mod.ts";
import { type CandidateDeps, submitCandidate } from "./candidate.ts";
import type { RejectedLog, RejectedShare } from "./rejected_log.ts";

// From zero on, or the first of a verdict would be no increase to whoever watches.
for (const verdict of ["accepted", ...Object.keys(REJECTIONS)]) {
  count("quarry_shares_total", { verdict }, 0);
}

/** What a miner is told; undefined fate (the process is closing) gives no answer at all. */
export type SubmitOutcome =
  | { accepted: true; candidate: boolean; banned: boolean }
  | { accepted: false; rejection: Rejection; banned: boolean };

/** How a share takes part in rewards: by round, by the last shares, or alone. */
export type Scheme = "prop" | "pplns" | "solo";

/** The terms under which the job was sent to this session. */
export interface ShareTerms {
  scheme: Scheme;
  /**
   * What the ledger says the scheme is, where that has to be asked. While it does not answer a share
   * is refused; a block is recorded by `scheme`.
   */
  settled?: Promise<Scheme>;
  /** Credited when accepted (hashes). */
  difficulty: bigint;
  /** The largest result that counts. */
  target: bigint;
  /** The words that the miner speaks, for display. */
  dialect?: string;
}

/** Counts of one process since its start, for status and metrics. */
export interface ShareCounters {
  accepted: number;
  candidates: number;
  rejected: Partial<Record<Rejection, number>>;
}

/** The rooms on the way. */
export interface SubmitDeps extends JudgeDeps, CandidateDeps {
  recorder: Recorder;
  policy: Policy;
  counters: ShareCounters;
  rejectedLog: RejectedLog;
  /** The algorithm, for the rejected-share log. */
  rule: Pick<RejectedShare, "algorithm" | "ecip1099-height">;
  log: Logger;
  /** Counts a judged share for display; never waits and never fails. */
  count?(share: Submission, kind: "valid" | "stale" | "invalid", terms: ShareTerms): void;
}

/**
 * Takes a submission to its end.
 *
 * @returns undefined when the process is closing before the ledger told the share's fate: a miner
 * that gets no answer is told nothing false
 */
export function submitShare(
  deps: SubmitDeps,
  submission: Submission,
  terms: ShareTerms,
): Promise<SubmitOutcome | undefined> {
  if (!isTracedShare()) return take(deps, submission, terms, untraced);
  const { login, worker } = submission;
  return traced("share", { login, worker }, () => take(deps, submission, terms, traced));
}

async function take(
  deps: SubmitDeps,
  submission: Submission,
  terms: ShareTerms,
  trace: typeof traced,
): Promise<SubmitOutcome | undefined> {
  // Judged even while the ledger is away: a found block goes to the nodes and the journal then.
  const verdict = await trace("share.judge", {}, () => judge(deps, submission, terms.target));
  if (verdict.kind !== "valid") return reject(deps, submission, terms, verdict.kind);
  const { share } = verdict;
  const record = recordOf(share, terms);
  const settled = terms.settled?.catch(() => undefined);

  if (share.candidate) {
    const fate = await submitCandidate(deps, share, record, settled).catch(() => undefined);
    if (fate === undefined) return undefined;
    if (fate !== "recorded") return reject(deps, submission, terms, "duplicate");
  } else {
    const scheme = settled === undefined ? terms.scheme : await settled;
    const fate = scheme === undefined
      ? "away"
      : await trace("share.record", {}, () => deps.recorder.record({ ...record, scheme }))
        .catch(() => undefined);
    if (fate === undefined) return undefined;
    if (fate === "away" || fate === "busy") {
      deps.seen.forget(submission.headerHash, submission.nonce);
    }
    if (fate !== "credited") return reject(deps, submission, terms, fate);
  }

  deps.counters.accepted++;
  count("quarry_shares_total", { verdict: "accepted" });
  count("quarry_share_difficulty_total", undefined, Number(terms.difficulty));
  if (share.candidate) deps.counters.candidates++;
  deps.count?.(submission, "valid", terms);
  const banned = deps.policy.onShare(submission.ip, true);
  deps.log.debug("share.accepted", { ...facts(submission), difficulty: terms.difficulty });
  return { accepted: true, candidate: share.candidate, banned };
}

function recordOf(share: VerifiedShare, { difficulty, scheme }: ShareTerms): ShareRecord {
  const { login, worker, nonce, headerHash } = share.submission;
  const { height, difficulty: blockDifficulty } = share.job;
  assert(difficulty > 0n, "A share must be credited with a positive difficulty", { difficulty });
  return {
    ...{ login, worker, nonce, headerHash, mix: share.mix, height },
    ...{ difficulty, scheme, blockDifficulty },
  };
}

function reject(
  deps: SubmitDeps,
  submission: Submission,
  terms: ShareTerms,
  rejection: Rejection,
): SubmitOutcome {
  count("quarry_shares_total", { verdict: rejection });
  deps.counters.rejected[rejection] = (deps.counters.rejected[rejection] ?? 0) + 1;
  const { offence } = REJECTIONS[rejection];
  const banned = offence && deps.policy.onShare(submission.ip, false);
  if (rejection === "stale" || rejection === "unknownJob") deps.count?.(submission, "stale", terms);
  else if (offence) deps.count?.(submission, "invalid", terms);
  const found = deps.jobs.find(submission.headerHash);
  const { ip, ...kept } = submission;
  const id = deps.rejectedLog.add({
    ...{ ...deps.rule, ...kept, rejection, difficulty: terms.difficulty.toString() },
    ...("job" in found ? { height: found.job.height } : {}),
  });
  // The log's own rate limit keeps a flood of rejections out of this log too.
  if (id !== undefined) deps.log.info("share.rejected", { id, ip, ...kept, rejection, banned });
  return { accepted: false, rejection, banned };
}

function facts({ login, worker, ip, nonce, headerHash, mix }: Submission) {
  return { login, worker, ip, nonce, headerHash, mix };
}
