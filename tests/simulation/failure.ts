/** What the auditor says when something does not add up. */

/** A broken promise that the simulation found. */
export class Failure extends Error {
  override readonly name = "Failure";
}

/** Ends the world. @throws {Failure} always */
export function fail(what: string): never {
  throw new Failure(what);
}

/** Compares what should be with what is. @throws {Failure} when they differ */
export function expectSame(what: string, expected: unknown, found: unknown): void {
  if (expected !== found) fail(`${what}: ${String(found)}, the auditor says ${String(expected)}`);
}
