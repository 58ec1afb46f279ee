/** Numbers as `/api/v2` writes them (pure). */
import { integerOf } from "../../ledger/mod.ts";

/** A part of a whole in percent, to four places; null when the whole is nothing. */
export function percentOf(part: bigint, whole: bigint): number | null {
  return whole <= 0n ? null : Number(part * 1_000_000n / whole) / 10_000;
}

/** A fraction in percent, to four places. */
export function percent(fraction: number): number {
  return Math.round(fraction * 1_000_000) / 10_000;
}

/** A stored amount, nothing where there is none. @throws {StoreError} when it cannot be read */
export function amount(text: string | undefined, name: string): string {
  return `${integerOf(text, name)}`;
}
