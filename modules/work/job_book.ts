/**
 * The current job and the recent ones, by header hash.
 *
 * A job stays acceptable while its height is above the highest height seen less seven: long enough
 * for uncles (depth 6), short enough for the duplicate set, which keeps eight heights.
 */
import type { Job } from "./job.ts";

/** Heights below the highest at which a job is still accepted, exclusive. */
export const JOB_HEIGHTS = 7;
/** Jobs kept at most; nodes may give many headers for one height. */
export const JOBS_MAX = 1_024;

/** What is known of a header that a miner names. */
export type JobLookup =
  | { kind: "active" | "past"; job: Job }
  | { kind: "stale" }
  | { kind: "unknown" };

/** Keeps the jobs of one process. */
export class JobBook {
  readonly #jobs = new Map<string, Job>();
  #current: Job | undefined;
  #highest = 0;

  /** The job to hand out, or undefined while there is none. */
  get current(): Job | undefined {
    return this.#current;
  }

  /** The highest height seen. */
  get highest(): number {
    return this.#highest;
  }

  /**
   * Takes a job; gives whether it is to be handed out: not when it is the current one already. One
   * whose shares would be called stale leaves no current job at all.
   */
  add(job: Job): boolean {
    if (job.height + JOB_HEIGHTS <= this.#highest) {
      this.suspend();
      return false;
    }
    if (this.#current?.headerHash === job.headerHash) return false;
    // Re-inserted when a node comes back to it, so that the oldest is always first.
    this.#jobs.delete(job.headerHash);
    this.#jobs.set(job.headerHash, job);
    this.#current = job;
    this.#highest = Math.max(this.#highest, job.height);
    this.#prune();
    return true;
  }

  /** Stops handing out work; jobs already handed out stay acceptable. */
  suspend(): void {
    this.#current = undefined;
  }

  /** What a header hash (lower case) stands for. */
  find(headerHash: string): JobLookup {
    const job = this.#jobs.get(headerHash);
    if (job === undefined) return { kind: "unknown" };
    if (job.height + JOB_HEIGHTS <= this.#highest) return { kind: "stale" };
    return { kind: job === this.#current ? "active" : "past", job };
  }

  #prune(): void {
    for (const [headerHash, job] of this.#jobs) {
      // Kept for a while beyond their use, so that late shares are called stale, not unknown.
      const outlived = job.height + 4 * JOB_HEIGHTS <= this.#highest;
      if (!outlived && this.#jobs.size <= JOBS_MAX) break;
      this.#jobs.delete(headerHash);
    }
  }
}
