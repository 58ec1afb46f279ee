/**
 * Error kinds: operating errors carry facts and a cause and are retried; bugs are assertions.
 *
 * The third kind, the verdict on what a miner sent, is a value and never an exception.
 */

/** Named facts of an error or a log line; bigint is written as decimal text. */
export type Facts = Record<string, unknown>;

/** An expected failure from below (node, Redis, file): retried with backoff, then reported. */
export class PoolError extends Error {
  override readonly name: string = "PoolError";
  /** Facts for the log; never secrets. */
  readonly facts: Facts;

  constructor(message: string, options: { cause?: unknown; facts?: Facts } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.facts = options.facts ?? {};
  }
}

/** A broken invariant of the books: the loop that meets it halts and says so. */
export class InvariantError extends PoolError {
  override readonly name = "InvariantError";
}

/** Text of any thrown value with its chain of causes, for logs. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === "" ? error.name : error.message;
  return error.cause === undefined ? own : `${own}: ${errorText(error.cause)}`;
}

/** Fails loudly when our own code is wrong. @throws {InvariantError} */
export function assert(condition: unknown, message: string, facts: Facts = {}): asserts condition {
  if (!condition) throw new InvariantError(message, { facts });
}

/** Marks a branch that the types rule out. @throws {InvariantError} always */
export function unreachable(value: never): never {
  throw new InvariantError(`Reached the unreachable: current value is ${JSON.stringify(value)}`);
}
