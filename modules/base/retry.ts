/** Bounded exponential backoff with jitter, abortable, with time and randomness injected. */
import type { Clock } from "./clock.ts";

/** How a delay grows from attempt to attempt. */
export interface BackoffOptions {
  /** First delay (milliseconds). @default {200} */
  minMs?: number;
  /** Longest delay (milliseconds). @default {30000} */
  maxMs?: number;
  /** Randomness in [0, 1). @default {Math.random} */
  random?: () => number;
}

/** The delay (milliseconds) before attempt `attempt` (0-based): half fixed, half jitter. */
export function backoffMs(attempt: number, options: BackoffOptions = {}): number {
  const { minMs = 200, maxMs = 30_000, random = Math.random } = options;
  const ceilingMs = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceilingMs / 2 + random() * ceilingMs / 2);
}

/** Options of {@linkcode retry}. */
export interface RetryOptions extends BackoffOptions {
  /** Calls at most, the first included. */
  attempts: number;
  clock: Clock;
  signal?: AbortSignal;
  /** Whether an error is worth another try. @default every error */
  retryable?: (error: unknown) => boolean;
}

/** Calls `work` until it succeeds, its error is final, or the attempts are used up. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 0;; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const last = attempt + 1 >= options.attempts;
      if (last || options.retryable?.(error) === false) throw error;
    }
    await options.clock.sleep(backoffMs(attempt, options), options.signal);
  }
}
