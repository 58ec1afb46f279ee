/**
 * Which epoch a height belongs to: Ethash's 30,000 blocks, and ECIP-1099's 60,000.
 *
 * Sources: the Ethash specification; ECIP-1099 (activation 11,700,000 on Ethereum Classic,
 * 2,520,000 on Mordor). Under ECIP-1099 the sizes follow height / 60,000, but the seed still is
 * hashed once per 30,000 blocks, so a context is named by both numbers.
 */

/** Blocks of an Ethash epoch. */
export const EPOCH_BLOCKS = 30_000;
/** Blocks of an Etchash epoch from ECIP-1099 on. */
export const ECIP1099_EPOCH_BLOCKS = 60_000;
/** The largest size epoch the native library serves (QUARRY_EPOCH_MAX). */
export const EPOCH_MAX = 4095;

/** How a network maps heights to epochs. */
export interface EpochRule {
  algorithm: "ethash" | "etchash";
  /** First height with epochs of 60,000 blocks; required for etchash, ignored for ethash. */
  ecip1099Height?: number;
}

/** One epoch of a network. */
export interface Epoch {
  /** Sets the sizes of light cache and dataset. */
  epoch: number;
  /** Rounds of keccak-256 behind the seed hash. */
  seedRounds: number;
  /** First height of the epoch. */
  firstHeight: number;
  /** First height of the next epoch. */
  nextHeight: number;
}

/**
 * The epoch of a height.
 *
 * @throws {RangeError} when the height is not a whole number from zero up to the largest epoch, or
 * an etchash rule lacks its ECIP-1099 height.
 */
export function epochOf(rule: EpochRule, height: number): Epoch {
  if (!Number.isSafeInteger(height) || height < 0) {
    throw new RangeError(`Cannot find an epoch: current height is ${height}`);
  }
  const forkHeight = forkHeightOf(rule);
  const forked = height >= forkHeight;
  const blocks = forked ? ECIP1099_EPOCH_BLOCKS : EPOCH_BLOCKS;
  const epoch = Math.floor(height / blocks);
  if (epoch > EPOCH_MAX) {
    throw new RangeError(
      `Cannot serve an epoch above ${EPOCH_MAX}: current height is ${height}`,
    );
  }
  const end = (epoch + 1) * blocks;
  return {
    epoch,
    seedRounds: epoch * blocks / EPOCH_BLOCKS,
    firstHeight: forked ? Math.max(epoch * blocks, forkHeight) : epoch * blocks,
    nextHeight: forked ? end : Math.min(end, forkHeight),
  };
}

/**
 * The epoch whose seed is keccak-256 iterated `seedRounds` times, or undefined when the rule has
 * none (odd rounds after ECIP-1099).
 */
export function epochOfSeedRounds(rule: EpochRule, seedRounds: number): Epoch | undefined {
  // Seeds follow height / 30,000 under both rules; only the epoch's extent differs.
  const found = epochOf(rule, seedRounds * EPOCH_BLOCKS);
  return found.seedRounds === seedRounds ? found : undefined;
}

/**
 * The epoch of a seed hash, as a miner knows it from getWork.
 *
 * @param nextSeed one round of keccak-256
 * @returns undefined when no epoch up to the largest has that seed.
 */
export function epochOfSeed(
  rule: EpochRule,
  seed: Uint8Array,
  nextSeed: (seed: Uint8Array) => Uint8Array,
): Epoch | undefined {
  const wanted = seed.toHex();
  let current: Uint8Array = new Uint8Array(32);
  for (let rounds = 0; rounds <= EPOCH_MAX; rounds++) {
    if (current.toHex() === wanted) return epochOfSeedRounds(rule, rounds);
    current = nextSeed(current);
  }
  return undefined;
}

/** Whether two epochs use the same context. */
export function sameContext(one: Epoch, other: Epoch): boolean {
  return one.epoch === other.epoch && one.seedRounds === other.seedRounds;
}

function forkHeightOf(rule: EpochRule): number {
  if (rule.algorithm === "ethash") return Number.POSITIVE_INFINITY;
  const height = rule.ecip1099Height;
  if (height === undefined || !Number.isSafeInteger(height) || height < 0) {
    throw new RangeError(
      `Cannot use etchash without its ECIP-1099 height: current ecip1099Height is ${height}`,
    );
  }
  return height;
}
