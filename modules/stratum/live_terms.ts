/**
 * The terms of a door that may change while it is open.
 *
 * A header keeps the difficulty that held when it first came, so that a share of it counts as it was
 * asked for, whichever worker takes it: all of them hear of jobs and of changes in one order.
 */
import type { Difficulty } from "../base/mod.ts";
import type { Scheme } from "../intake/mod.ts";
import { JOBS_MAX } from "../work/mod.ts";
import type { PortTerms } from "./assignments.ts";
import type { VarDiff } from "./retarget.ts";

/** What may change. */
export interface ChangedTerms {
  /** Of headers to come (hashes). */
  difficulty: Difficulty;
  varDiff?: VarDiff;
}

/** Terms with a memory for headers. */
export class LiveTerms implements PortTerms {
  difficulty: Difficulty;
  varDiff?: VarDiff;
  readonly scheme: Scheme;
  readonly #byHeader = new Map<string, Difficulty>();

  constructor({ difficulty, varDiff, scheme }: PortTerms) {
    this.difficulty = difficulty;
    this.scheme = scheme;
    if (varDiff !== undefined) this.varDiff = { ...varDiff };
  }

  /** A job came: what holds now holds for its header. */
  note(headerHash: string): void {
    if (this.#byHeader.has(headerHash)) return;
    this.#byHeader.set(headerHash, this.difficulty);
    if (this.#byHeader.size > JOBS_MAX) this.#byHeader.delete(this.#byHeader.keys().next().value!);
  }

  /** The difficulty that belongs to a header (hashes). */
  difficultyOf(headerHash: string): Difficulty {
    return this.#byHeader.get(headerHash) ?? this.difficulty;
  }

  /** Takes other terms, for headers that are still to come. */
  change({ difficulty, varDiff }: ChangedTerms): void {
    this.difficulty = difficulty;
    if (varDiff === undefined) delete this.varDiff;
    // In place: sessions follow the bounds of the object that they have.
    else if (this.varDiff !== undefined) Object.assign(this.varDiff, varDiff);
    else this.varDiff = { ...varDiff };
  }
}
