/** What the watch remembers of one node between two questions. */
import type { WorkPackage } from "./job.ts";
import { PushFlow } from "./push_flow.ts";
import { PushTrust } from "./push_trust.ts";

/** Its work, undefined when the chain moved meanwhile, or that the question failed. */
export type Answer = WorkPackage | undefined | "failed";

/** The state of one node. */
export class SourceState {
  /** Number of the question or push that its newest word came with; older answers are dropped. */
  order = 0;
  /** The work that it gave last. */
  said: WorkPackage | undefined;
  /** Why its last question failed; empty when it did not. */
  trouble = "";
  /** Whether it is being asked because it rang, and whether it rang again since. */
  ringing = false;
  rangAgain = false;
  /** The height that it rang for. */
  expected = 0;
  readonly flow = new PushFlow();
  readonly trust = new PushTrust();
  #bell = new AbortController();
  /** When each question under way was asked, oldest first. */
  readonly #open = new Map<symbol, number>();

  /** Whether a question is under way. */
  get asked(): boolean {
    return this.#open.size > 0;
  }

  /** Rings while it is being asked because of another ring. */
  ringAgain(): void {
    this.rangAgain = true;
    this.#bell.abort(new Error("rang"));
  }

  /** Is aborted when it rings again. */
  listen(): AbortSignal {
    this.#bell = new AbortController();
    return this.#bell.signal;
  }

  /** Runs a question. */
  async during<T>(nowMs: number, question: () => Promise<T>): Promise<T> {
    const key = Symbol();
    this.#open.set(key, nowMs);
    try {
      return await question();
    } finally {
      this.#open.delete(key);
    }
  }

  /** How long the oldest question has been under way (milliseconds); 0 when none is. */
  openForMs(nowMs: number): number {
    const [oldestMs = nowMs] = this.#open.values();
    return nowMs - oldestMs;
  }
}
