/** A pause that can be cut short: a loop sleeps, somebody rings. */
import type { Clock } from "./clock.ts";

/** Rings are not counted: one that comes while nobody sleeps ends the next sleep at once. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  /** Ends the sleep. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Sleeps for `ms` milliseconds, or until the ring or the signal; gives whether it was rung. */
  async sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
    const end = new AbortController();
    const stop = () => end.abort(new Error("woken"));
    this.#wake = stop;
    signal.addEventListener("abort", stop, { once: true });
    if (!this.#rung && !signal.aborted) await clock.sleep(ms, end.signal).catch(() => {});
    signal.removeEventListener("abort", stop);
    this.#wake = undefined;
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}
