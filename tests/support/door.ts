/** Doors for miners over a scripted share path: what each nonce's last hex digits lead to. */
import { silentLogger, systemClock } from "../../modules/base/mod.ts";
import type { ShareTerms } from "../../modules/intake/mod.ts";
import type { SchemeSpan } from "../../modules/ledger/mod.ts";
import { Policy } from "../../modules/policy/mod.ts";
import type { Rejection, Submission } from "../../modules/share/mod.ts";
import { Bindings, type SpanStore } from "../../modules/stratum/bindings.ts";
import { Extranonces } from "../../modules/stratum/extranonce.ts";
import { type Miner, MiningService } from "../../modules/stratum/service.ts";
import { type Job, JobBook, jobOf } from "../../modules/work/mod.ts";

/** What nonces that end so lead to; every other one is accepted. */
const SCRIPT: Record<string, Rejection> = {
  d1: "stale",
  d2: "duplicate",
  d3: "lowDifficulty",
  d4: "badMix",
  d5: "away",
};

/** A service with one job, a log of what reached the share path, and a switch for its health. */
export interface ScriptedDoor {
  service: MiningService;
  jobs: JobBook;
  policy: Policy;
  submissions: Submission[];
  /** The terms of each submission. */
  terms: ShareTerms[];
  reported: { miner: Miner; hashrateHps: bigint }[];
  healthy: boolean;
}

/** The n-th job of a scripted chain. */
export function scriptedJob(n: number): Job {
  const work = {
    headerHash: "0x" + n.toString(16).padStart(64, "a"),
    seedHash: "0x" + "00".repeat(32),
    target: (1n << 256n) / 155_381_888_059_095n,
    height: 100 + n,
  };
  return jobOf(work, "node", 0);
}

/** Spans in memory; the ledger's own are tested over Redis. */
export function spanStore(): SpanStore {
  const spans = new Map<string, SchemeSpan>();
  return {
    bind: (extranonce, span) => Promise.resolve(void spans.set(extranonce, span)),
    unbind: (gone) => Promise.resolve(gone.forEach((one) => spans.delete(one))),
    find: (wanted) => Promise.resolve(wanted.map((one) => spans.get(one))),
  };
}

/** Makes the service; nothing listens yet. */
export function scriptedDoor(malformedLimit = 50): ScriptedDoor {
  const jobs = new JobBook();
  jobs.add(scriptedJob(1));
  const policy = new Policy({
    banning: {
      ...{ enabled: true, timeoutMs: 1_000, invalidPercent: 90, checkThreshold: 1_000 },
      malformedLimit,
    },
    limits: { enabled: false, limit: 0, graceMs: 0, limitJump: 0 },
    resetIntervalMs: 60_000,
  }, systemClock);
  const door: ScriptedDoor = {
    ...{ jobs, policy, submissions: [], terms: [], reported: [], healthy: true },
    service: new MiningService({
      ...{ jobs, policy, maxWorkers: 4 },
      ...{
        niceHashMinDifficulty: 4_000_000_000n,
        askedDifficulty: { min: 1_000_000n, max: 10n ** 15n },
      },
      extranonces: new Extranonces({ prefix: "", part: 0, parts: 1 }),
      bindings: new Bindings({
        ...{ scheme: "prop", several: true, digits: 4, log: silentLogger },
        store: spanStore(),
      }),
      soloByLogin: true,
      epochOf: (height) => Math.floor(height / 30_000),
      healthy: () => door.healthy,
      async submit(submission, { settled, ...terms }) {
        const scheme = settled === undefined ? terms.scheme : await settled;
        door.submissions.push(submission);
        door.terms.push({ ...terms, scheme });
        const rejection = SCRIPT[submission.nonce.slice(-2)];
        return rejection === undefined
          ? { accepted: true, candidate: false, banned: false }
          : { accepted: false, rejection, banned: false };
      },
      reportHashrate: (miner, hashrateHps) => door.reported.push({ miner, hashrateHps }),
    }),
  };
  return door;
}

/** Silent logger and the system's clock, as doors want them. */
export const doorDeps = { clock: systemClock, log: silentLogger };
