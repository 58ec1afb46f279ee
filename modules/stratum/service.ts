/** What the doors (stratum sessions and HTTP getwork) share: offers, submissions, worker names. */
import { type Difficulty, isQuantity, targetOf } from "../base/mod.ts";
import type { Scheme, ShareTerms, SubmitOutcome } from "../intake/mod.ts";
import type { Policy } from "../policy/mod.ts";
import {
  type Claim,
  type MalformedClaim,
  type Rejection,
  REJECTIONS,
  type Submission,
} from "../share/mod.ts";
import { type Job, JOB_HEIGHTS, type JobBook } from "../work/mod.ts";
import type { Bindings } from "./bindings.ts";
import type { RpcError } from "./dialect.ts";
import type { Extranonces } from "./extranonce.ts";
import { DEFAULT_WORKER, readWorker } from "./login.ts";
import { JobIds, type Offer, OfferSet, termsOf } from "./offers.ts";

/** Who a request is from. */
export interface Miner {
  login: string;
  worker: string;
  ip: string;
}

/** The answer to a submission that does not count. */
export interface RefusedAnswer {
  accepted: false;
  error: RpcError;
  banned: boolean;
}

/** The answer to a submission. */
export type ShareAnswer = { accepted: true; banned: boolean } | RefusedAnswer;

/** Work is not there (yet, or while Redis or every node is away). */
export const WORK_NOT_READY: RpcError = { code: 0, message: "Work not ready" };

/** What holds for all who ask for work over HTTP at a door. */
export interface GetworkTerms {
  /** Share difficulty (hashes). */
  difficulty: Difficulty;
  scheme: Scheme;
  /** The difficulty that belongs to a header; missing: `difficulty` belongs to all. */
  difficultyOf?(headerHash: string): Difficulty;
}

/** What the service is made of. */
export interface ServiceDeps {
  jobs: JobBook;
  policy: Policy;
  /** Least difficulty of NiceHash sessions (hashes). */
  niceHashMinDifficulty: Difficulty;
  /** What a miner may ask for by password (hashes). */
  askedDifficulty: { min: Difficulty; max: Difficulty };
  extranonces: Extranonces;
  /** Schemes beside the pool's own. */
  bindings: Bindings;
  /** Whether a miner may ask for solo mining by login or password. */
  soloByLogin: boolean;
  /** Number of a height's epoch. */
  epochOf(height: number): number;
  /** Worker names kept per miner; further ones are counted under "0". */
  maxWorkers: number;
  /** Whether work may be handed out now (Redis there, not draining). */
  healthy(): boolean;
  submit(submission: Submission, terms: ShareTerms): Promise<SubmitOutcome | undefined>;
  reportHashrate(miner: Miner, hashrateHps: bigint): void;
}

/** Logins whose worker names are remembered; the one that mined longest ago is forgotten first. */
const LOGINS_MAX = 50_000;
/** A reported hashrate above this is no hashrate (2^63 hashes a second). */
const REPORTED_HPS_MAX = (1n << 63n) - 1n;

/** Everything a door asks of the pool. */
export class MiningService {
  readonly policy: Policy;
  readonly #workers = new Map<string, Set<string>>();
  readonly #ids = new JobIds(crypto.getRandomValues(new Uint32Array(1))[0]!);
  #offers: OfferSet | undefined;

  constructor(readonly deps: ServiceDeps) {
    this.policy = deps.policy;
  }

  /** The job to hand out, or undefined while there is none. */
  currentJob(): Job | undefined {
    return this.deps.healthy() ? this.deps.jobs.current : undefined;
  }

  /** The offers of the current job, or undefined while there is none. */
  offers(): OfferSet | undefined {
    const job = this.currentJob();
    if (job === undefined) return undefined;
    return this.#offers?.job === job ? this.#offers : this.#offer(job, false);
  }

  /** Offers of the current job under new ids: some miners take a job only under a new one. */
  renewedOffers(): OfferSet | undefined {
    const job = this.currentJob();
    return job && this.#offer(job, this.#offers?.job === job);
  }

