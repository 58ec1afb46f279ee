/** A job as it is offered to miners: one offer per difficulty and scheme, shared by all sessions. */
import { type Difficulty, targetOf } from "../base/mod.ts";
import type { Scheme, ShareTerms } from "../intake/mod.ts";
import type { Job } from "../work/mod.ts";

/** A job with its terms and a name of its own. */
export interface Offer {
  /** Job id: 8 hex digits, never used twice, not even for the same header. */
  readonly id: string;
  readonly job: Job;
  readonly terms: ShareTerms;
  /** Number of the job's epoch, as dialects with epochs count it. */
  readonly epoch: number;
  /** Whether the height is new, so that miners drop what they work on. */
  readonly clean: boolean;
  /** The encoded push, by dialect. */
  readonly bytes: Map<string, Uint8Array>;
}

/** Makes job ids: a counter with a random start, so that restarts do not repeat them. */
export class JobIds {
  #next: number;

  /** @param start any number */
  constructor(start: number) {
    this.#next = start >>> 0;
  }

  /** The next id. */
  next(): string {
    const id = this.#next.toString(16).padStart(8, "0");
    this.#next = (this.#next + 1) >>> 0;
    return id;
  }
}

/** The offers of one job, made when they are asked for. */
export class OfferSet {
  readonly #offers = new Map<string, Offer>();
  /** What was asked for last: a broadcast asks for the same offer thousands of times. */
  #last: { difficulty: Difficulty; scheme: Scheme; offer: Offer } | undefined;

  constructor(
    readonly job: Job,
    readonly facts: { epoch: number; clean: boolean; repeated: boolean },
    readonly ids: JobIds,
  ) {}

  /**
   * The offer of a difficulty and scheme.
   *
   * Never harder than the block itself, so that no block solution is withheld and a share is
   * credited with what it costs.
   */
  of(difficulty: Difficulty, scheme: Scheme): Offer {
    const last = this.#last;
    if (last !== undefined && last.difficulty === difficulty && last.scheme === scheme) {
      return last.offer;
    }
    const credited = difficulty < this.job.difficulty ? difficulty : this.job.difficulty;
    const key = `${credited}:${scheme}`;
    let offer = this.#offers.get(key);
    if (offer === undefined) {
      const { job, facts: { epoch, clean } } = this;
      const terms = termsOf(job, credited, scheme);
      offer = { id: this.ids.next(), job, terms, epoch, clean, bytes: new Map() };
      this.#offers.set(key, offer);
    }
    this.#last = { difficulty, scheme, offer };
    return offer;
  }
}

/** The terms of a job at a difficulty that is not above the block's. */
export function termsOf(job: Job, difficulty: Difficulty, scheme: Scheme): ShareTerms {
  const credited = difficulty < job.difficulty ? difficulty : job.difficulty;
  const target = targetOf(credited);
  return { difficulty: credited, target: target > job.target ? target : job.target, scheme };
}
