/**
 * What a session was given to mine: its offers, its extranonce, and the difficulty of the next.
 *
 * There is one difficulty per session and header (retarget.ts says why), and a share counts with
 * the terms of the offer that it was found for, however old.
 */
import type { Difficulty } from "../base/mod.ts";
import type { Scheme, ShareTerms } from "../intake/mod.ts";
import { type Job, JOB_HEIGHTS } from "../work/mod.ts";
import { type Offer, type OfferSet, termsOf } from "./offers.ts";
import type { BoundScheme } from "./scheme_choice.ts";
import { Retarget, type VarDiff } from "./retarget.ts";

/** Offers of a session that shares may still name; thousands of sessions keep as many each. */
const OFFERS_MAX = 64;
/** Heights after which an offer is forgotten: shares for it would be stale, and then some. */
const HEIGHTS_KEPT = 2 * JOB_HEIGHTS;

/** What holds for the sessions of a port. */
export interface PortTerms {
  /** Difficulty at first, or always (hashes). */
  difficulty: Difficulty;
  varDiff?: VarDiff;
  scheme: Scheme;
  /** The difficulty that belongs to a header; missing: `difficulty` belongs to all. */
  difficultyOf?(headerHash: string): Difficulty;
}

/** What a session wishes for itself. */
export interface SessionTerms {
  /** Fixed difficulty (hashes). */
  fixed?: Difficulty;
  /** Never below (hashes). */
  floor: Difficulty;
  /** Whether the miner applies a new difficulty one header late. */
  late: boolean;
}

/** An offer with the extranonce that it was sent with. */
interface Assigned {
  offer: Offer;
  extranonce: string;
}

/** The assignments of one session. */
export class Assignments {
  readonly #port: PortTerms;
  /** The offers, the oldest first, and beside each the extranonce it was sent with. */
  readonly #offers: Offer[] = [];
  readonly #extranonces: string[] = [];
  #retarget: Retarget | undefined;
  /** What the login asked for, for good. */
  #fixed: Difficulty | undefined;
  #scheme: Scheme;
  /** Another scheme, from a height on. */
  #bound: BoundScheme | undefined;
  #floor = 0n;
  #late = false;
  /** What a late miner works with until the next header. */
  #former: Difficulty | undefined;
  extranonce = "";
  /** Accepted so far. */
  shares = 0;

  /** @param scheme the pool's own, which holds until a height that another one is bound from */
  constructor(port: PortTerms, scheme: Scheme, nowMs: number) {
    this.#port = port;
    this.#scheme = scheme;
    if (port.varDiff) this.#retarget = new Retarget(port.varDiff, port.difficulty, nowMs);
  }

  /** Difficulty of the newest offer (hashes); undefined before the first. */
  get difficulty(): Difficulty | undefined {
    return this.#offers.at(-1)?.terms.difficulty;
  }

  /** Takes the wishes of a login; a fixed difficulty ends the variable one. */
  wish(terms: SessionTerms): void {
    if (terms.fixed !== undefined) {
      this.#retarget = undefined;
      this.#fixed = terms.fixed;
    }
    this.#floor = terms.floor;
    this.#late = terms.late;
  }

  /** Has jobs from a height on count by another scheme than the pool's. */
  bind(bound: BoundScheme): void {
    this.#bound = bound;
  }

  /** Notes an accepted share of a difficulty. */
  onShare(difficulty: Difficulty): void {
    this.shares++;
    this.#retarget?.onShare(difficulty);
  }

  /**
   * Picks and remembers the offer for this session.
   *
   * @returns the offer, and the difficulty that the miner is told
   */
  assign(set: OfferSet, nowMs: number): { offer: Offer; told: Difficulty } {
    const known = set.facts.repeated || this.#offers.at(-1)?.job === set.job
      ? this.byHeader(set.job.headerHash)
      : undefined;
    if (known !== undefined) {
      const { difficulty, scheme } = known.offer.terms;
      // The scheme belongs to the extranonce, which may be another one now.
      const isSame = known.extranonce === this.extranonce;
      const offer = set.of(difficulty, isSame ? scheme : this.#schemeAt(set.job));
      this.#remember(offer);
      return { offer, told: this.#told(offer) };
    }
    const wanted = this.#atLeast(this.#next(set.job.headerHash, nowMs));
    // A late miner hears of the new difficulty now and is held to it from the next header on.
    const held = this.#late ? this.#former ?? wanted : wanted;
    this.#former = wanted;
    const offer = set.of(held < wanted ? held : wanted, this.#schemeAt(set.job));
    this.#remember(offer);
    return { offer, told: this.#told(offer) };
  }

  /** What was assigned under a job id. */
  byId(id: string): Assigned | undefined {
    return this.#at(this.#offers.findLastIndex((offer) => offer.id === id));
  }

  /** What was assigned for a header. */
  byHeader(headerHash: string): Assigned | undefined {
    return this.#at(this.#offers.findLastIndex(({ job }) => job.headerHash === headerHash));
  }

  /**
   * Terms for a job that this session was never given, because it came back after a break: today's,
   * so that nobody chooses among several.
   */
  termsOfOld(job: Job | undefined): ShareTerms {
    const difficulty = this.#atLeast(
      this.#retarget?.difficulty ?? this.#fixed ?? this.#ofPort(job?.headerHash),
    );
    if (job === undefined) return { difficulty, target: 0n, scheme: this.#scheme };
    return termsOf(job, difficulty, this.#schemeAt(job));
  }

  /** The difficulty of a new header; the port may have got or lost its variable one meanwhile. */
  #next(headerHash: string, nowMs: number): Difficulty {
    const { varDiff } = this.#port;
    if (this.#fixed !== undefined) return this.#fixed;
    if (varDiff === undefined) this.#retarget = undefined;
    else this.#retarget ??= new Retarget(varDiff, this.#port.difficulty, nowMs);
    return this.#retarget?.next(nowMs) ?? this.#ofPort(headerHash);
  }

  #ofPort(headerHash: string | undefined): Difficulty {
    const { difficulty, difficultyOf } = this.#port;
    if (headerHash === undefined || difficultyOf === undefined) return difficulty;
    return this.#port.difficultyOf!(headerHash);
  }

  #at(index: number): Assigned | undefined {
    const offer = this.#offers[index];
    return offer && { offer, extranonce: this.#extranonces[index]! };
  }

  #told(offer: Offer): Difficulty {
    if (!this.#late || this.#former === undefined) return offer.terms.difficulty;
    return this.#former < offer.job.difficulty ? this.#former : offer.job.difficulty;
  }

  #schemeAt({ height }: Job): Scheme {
    const bound = this.#bound;
    return bound !== undefined && height >= bound.fromHeight ? bound.scheme : this.#scheme;
  }

  #atLeast(difficulty: Difficulty): Difficulty {
    return difficulty < this.#floor ? this.#floor : difficulty;
  }

  #remember(offer: Offer): void {
    if (this.#offers.at(-1) === offer) return;
    const [oldest] = this.#offers;
    const outlived = oldest !== undefined && oldest.job.height + HEIGHTS_KEPT <= offer.job.height;
    if (outlived || this.#offers.length >= OFFERS_MAX) {
      this.#offers.shift();
      this.#extranonces.shift();
    }
    this.#offers.push(offer);
    this.#extranonces.push(this.extranonce);
  }
}
