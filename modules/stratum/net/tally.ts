/** Log lines that a flood cannot multiply: the first of a kind at once, the others as a number. */
import type { Facts, Logger } from "../../base/mod.ts";

/** Counts events between two sweeps. */
export class Tally {
  readonly #counts = new Map<string, { level: "info" | "warn"; more: number; facts: Facts }>();

  constructor(readonly log: Logger) {}

  /** Notes an event; it is logged now when it is the first of its name since the last sweep. */
  note(level: "info" | "warn", event: string, facts: Facts): void {
    const entry = this.#counts.get(event);
    if (entry === undefined) {
      this.#counts.set(event, { level, more: 0, facts });
      this.log[level](event, facts);
    } else {
      entry.more++;
      entry.facts = facts;
    }
  }

  /** Logs how many more there were of each, with the facts of the last one. */
  sweep(): void {
    for (const [event, { level, more, facts }] of this.#counts) {
      if (more > 0) this.log[level](event, { ...facts, more });
    }
    this.#counts.clear();
  }
}
