/** Amounts that are typed, and parts of amounts; in integers as all money here. */
import type { Whole } from "./format.ts";

/** An amount as it was typed, in the smallest unit; undefined when it is none. */
export function parseCoins(text: string, decimals: number): bigint | undefined {
  const match = /^(\d{1,15})(?:[.,](\d+))?$/.exec(text.trim());
  const fraction = match?.[2] ?? "";
  if (match === null || fraction.length > decimals) return undefined;
  return BigInt(match[1]! + fraction.padEnd(decimals, "0"));
}

/** An amount as it is typed into a field: no groups, no zeros at the end. */
export function typedCoins(amount: Whole, decimals: number): string {
  const digits = String(BigInt(amount)).padStart(decimals + 1, "0");
  const fraction = digits.slice(-decimals).replace(/0+$/, "");
  return digits.slice(0, -decimals) + (fraction === "" ? "" : `.${fraction}`);
}

/** A part of a whole in per cent, for a bar: 0 to 100. */
export function partOf(amount: Whole, whole: Whole): number {
  const of = BigInt(whole);
  if (of <= 0n) return 0;
  const thousandths = BigInt(amount) * 100_000n / of;
  return Number(
    thousandths > 100_000n ? 100_000n : thousandths < 0n ? 0n : thousandths,
  ) / 1000;
}
