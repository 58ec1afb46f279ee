/** Stops that need a human: the reason and the mend, said in one sentence each. */
import { PoolError } from "../base/mod.ts";

/** A broken invariant of the payments; nothing more is sent until it no longer holds. */
export class HaltError extends PoolError {
  override readonly name = "HaltError";
  /** What a human does about it. */
  readonly mend: string;

  constructor(reason: string, mend: string, facts: Record<string, unknown> = {}) {
    super(reason, { facts: { ...facts, mend } });
    this.mend = mend;
  }
}

/** What the log says when RESOLVE_PAYOUT is set, as the old pool's operators know it. */
export const RESOLVE_PAYOUT_NOTICE =
  "RESOLVE_PAYOUT is not needed and does nothing: open payments are settled by their transactions " +
  "at every start, and a debit returns only when the chain proves that nothing was paid";
