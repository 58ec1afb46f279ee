/**
 * Money and work units: exact conversions between wei, Shannon and decimal coin text.
 *
 * All money in quarry is a bigint whose name ends in its unit (`rewardWei`, `balanceShannon`).
 * Balances in Redis are Shannon (10^9 wei) as open-ethereum-pool keeps them: wei would overflow
 * Redis's signed 64-bit HINCRBY at 9.22 coins.
 */

/** An amount in wei, the chain's smallest unit. */
export type Wei = bigint;
/** An amount in Shannon (Gwei): 10^9 wei, 10^-9 coin. */
export type Shannon = bigint;
/** Work in hashes: the expected number of hashes for one solution. */
export type Difficulty = bigint;

/** Wei in one Shannon. */
export const WEI_PER_SHANNON = 1_000_000_000n;
/** Wei in one coin (ether, expanse, ...). */
export const WEI_PER_COIN = 1_000_000_000_000_000_000n;

/** Converts Shannon to wei, exactly. */
export function shannonToWei(amountShannon: Shannon): Wei {
  return amountShannon * WEI_PER_SHANNON;
}

/** Converts wei to whole Shannon, rounding towards zero; what is cut off is dust. */
export function weiToShannonFloor(amountWei: Wei): Shannon {
  return amountWei / WEI_PER_SHANNON;
}

/** Formats wei as a decimal coin amount without trailing zeros ("1.5", "0"). */
export function formatCoins(amountWei: Wei): string {
  return formatDecimal(amountWei, 18);
}

/** Formats a scaled integer as exact decimal text without trailing zeros. */
export function formatDecimal(value: bigint, decimals: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return sign + whole + (fraction === "" ? "" : "." + fraction);
}

/**
 * Parses exact decimal text ("1.25") into an integer scaled by 10^decimals.
 *
 * @throws {RangeError} when the text is not a plain decimal or has more digits than `decimals`:
 * surplus digits are refused, never rounded.
 */
export function parseDecimal(text: string, decimals: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new RangeError(`Cannot parse decimal: current value is "${text}"`);
  const fraction = match[3] ?? "";
  if (fraction.length > decimals) {
    throw new RangeError(
      `Cannot parse decimal with more than ${decimals} fractional digits: current value is "${text}"`,
    );
  }
  const scaled = BigInt(match[2]! + fraction.padEnd(decimals, "0"));
  return match[1] === "-" ? -scaled : scaled;
}
