/**
 * The group commit: while one batch of shares is on its way to Redis the next one gathers.
 *
 * There is no timer. A miner is told `true` only after Redis has its share. When Redis gives no
 * answer the batch's fate is unknown: it is journalled and asked for again under the same id until
 * the answer comes, new shares are refused meanwhile, and its miners wait for the truth.
 */
import { backoffMs, type Logger, unixSeconds } from "../base/mod.ts";
import { observe } from "../metrics/mod.ts";
import type { Journal } from "./journal.ts";
import { createReplicated } from "./persist.ts";
import { StoreError } from "./redis.ts";
import {
  type CandidateFate,
  type CandidateRecord,
  recordCandidate,
  type RecordDeps,
  recordShares,
  type ShareFate,
  type ShareRecord,
} from "./share_record.ts";

/** A journalled batch or candidate whose fate Redis has not told yet. */
export type JournalEntry =
  | { id: string; kind: "shares"; shares: ShareRecord[] }
  | { id: string; kind: "candidate"; candidate: CandidateRecord; foundAtSeconds: number };

/** Why a share was not recorded; nothing of it is in the ledger. */
export type RefusedShare = "away" | "busy";

/** Records shares and candidates; one per stratum worker. */
export interface Recorder {
  /** Whether shares can be recorded now; without it no work is handed out (`healthCheck`). */
  readonly healthy: boolean;
  /** Resolves when everything that the journal held at the start has its fate. */
  readonly replayed: Promise<void>;
  /**
   * Records a share; resolves when its fate is known.
   *
   * @throws when the recorder is closed before Redis told the fate: nobody may be told anything.
   */
  record(share: ShareRecord): Promise<ShareFate | RefusedShare>;
  /**
   * Records a candidate; journalled first, retried until Redis has it.
   *
   * @throws when the recorder is closed before Redis answered: the journal keeps it.
   */
  recordCandidate(candidate: CandidateRecord): Promise<CandidateFate>;
  /** Resolves when nothing is under way; new shares are refused from now on. */
  close(): Promise<void>;
}

/** What the recorder needs. */
export interface RecorderDeps extends RecordDeps {
  /** Identity of this worker's run, unique over all instances and starts. */
  runId: string;
  journal: Journal<JournalEntry>;
  log: Logger;
  /** Replicas that must have a batch before its shares are answered. @default {0} */
  waitReplicas?: number;
}

/**
 * Shares in one script call at most. Twice as many record no more shares a second, and hold Redis
 * for twice as long: some 5 ms (`scripts/bench stratum --ledger`).
 */
export const BATCH_SHARES_MAX = 256;
/** Shares that may wait for the next batch; more are answered "busy". */
export const PENDING_SHARES_MAX = 8_192;

/** So long a recorded candidate is recorded again when another Redis answers (milliseconds). */
const REMEMBERED_MS = 600_000;

interface Waiting {
  share: ShareRecord;
  settle(fate: ShareFate | RefusedShare): void;
  /** The fate stays unknown: no answer may be given. */
  abandon(error: unknown): void;
}

