/** What the doors (stratum sessions and HTTP getwork) share: work, terms, submissions, worker names. */
import { isQuantity, targetOf } from "../base/mod.ts";
import type { ShareTerms, SubmitOutcome } from "../intake/mod.ts";
import type { Policy } from "../policy/mod.ts";
import { readClaim, type Rejection, REJECTIONS, type Submission } from "../share/mod.ts";
import type { Job, JobBook } from "../work/mod.ts";
import type { RpcError } from "./dialect.ts";
import { DEFAULT_WORKER, readWorker } from "./login.ts";

/** Who a request is from. */
export interface Miner {
  login: string;
  worker: string;
  ip: string;
}

/** The answer to a submission. */
export type ShareAnswer =
  | { accepted: true; banned: boolean }
  | { accepted: false; error: RpcError; banned: boolean };

/** Work is not there (yet, or while Redis or every node is away). */
export const WORK_NOT_READY: RpcError = { code: 0, message: "Work not ready" };

/** What the service is made of. */
export interface ServiceDeps {
  jobs: JobBook;
  policy: Policy;
  /** Share difficulty (hashes). */
  difficulty: bigint;
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

  constructor(readonly deps: ServiceDeps) {
    this.policy = deps.policy;
  }

  /** The job to hand out, or undefined while there is none. */
  currentJob(): Job | undefined {
    return this.deps.healthy() ? this.deps.jobs.current : undefined;
  }

  /**
   * The terms of a job: never harder than the block itself, so that no block solution is withheld
   * and a share is credited with what it costs.
   */
  termsOf(job: Job): ShareTerms {
    const { difficulty } = this.deps;
    const credited = difficulty < job.difficulty ? difficulty : job.difficulty;
    const target = targetOf(credited);
    return { difficulty: credited, target: target > job.target ? target : job.target };
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

  /** Takes a claim; undefined when the process is closing and nothing may be said. */
  async submit(miner: Miner, params: unknown): Promise<ShareAnswer | undefined> {
    const claim = readClaim(params);
    if ("field" in claim) {
      const banned = this.policy.onMalformed(miner.ip);
      const { code, message } = REJECTIONS.malformed;
      return {
        accepted: false,
        error: { code, message: `${message}: check ${claim.field}` },
        banned,
      };
    }
    const found = this.deps.jobs.find(claim.headerHash);
    const terms = found.kind === "active" || found.kind === "past"
      ? this.termsOf(found.job)
      : { difficulty: this.deps.difficulty, target: targetOf(this.deps.difficulty) };
    const outcome = await this.deps.submit({ ...miner, ...claim }, terms);
    if (outcome === undefined) return undefined;
    if (outcome.accepted) this.#keepWorker(miner);
    return outcome.accepted
      ? { accepted: true, banned: outcome.banned }
      : { accepted: false, error: rejectionError(outcome.rejection), banned: outcome.banned };
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

/** A rejection as an error of the wire. */
export function rejectionError(rejection: Rejection): RpcError {
  const { code, message } = REJECTIONS[rejection];
  return { code, message };
}