  #offer(job: Job, repeated: boolean): OfferSet {
    const clean = this.#offers === undefined || job.height !== this.#offers.job.height;
    const facts = { epoch: this.deps.epochOf(job.height), clean, repeated };
    return this.#offers = new OfferSet(job, facts, this.#ids);
  }

  /** Takes an extranonce back that no session uses or may come back to. */
  giveBack(extranonce: string): void {
    const { bindings, extranonces, jobs } = this.deps;
    if (!bindings.release(extranonce)) extranonces.give(extranonce, jobs.highest + JOB_HEIGHTS);
  }

  /** Takes back what nobody came for, and what no scheme is bound to any more; call it often. */
  async sweepExtranonces(nowMs: number): Promise<void> {
    const { bindings, extranonces, jobs } = this.deps;
    for (const extranonce of extranonces.expired(nowMs)) this.giveBack(extranonce);
    for (const extranonce of await bindings.sweep(jobs.highest)) extranonces.give(extranonce, 0);
  }

  /**
   * Terms for a nonce that no session's extranonce vouches for: its scheme is the nonce's own, which
   * the ledger is asked for while the share is verified.
   */
  freeTerms(nonce: string, headerHash: string, terms: ShareTerms): ShareTerms {
    const found = this.deps.jobs.find(headerHash);
    const { bindings } = this.deps;
    const free = { ...terms, scheme: bindings.scheme };
    if (!("job" in found) || !bindings.deps.several) return free;
    const settled = bindings.schemeOf(nonce, found.job.height);
    // Nobody waits for it when the share is refused.
    settled.catch(() => {});
    return { ...free, settled };
  }

  /** The current job at the terms of HTTP getwork, or undefined while there is none. */
  getworkOffer(terms: GetworkTerms): Offer | undefined {
    const set = this.offers();
    return set?.of(difficultyAt(terms, set.job.headerHash), terms.scheme);
  }

  /**
   * The worker that counts: the request's own, else the session's, else "0".
   *
   * Anybody may log in as anybody, so names are only taken up by accepted shares: without work
   * nobody fills another miner's list, nor this process's memory. Shares under way at once may
   * take a few names more than the maximum.
   */
  workerOf(login: string, ...candidates: unknown[]): string {
    const name = candidates.map(readWorker).find((worker) => worker !== undefined);
    if (name === undefined) return DEFAULT_WORKER;
    const names = this.#workers.get(login);
    const isRoom = names === undefined || names.has(name) || names.size < this.deps.maxWorkers;
    return isRoom ? name : DEFAULT_WORKER;
  }

  #keepWorker({ login, worker }: Miner): void {
    const names = this.#workers.get(login) ?? new Set<string>();
    // Re-inserted, so that the login that mined longest ago is forgotten first.
    this.#workers.delete(login);
    if (this.#workers.size >= LOGINS_MAX) {
      this.#workers.delete(this.#workers.keys().next().value!);
    }
    this.#workers.set(login, names.add(worker));
  }

  /** Answers a claim that could not be read. */
  malformed(miner: Miner, { field }: MalformedClaim, hint?: string): RefusedAnswer {
    const banned = this.policy.onMalformed(miner.ip);
    const { code, message } = REJECTIONS.malformed;
    const text = `${message}: check ${field}${hint === undefined ? "" : `, ${hint}`}`;
    return { accepted: false, error: { code, message: text, kind: "malformed" }, banned };
  }

  /** Takes a claim; undefined when the process is closing and nothing may be said. */
  async submit(
    miner: Miner,
    claim: Pick<Submission, "nonce" | "headerHash" | "mix">,
    terms: ShareTerms,
  ): Promise<ShareAnswer | undefined> {
    const outcome = await this.deps.submit({ ...miner, ...claim }, terms);
    if (outcome === undefined) return undefined;
    if (outcome.accepted) this.#keepWorker(miner);
    return outcome.accepted
      ? { accepted: true, banned: outcome.banned }
      : { accepted: false, error: rejectionError(outcome.rejection), banned: outcome.banned };
  }

  /** Takes a claim of a door without sessions, whose terms are the same for all. */
  async submitUnassigned(
    miner: Miner,
    claim: Claim | MalformedClaim,
    door: GetworkTerms,
  ): Promise<ShareAnswer | undefined> {
    if ("field" in claim) return this.malformed(miner, claim);
    const headerHash = claim.headerHash!;
    const difficulty = difficultyAt(door, headerHash);
    const { scheme } = door;
    const found = this.deps.jobs.find(headerHash);
    const terms = "job" in found
      ? termsOf(found.job, difficulty, scheme)
      // The corridor refuses the header; these terms are for its log.
      : { difficulty, scheme, target: targetOf(difficulty) };
    const free = this.freeTerms(claim.nonce, headerHash, terms);
    return await this.submit(miner, { ...claim, headerHash }, { ...free, dialect: "getwork" });
  }

  /** Keeps a hashrate that a worker with accepted shares reports; false when it does not count. */
  reportHashrate(miner: Miner, rate: unknown): boolean {
    if (!isQuantity(rate)) return false;
    const hashrateHps = BigInt(rate);
    if (hashrateHps > REPORTED_HPS_MAX) return false;
    if (!this.#workers.get(miner.login)?.has(miner.worker)) return false;
    this.deps.reportHashrate(miner, hashrateHps);
    return true;
  }
}

function difficultyAt(terms: GetworkTerms, headerHash: string): Difficulty {
  return terms.difficultyOf?.(headerHash) ?? terms.difficulty;
}

/** What a miner is told whose protocol ties no nonce to its session. */
export function needsExtranonce(asksSolo: boolean, scheme: Scheme): string {
  const what = asksSolo ? "Solo mining" : `This port (${scheme})`;
  return `${what} needs EthereumStratum/1.0.0 or 2.0.0: set the miner to stratum2+tcp or nicehash`;
}

/** A rejection as an error of the wire. */
export function rejectionError(rejection: Rejection): RpcError {
  const { code, message } = REJECTIONS[rejection];
  return { code, message, kind: rejection };
}