/** Opens the recorder and replays what the journal holds before anything new is taken. */
export function openRecorder(deps: RecorderDeps): Recorder {
  const { clock, log, journal } = deps;
  const end = new AbortController();
  const replicated = createReplicated(deps.store, deps.waitReplicas ?? 0);
  const candidatesUnderWay = new Set<Promise<unknown>>();
  /** Candidates of the last minutes by their ids, with the Redis that has them. */
  const recorded = new Map<string, Remembered>();
  let pending: Waiting[] = [];
  let sequence = 0;
  let sending: Promise<void> | undefined;
  let unknownFate = false;
  let closed = false;
  const replayed = replayJournal();
  let replaying: Promise<void> | undefined = replayed;

  async function replayJournal() {
    for (const entry of journal.open()) {
      log.warn("journal.replay", { batch: entry.id, kind: entry.kind });
      if (entry.kind === "shares") await untilAnswered(entry.id, entry.shares);
      else await candidateUntilAnswered(entry.id, entry.candidate, entry.foundAtSeconds);
      await journalDone(entry.id);
    }
  }
  replayed.then(() => replaying = undefined, (error) => {
    // Stopped while Redis was away: the entries stay in the journal for the next start.
    log.warn("journal.kept", { error });
  });

  function healthy() {
    return !closed && !unknownFate && replaying === undefined && deps.store.ready;
  }

  async function flush() {
    while (pending.length > 0) {
      const batch = pending.slice(0, BATCH_SHARES_MAX);
      pending = pending.slice(BATCH_SHARES_MAX);
      await send(batch);
    }
    sending = undefined;
  }

  async function send(batch: Waiting[]) {
    const id = `${deps.runId}:${++sequence}`;
    const shares = batch.map((waiting) => waiting.share);
    const startMs = performance.now();
    let fates: ShareFate[] | undefined;
    try {
      if (recorded.size > 0) await keepCandidates();
      fates = await replicated(() => recordShares(deps, id, shares));
    } catch (error) {
      try {
        fates = await afterFailure(error, id, shares);
      } catch (closing) {
        return batch.forEach((waiting) => waiting.abandon(closing));
      }
    }
    observe("quarry_redis_batch_seconds", (performance.now() - startMs) / 1000);
    observe("quarry_redis_batch_shares", batch.length);
    batch.forEach((waiting, i) => waiting.settle(fates === undefined ? "away" : fates[i]!));
  }

  /** Fates when they could be learnt in the end, undefined when nothing was written. */
  async function afterFailure(error: unknown, id: string, shares: ShareRecord[]) {
    log.error("shares.failed", { batch: id, shares: shares.length, error });
    if (error instanceof StoreError && error.fate !== "unknown") return undefined;
    unknownFate = true;
    pending.splice(0).forEach((waiting) => waiting.settle("away"));
    try {
      await journal.append({ id, kind: "shares", shares }).catch((cause) =>
        log.error("journal.failed", { batch: id, error: cause })
      );
      const fates = await untilAnswered(id, shares);
      await journalDone(id);
      log.info("shares.resolved", { batch: id, shares: shares.length });
      return fates;
    } finally {
      unknownFate = false;
    }
  }

  /** Asks again under the same id until Redis answers. */
  async function untilAnswered(id: string, shares: ShareRecord[]): Promise<ShareFate[]> {
    for (let attempt = 0;; attempt++) {
      await clock.sleep(attempt === 0 ? 0 : backoffMs(attempt, { maxMs: 2_000 }), end.signal);
      try {
        return await replicated(() => recordShares(deps, id, shares));
      } catch (error) {
        log.debug("shares.retry", { batch: id, attempt, error });
      }
    }
  }

  /** A replay writes nothing twice, so that an entry which stays open costs nothing. */
  async function journalDone(id: string) {
    await journal.done(id).catch((error) => log.error("journal.failed", { batch: id, error }));
  }

  async function candidateUntilAnswered(
    id: string,
    candidate: CandidateRecord,
    foundAtSeconds: number,
  ): Promise<CandidateFate> {
    for (let attempt = 0;; attempt++) {
      try {
        return await replicated(() => recordCandidate(deps, id, candidate, foundAtSeconds));
      } catch (error) {
        log.error("candidate.retry", { batch: id, attempt, error });
      }
      await clock.sleep(backoffMs(attempt, { maxMs: 2_000 }), end.signal);
    }
  }

  /**
   * A failover may forget a found block that was recorded: it is recorded again, which changes
   * nothing where it is still known.
   */
  async function keepCandidates() {
    for (const [id, one] of recorded) {
      const { server } = deps.store;
      if (clock.now() - one.atMs > REMEMBERED_MS) recorded.delete(id);
      else if (server !== one.server) {
        const { candidate, foundAtSeconds } = one;
        try {
          const fate = await replicated(() => recordCandidate(deps, id, candidate, foundAtSeconds));
          one.server = server;
          log.warn("candidate.recordedAgain", { ...facts(candidate), fate });
        } catch (error) {
          // It is tried again with the next batch.
          log.warn("candidate.notRecordedAgain", { ...facts(candidate), error });
        }
      }
    }
  }

  async function journalledCandidate(candidate: CandidateRecord): Promise<CandidateFate> {
    const id = `${deps.runId}:c${++sequence}`;
    const foundAtSeconds = unixSeconds(clock);
    try {
      await journal.append({ id, kind: "candidate", candidate, foundAtSeconds });
    } catch (error) {
      log.error("candidate.notJournalled", { ...facts(candidate), error });
    }
    const fate = await candidateUntilAnswered(id, candidate, foundAtSeconds);
    const { server } = deps.store;
    recorded.set(id, { candidate, foundAtSeconds, server, atMs: clock.now() });
    await journalDone(id);
    return fate;
  }

  return {
    get healthy() {
      return healthy();
    },
    replayed,
    record(share) {
      if (!healthy()) return Promise.resolve("away");
      if (pending.length >= PENDING_SHARES_MAX) return Promise.resolve("busy");
      return new Promise((settle, abandon) => {
        pending.push({ share, settle, abandon });
        sending ??= flush();
      });
    },
    recordCandidate(candidate) {
      const recorded = journalledCandidate(candidate);
      const guarded = recorded.catch((error): CandidateFate => {
        log.error("candidate.kept", { ...facts(candidate), error });
        throw error;
      });
      candidatesUnderWay.add(guarded);
      guarded.finally(() => candidatesUnderWay.delete(guarded)).catch(() => {});
      return guarded;
    },
    async close() {
      closed = true;
      const deadline = new AbortController();
      const finished = Promise.allSettled([sending, replaying, ...candidatesUnderWay]);
      // A Redis that stays away must not hold the process: the journal keeps what is open.
      await Promise.race([finished, clock.sleep(5_000, deadline.signal).catch(() => {})]);
      deadline.abort(new Error("done"));
      end.abort(new Error("recorder closed"));
      await finished;
    },
  };
}

/** A candidate that Redis has. */
interface Remembered {
  candidate: CandidateRecord;
  foundAtSeconds: number;
  server: string;
  atMs: number;
}

function facts(candidate: CandidateRecord) {
  const { height, nonce, headerHash, login, worker } = candidate;
  return { height, nonce, headerHash, login, worker };
}
