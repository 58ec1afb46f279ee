/** The chain and the money rooms' sections, from the file's rows to typed values. */
import { type Findings, refuse, warn } from "./findings.ts";
import { NETWORK_NAMES, type RawConfig } from "./schema.ts";
import type {
  NetworkName,
  PayoutsConfig,
  PrivateNetwork,
  SecretSource,
  SignerConfig,
  UnlockerConfig,
} from "./types.ts";

const PUBLIC_DEPTH_MIN = 32;
const PUBLIC_IMMATURE_DEPTH_MIN = 16;
const TRANSFER_GAS = 21_000n;

/** The chain that the file names or describes; undefined: by the node's chain id. */
export function buildNetwork(
  raw: RawConfig,
  found: Findings,
): NetworkName | PrivateNetwork | undefined {
  if (raw.network === undefined) return undefined;
  if (typeof raw.network === "string") {
    const name = raw.network.toLowerCase();
    const known = NETWORK_NAMES.find((one) => one === name);
    if (known !== undefined) return known;
    const list = NETWORK_NAMES.join(", ");
    refuse(
      found,
      "network",
      `is no known chain, current value is "${raw.network}"`,
      `write one of ${list}, or an object with chainId and rewards for a private chain`,
    );
    return undefined;
  }
  const { depth: _, immatureDepth: __, ...optional } = raw.network;
  const { ecip1099Height, uip1Height, baseFeeFromHeight, baseFeeMinerPermille, ...plain } =
    optional;
  requireFor(found, "ecip1099Height", ecip1099Height, {
    wanted: plain.algorithm === "etchash",
    ...{ by: "etchash", mend: "give the height from which epochs last 60,000 blocks" },
  });
  requireFor(found, "uip1Height", uip1Height, {
    wanted: plain.algorithm === "ubqhash",
    ...{ by: "ubqhash", mend: "give the height from which caches are BLAKE2b" },
  });
  requireFor(found, "baseFeeMinerPermille", baseFeeMinerPermille, {
    wanted: plain.baseFee === "split",
    ...{ by: "split", mend: "give the miner's thousandths of the base fee" },
  });
  if (uip1Height !== undefined && uip1Height % 30_000 !== 0) {
    refuse(
      found,
      "network.uip1Height",
      `is no multiple of 30,000, current value is ${uip1Height}`,
      "give the first height of an epoch",
    );
  }
  const heights = plain.rewards.map((row) => row.fromHeight);
  if (heights[0] !== 0 || heights.some((height, i) => i > 0 && height <= heights[i - 1]!)) {
    refuse(
      found,
      "network.rewards",
      "has heights that do not ascend from 0",
      'begin with "fromHeight": 0 and sort by height',
    );
  }
  return {
    ...plain,
    rewards: plain.rewards.map((row) => ({ fromHeight: row.fromHeight, rewardWei: row.reward })),
    ...(ecip1099Height === undefined ? {} : { ecip1099Height }),
    ...(uip1Height === undefined ? {} : { uip1Height }),
    ...(baseFeeFromHeight === undefined ? {} : { baseFeeFromHeight }),
    ...(baseFeeMinerPermille === undefined ? {} : { baseFeeMinerPermille }),
  };
}

/** A key of a private chain that goes with one value of another key, and with no other value. */
function requireFor(
  found: Findings,
  key: string,
  value: unknown,
  { wanted, by, mend }: { wanted: boolean; by: string; mend: string },
): void {
  if (wanted === (value !== undefined)) return;
  refuse(
    found,
    `network.${key}`,
    wanted ? `is missing for ${by}` : `belongs to ${by} alone`,
    wanted ? mend : "remove it",
  );
}

/** The unlocker's section; depths below the safe ones are for private chains alone. */
export function buildUnlocker(raw: RawConfig, found: Findings): UnlockerConfig {
  const chain = typeof raw.network === "object" ? raw.network : null;
  const { poolFee, interval, timeout, confirmWith, ...plain } = raw.unlocker;
  const depth = plain.depth ?? chain?.depth ?? 120;
  const immatureDepth = plain.immatureDepth ?? chain?.immatureDepth ?? Math.min(20, depth - 1);
  if (chain === null) {
    checkDepth("unlocker.depth", depth, PUBLIC_DEPTH_MIN, found);
    checkDepth("unlocker.immatureDepth", immatureDepth, PUBLIC_IMMATURE_DEPTH_MIN, found);
  }
  if (depth <= immatureDepth) {
    refuse(
      found,
      "unlocker.depth",
      `is ${depth}, not more than unlocker.immatureDepth, which is ${immatureDepth}`,
      "let it be greater",
    );
  }
  return {
    ...plain,
    depth,
    immatureDepth,
    poolFeeMillionths: poolFee,
    intervalMs: interval,
    timeoutMs: timeout,
    ...(confirmWith === undefined ? {} : { confirmWith }),
  };
}

function checkDepth(path: string, depth: number, least: number, found: Findings): void {
  if (depth >= least) return;
  refuse(
    found,
    path,
    `must be at least ${least} except on a private chain, current value is ${depth}`,
    `write ${least} or more`,
  );
}

/** What a transaction that pays many cannot do. */
function checkBatch({ payouts }: RawConfig, signer: SignerConfig | undefined, found: Findings) {
  const refuseWith = (what: string) =>
    refuse(found, "payouts.batch", `cannot be used with ${what}`, "remove one of the two");
  if (payouts.feePaidBy === "miner") refuseWith("payouts.feePaidBy miner");
  if (!payouts.autoGas) refuseWith("payouts.autoGas false");
  if (signer?.kind === "node") refuseWith("payouts.signer.node");
}

