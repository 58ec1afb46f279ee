/**
 * Which algorithm and epoch a height belongs to: Ethash's 30,000 blocks, ECIP-1099's 60,000,
 * Ubqhash's other cache from UIP-1 on, Frkhash's none.
 *
 * Sources: the Ethash specification; ECIP-1099 (activation 11,700,000 on Ethereum Classic,
 * 2,520,000 on Mordor); go-ubiq (UIP-1 at epoch 22, height 660,000); go-expanse (frkhash from
 * 8,500,000). Under ECIP-1099 the sizes follow height / 60,000, but the seed still is hashed once
 * per 30,000 blocks, so a context is named by both numbers and its algorithm.
 */

/** Blocks of an Ethash epoch. */
export const EPOCH_BLOCKS = 30_000;
/** Blocks of an Etchash epoch from ECIP-1099 on. */
export const ECIP1099_EPOCH_BLOCKS = 60_000;
/** The largest size epoch the native library serves (QUARRY_EPOCH_MAX). */
export const EPOCH_MAX = 4095;

/** The proof of work of a network from some height on. */
export interface EpochRule {
  algorithm: "ethash" | "etchash" | "ubqhash" | "frkhash";
  /** First height with epochs of 60,000 blocks; required for etchash, ignored for others. */
  ecip1099Height?: number;
  /** First height with BLAKE2b caches, of a whole epoch; required for ubqhash. */
  uip1Height?: number;
  /** What the network does at a height: as Expanse left Ethash. It may change again. */
  next?: { fromHeight: number; rule: EpochRule };
}

/** Algorithms of the native library; Etchash is Ethash with other epochs. */
export type NativeAlgorithm = "ethash" | "ubqhash" | "frkhash";

/** One epoch of a network. */
export interface Epoch {
  algorithm: NativeAlgorithm;
  /** Sets the sizes of light cache and dataset. */
  epoch: number;
  /** Rounds of keccak-256 behind the seed hash. */
  seedRounds: number;
  /** First height of the epoch. */
  firstHeight: number;
  /** First height of the next epoch; infinite when there is none. */
  nextHeight: number;
}

/** How one algorithm maps heights to epochs: a further one is a further row. */
type EpochsOf = (rule: EpochRule, height: number) => Epoch;

const ALGORITHMS: Record<EpochRule["algorithm"], EpochsOf> = {
  ethash: (_, height) => equalEpochs("ethash", height, EPOCH_BLOCKS),
  etchash: (rule, height) => {
    const fork = forkHeight(rule, "ecip1099Height");
    if (height >= fork) {
      const epoch = equalEpochs("ethash", height, ECIP1099_EPOCH_BLOCKS);
      return { ...epoch, firstHeight: Math.max(epoch.firstHeight, fork) };
    }
    const epoch = equalEpochs("ethash", height, EPOCH_BLOCKS);
    return { ...epoch, nextHeight: Math.min(epoch.nextHeight, fork) };
  },
  ubqhash: (rule, height) => {
    const fork = forkHeight(rule, "uip1Height");
    if (fork % EPOCH_BLOCKS !== 0) {
      throw new RangeError(
        `Cannot use ubqhash: uip1Height must be a multiple of ${EPOCH_BLOCKS}, current is ${fork}`,
      );
    }
    return equalEpochs(height < fork ? "ethash" : "ubqhash", height, EPOCH_BLOCKS);
  },
  frkhash: () => ({
    algorithm: "frkhash",
    epoch: 0,
    seedRounds: 0,
    firstHeight: 0,
    nextHeight: Number.POSITIVE_INFINITY,
  }),
};

/**
 * The epoch of a height.
 *
 * @throws {RangeError} when the height is not a whole number from zero up to the largest epoch, or
 * the rule lacks the height that its algorithm requires.
 */
export function epochOf(rule: EpochRule, height: number): Epoch {
  if (!Number.isSafeInteger(height) || height < 0) {
    throw new RangeError(`Cannot find an epoch: current height is ${height}`);
  }
  const { next } = rule;
  if (next === undefined) return ALGORITHMS[rule.algorithm](rule, height);
  if (height >= next.fromHeight) {
    const epoch = epochOf(next.rule, height);
    return { ...epoch, firstHeight: Math.max(epoch.firstHeight, next.fromHeight) };
  }
  const epoch = ALGORITHMS[rule.algorithm](rule, height);
  return { ...epoch, nextHeight: Math.min(epoch.nextHeight, next.fromHeight) };
}

/** Epochs of one length from height 0 on, seeds per 30,000 blocks. */
function equalEpochs(algorithm: NativeAlgorithm, height: number, blocks: number): Epoch {
  const epoch = Math.floor(height / blocks);
  if (epoch > EPOCH_MAX) {
    throw new RangeError(
      `Cannot serve an epoch above ${EPOCH_MAX}: current height is ${height}`,
    );
  }
  return {
    algorithm,
    epoch,
    seedRounds: epoch * blocks / EPOCH_BLOCKS,
    firstHeight: epoch * blocks,
    nextHeight: (epoch + 1) * blocks,
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
  return one.algorithm === other.algorithm && one.epoch === other.epoch &&
    one.seedRounds === other.seedRounds;
}

function forkHeight(rule: EpochRule, key: "ecip1099Height" | "uip1Height"): number {
  const height = rule[key];
  if (height === undefined || !Number.isSafeInteger(height) || height < 0) {
    const name = key === "uip1Height" ? "UIP-1" : "ECIP-1099";
    throw new RangeError(
      `Cannot use ${rule.algorithm} without its ${name} height: current ${key} is ${height}`,
    );
  }
  return height;
}
