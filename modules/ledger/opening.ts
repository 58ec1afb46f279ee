/**
 * What did not add up when quarry took a database over, signed off by a human: the invariants hold
 * relative to it. The old pool's own bugs make such differences.
 */
import { InvariantError } from "../base/mod.ts";
import type { LedgerDeps } from "./leases.ts";

/** Differences at the take-over; what is not among them adds up. */
export interface Opening {
  /** Unix seconds of the sign-off; undefined: there was none. */
  signedAt?: number;
  /** Who signed, as they wrote it. */
  signedBy?: string;
  /** What an audit compares, in its words → what was found less what was expected. */
  differences: ReadonlyMap<string, bigint>;
}

/** The signed opening differences; none when nobody signed any. @throws {InvariantError} */
export async function readOpening({ store, keys }: LedgerDeps): Promise<Opening> {
  const text = await store.command("GET", keys.own.opening());
  if (text === null) return { differences: new Map() };
  try {
    const { signedAt, signedBy, differences } = JSON.parse(String(text));
    const entries = Object.entries(differences as Record<string, string>);
    return {
      ...{ signedAt, signedBy },
      differences: new Map(entries.map(([what, amount]) => [what, BigInt(amount)])),
    };
  } catch (cause) {
    throw new InvariantError("Cannot read the opening differences", { cause });
  }
}

/**
 * Signs the differences off, once.
 *
 * @returns false when differences were signed before: they stay as they are
 */
export async function writeOpening(
  { store, keys }: LedgerDeps,
  opening: Opening & { signedAt: number; signedBy: string },
): Promise<boolean> {
  const text = JSON.stringify({
    ...{ signedAt: opening.signedAt, signedBy: opening.signedBy },
    differences: Object.fromEntries(
      [...opening.differences].map(([what, amount]) => [what, String(amount)]),
    ),
  });
  return await store.command("SET", keys.own.opening(), text, "NX") === "OK";
}