/** The payer's section; enabled payouts need an address and exactly one key. */
export function buildPayouts(
  raw: RawConfig,
  unlocker: UnlockerConfig,
  path: (name: string) => string,
  found: Findings,
): PayoutsConfig {
  const { payouts } = raw;
  const signer = buildSigner(raw, path, found);
  if (payouts.enabled && payouts.address === "") {
    refuse(found, "payouts.address", "is missing", "write the address that pays");
  }
  if (payouts.gas < TRANSFER_GAS) {
    const problem = `is below 21000, current value is ${payouts.gas}`;
    refuse(found, "payouts.gas", problem, "a transfer needs 21000 gas at least");
  }
  if (!payouts.autoGas && payouts.gasPrice > payouts.maxFee) {
    const problem = `is above payouts.maxFee, which is ${payouts.maxFee}`;
    refuse(found, "payouts.gasPrice", problem, "lower it or raise payouts.maxFee");
  }
  checkLimits(raw, found);
  if (payouts.batch !== undefined) checkBatch(raw, signer, found);
  return {
    enabled: payouts.enabled,
    requirePeers: payouts.requirePeers,
    intervalMs: payouts.interval,
    daemon: payouts.daemon,
    timeoutMs: payouts.timeout,
    address: payouts.address,
    ...(signer === undefined ? {} : { signer }),
    autoGas: payouts.autoGas,
    gas: payouts.gas,
    gasPriceWei: payouts.gasPrice,
    maxFeeWei: payouts.maxFee,
    thresholdShannon: payouts.threshold,
    reserveShannon: payouts.reserve,
    confirmations: payouts.confirmations ?? unlocker.depth,
    gasLimit: payouts.gasLimit,
    feePaidBy: payouts.feePaidBy,
    ...(payouts.dailyCap === undefined ? {} : { dailyCapShannon: payouts.dailyCap }),
    minThresholdShannon: payouts.minThreshold ?? payouts.threshold,
    ...(payouts.batch === undefined ? {} : { batch: payouts.batch }),
    inFlight: payouts.inFlight,
    ...(payouts.bumpAfter === undefined ? {} : { bumpAfterMs: payouts.bumpAfter }),
    bgsave: payouts.bgsave,
  };
}

function checkLimits({ payouts }: RawConfig, found: Findings): void {
  const { gas, gasLimit, dailyCap, threshold, minThreshold, autoGas } = payouts;
  if (gasLimit < TRANSFER_GAS || (!autoGas && gas > gasLimit)) {
    const problem = `is below ${autoGas ? "21000" : "payouts.gas"}, current value is ${gasLimit}`;
    refuse(found, "payouts.gasLimit", problem, "raise it");
  }
  if (minThreshold !== undefined && minThreshold > threshold) {
    const problem = `is above payouts.threshold, which is ${threshold}`;
    refuse(found, "payouts.minThreshold", problem, "lower it, or leave it out");
  }
  if (dailyCap !== undefined && dailyCap < threshold) {
    const problem = `is below payouts.threshold, which is ${threshold}: nobody could be paid`;
    refuse(found, "payouts.dailyCap", problem, "raise it, or leave it out");
  }
}

const SIGNER_MEND = 'write {"keystore": {"file", "passphraseFile"}}, {"keyFile"}, ' +
  '{"keyCredential"}, {"privateKeyEnv"}, {"remote": URL} or {"node": true}';

function buildSigner(
  raw: RawConfig,
  path: (name: string) => string,
  found: Findings,
): SignerConfig | undefined {
  const { signer, enabled } = raw.payouts;
  const given = Object.values(signer ?? {}).filter((value) => value !== undefined);
  if (given.length === 0) {
    if (enabled) refuse(found, "payouts.signer", "is missing: name what signs", SIGNER_MEND);
    return undefined;
  }
  if (given.length > 1) {
    refuse(found, "payouts.signer", "has more than one kind of key", SIGNER_MEND);
    return undefined;
  }
  const { keystore, keyFile, keyCredential, remote, node, privateKeyEnv } = signer!;
  if (keystore !== undefined) return buildKeystore(keystore, path, found);
  if (node !== undefined) {
    const message = "whoever reaches the node's RPC can spend from it; a remote signer is safer";
    if (enabled) warn(found, "payouts.signer.node", message);
    return { kind: "node" };
  }
  if (remote !== undefined) return { kind: "remote", url: remote };
  if (keyFile !== undefined) return { kind: "key", key: { file: path(keyFile) } };
  if (keyCredential !== undefined) return { kind: "key", key: { credential: keyCredential } };
  return { kind: "key", key: { variable: privateKeyEnv! } };
}

function buildKeystore(
  keystore: NonNullable<NonNullable<RawConfig["payouts"]["signer"]>["keystore"]>,
  path: (name: string) => string,
  found: Findings,
): SignerConfig | undefined {
  const { file, passphraseFile, passphraseEnv, passphraseCredential } = keystore;
  const sources: SecretSource[] = [];
  if (passphraseFile !== undefined) sources.push({ file: path(passphraseFile) });
  if (passphraseEnv !== undefined) sources.push({ variable: passphraseEnv });
  if (passphraseCredential !== undefined) sources.push({ credential: passphraseCredential });
  if (sources.length === 1) return { kind: "keystore", file: path(file), passphrase: sources[0]! };
  refuse(
    found,
    "payouts.signer.keystore",
    sources.length === 0 ? "has no passphrase" : "has more than one passphrase",
    "give one of passphraseFile, passphraseEnv and passphraseCredential",
  );
  return undefined;
}
