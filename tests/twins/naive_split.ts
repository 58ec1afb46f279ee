/** A slow and obvious twin of the unlocker's split: search by trial instead of division. */

/** Splits whole wei as a child with an abacus would; fee in millionths of a percent. */
export function naiveSplit(
  rewardWei: bigint,
  shares: [login: string, share: bigint][],
  feeMillionths: bigint,
): { credits: Record<string, bigint>; feeWei: bigint; dustWei: bigint } {
  const total = shares.reduce((sum, [, share]) => sum + share, 0n);
  // The largest fee that is not above its part of the reward.
  const feeWei = largest((fee) => fee * 100_000_000n <= rewardWei * feeMillionths);
  const pot = rewardWei - feeWei;
  const credits: Record<string, bigint> = {};
  let dustWei = pot;
  for (const [login, share] of shares) {
    // The largest number of Shannon that is not above this login's part of the pot.
    const shannon = largest((amount) => amount * 1_000_000_000n * total <= pot * share);
    credits[login] = (credits[login] ?? 0n) + shannon;
    dustWei -= shannon * 1_000_000_000n;
  }
  return { credits, feeWei, dustWei };
}

/** The largest integer from 0 for which `fits` holds, one binary digit at a time. */
function largest(fits: (value: bigint) => boolean): bigint {
  let value = 0n, step = 1n;
  while (fits(step)) step *= 2n;
  for (; step > 0n; step /= 2n) if (fits(value + step)) value += step;
  return value;
}
