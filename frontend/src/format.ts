/**
 * Numbers, money and times as people read them.
 *
 * Money and hashrates come as decimal text and stay integers up to the last character; nothing here
 * goes through a float but percentages and times.
 */
import { locale } from "./i18n/lang.ts";

/** Shown for what is not known. */
export const NONE = "—";
/** Thin and unbreakable, between a number and its unit. */
const GAP = "\u202f";
const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
/** Decimals of the amounts on a page. */
const SHOWN = 5;

/** Formatters by language and options: making one takes longer than using it a hundred times. */
const made = new Map<string, Intl.NumberFormat>();

function numbers(options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const key = locale() + JSON.stringify(options);
  let format = made.get(key);
  if (format === undefined) made.set(key, format = new Intl.NumberFormat(locale(), options));
  return format;
}

/** An amount in integers. */
export type Whole = bigint | string;

/** Digits of the smallest unit after the point. */
export const SHANNON = 9;
export const WEI = 18;

/** The language's mark between whole and fraction. */
function point(): string {
  return numbers().formatToParts(1.5)
    .find((part) => part.type === "decimal")?.value ?? ".";
}

/** A whole number, in groups. */
export function grouped(value: number | bigint): string {
  return numbers().format(value);
}

/** Three significant digits and the prefix that fits: 999 600 is 1.00 M. */
export function scaled(value: Whole, unit: string): string {
  const whole = BigInt(value);
  const digits = String(whole).length;
  if (digits <= 3) return `${whole}${GAP}${unit}`;
  const dropped = digits - 3;
  const step = 10n ** BigInt(dropped);
  let [kept, exponent] = [(whole + step / 2n) / step, dropped];
  if (kept === 1000n) [kept, exponent] = [100n, exponent + 1];
  const thousands = Math.floor((exponent + 2) / 3);
  const prefix = PREFIXES[thousands];
  if (prefix === undefined) return `${grouped(whole)}${GAP}${unit}`;
  const after = thousands * 3 - exponent;
  const text = String(kept);
  const shown = after === 0 ? text : `${text.slice(0, -after)}${point()}${text.slice(-after)}`;
  return `${shown}${GAP}${prefix}${unit}`;
}

/** Hashes a second. */
export function hashrate(hps: Whole | null | undefined): string {
  return hps === null || hps === undefined ? NONE : scaled(hps, "H/s");
}

/** A difficulty: hashes. */
export function difficulty(hashes: Whole | null | undefined): string {
  return hashes === null || hashes === undefined ? NONE : scaled(hashes, "").trim();
}

/** An amount, whole; never rounded. @param decimals of its unit: SHANNON or WEI */
export function exactCoins(amount: Whole, decimals: number): string {
  const { sign, whole, fraction } = split(amount, decimals);
  return `${sign}${whole}${point()}${fraction}`;
}

/** An amount with five decimals, cut and never rounded up; dust is said to be dust. */
export function coins(amount: Whole, decimals: number): string {
  const { sign, whole, fraction, zero } = split(amount, decimals);
  if (zero) return "0";
  const shown = fraction.slice(0, SHOWN);
  if (whole === "0" && /^0*$/.test(shown)) {
    return `${sign}<${GAP}0${point()}${"0".repeat(SHOWN - 1)}1`;
  }
  return `${sign}${whole}${point()}${shown}`;
}

function split(amount: Whole, decimals: number) {
  const value = BigInt(amount);
  const digits = String(value < 0n ? -value : value).padStart(
    decimals + 1,
    "0",
  );
  return {
    sign: value < 0n ? "−" : "",
    whole: grouped(BigInt(digits.slice(0, -decimals))),
    fraction: digits.slice(-decimals),
    zero: value === 0n,
  };
}

/** One decimal; a little is not nothing. */
export function percent(
  value: number | null | undefined,
  decimals = 1,
): string {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return NONE;
  }
  const least = 10 ** -decimals;
  const number = (of: number, digits: number) =>
    numbers({
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(of);
  if (value > 0 && value < least) {
    return `<${GAP}${number(least, decimals)}${GAP}%`;
  }
  return `${number(value, value === 0 ? 0 : decimals)}${GAP}%`;
}

/** How a round's effort is called. */
export type EffortWord = "early" | "expected" | "late" | "veryLate";

/** 100 % is the work that a block takes on average; less means luck. */
export function effortWord(effortPercent: number): EffortWord {
  if (effortPercent <= 75) return "early";
  if (effortPercent <= 125) return "expected";
  return effortPercent <= 300 ? "late" : "veryLate";
}

const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], [
  "second",
  1,
]] as const;

/** A span in its two largest units: 3 h 12 min. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms) || ms < 0) {
    return NONE;
  }
  const seconds = Math.round(ms / 1000);
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first === -1) return spelt(0, "second");
  const [name, size] = UNITS[first]!;
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor(seconds % size / next[1]);
  const head = spelt(Math.floor(seconds / size), name);
  return next === undefined || rest === 0 ? head : `${head} ${spelt(rest, next[0])}`;
}

function spelt(count: number, unit: string): string {
  const unitDisplay = unit === "day" ? "long" : "short";
  return numbers({ style: "unit", unit, unitDisplay })
    .format(count);
}

/** A span in its largest unit, rounded up: to be said with "about". */
export function roughly(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  const [name, size] = UNITS.find(([, size]) => seconds >= size)!;
  const count = Math.ceil(seconds / size);
  return numbers({
    style: "unit",
    unit: name,
    unitDisplay: "long",
  })
    .format(count);
}

/** "12 seconds ago", "in 3 hours"; undefined for what is just now. */
export function relative(atMs: number, nowMs: number): string | undefined {
  const seconds = Math.round((atMs - nowMs) / 1000);
  if (Math.abs(seconds) < 10) return undefined;
  const [name, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size)!;
  return new Intl.RelativeTimeFormat(locale(), {
    numeric: "always",
    style: "short",
  })
    .format(Math.trunc(seconds / size), name);
}

/** Date and time here. */
export function absolute(atMs: number): string {
  return new Intl.DateTimeFormat(locale(), {
    dateStyle: "medium",
    timeStyle: "medium",
  })
    .format(atMs);
}

/** 0xBf08…3795. */
export function shortAddress(address: string): string {
  return address.length > 14 ? `${address.slice(0, 6)}…${address.slice(-4)}` : address;
}

/** First ten and last six characters. */
export function shortHash(hash: string): string {
  return hash.length > 18 ? `${hash.slice(0, 10)}…${hash.slice(-6)}` : hash;
}
