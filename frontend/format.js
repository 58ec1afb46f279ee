// Numbers and times as people read them; money is exact, from integers only.

const UNITS = ["H/s", "kH/s", "MH/s", "GH/s", "TH/s", "PH/s", "EH/s"];

/**
 * JSON whose integers beyond 2^53 stay exact, as bigint.
 *
 * @param {string} text
 */
export function parseExact(text) {
  /** @type {(key: string, value: unknown, context?: { source?: string }) => unknown} */
  const revive = (_key, value, context) => {
    const source = context?.source ?? "";
    const unsafe = typeof value === "number" && !Number.isSafeInteger(value);
    return unsafe && /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, /** @type {any} */ (revive));
}

/** @param {number | bigint} perSecond hashes a second */
export function hashrate(perSecond) {
  let value = Number(perSecond);
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toPrecision(4).replace(/\.0+$/, "")} ${UNITS[unit]}`;
}

/**
 * An integer amount as coins, exactly, with at least two digits after the point.
 *
 * @param {number | bigint | string} amount
 * @param {number} decimals 9 for Shannon, 18 for wei
 */
export function coins(amount, decimals) {
  const value = BigInt(amount);
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, -decimals);
  const fraction = digits.slice(-decimals).replace(/0+$/, "").padEnd(2, "0");
  return `${value < 0n ? "−" : ""}${grouped(whole)}.${fraction}`;
}

/** @param {number | bigint | string} value */
export function grouped(value) {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/**
 * Time since a moment, in words.
 *
 * @param {number | string} seconds unix seconds
 * @param {number} nowMs
 */
export function since(seconds, nowMs) {
  const age = Math.max(0, Math.round(nowMs / 1000 - Number(seconds)));
  if (age < 90) return `${age} s ago`;
  if (age < 5_400) return `${Math.round(age / 60)} min ago`;
  if (age < 129_600) return `${Math.round(age / 3600)} h ago`;
  return `${Math.round(age / 86_400)} days ago`;
}

/** @param {string} hex a hash or an address */
export function shortened(hex) {
  return hex.length > 18 ? `${hex.slice(0, 10)}…${hex.slice(-6)}` : hex;
}
