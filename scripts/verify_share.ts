/** Says in one sentence whether a share is valid, with every number: `deno task verify-share`. */
import { parseArgs } from "node:util";
import {
  bytesToHex,
  difficultyOf,
  hexToBytes,
  isHash,
  silentLogger,
  targetOf,
  toHash,
} from "../modules/base/mod.ts";
import { type Epoch, epochOf, type EpochRule, openVerifier } from "../modules/ethash/mod.ts";

const USAGE = `Usage: deno task verify-share --header 0x.. --nonce 0x.. --height N
         --algorithm ethash|etchash [--mix 0x..] [--difficulty D] [--ecip1099-height H] [--json]

  --header           header hash without seal, 0x and 64 hex digits
  --nonce            nonce, 0x and up to 16 hex digits
  --height           block number the share was mined for
  --algorithm        ethash or etchash
  --mix              mix digest the miner claimed, 0x and 64 hex digits
  --difficulty       share or block difficulty to reach, decimal or 0x
  --ecip1099-height  first height with epochs of 60,000 blocks (etchash; default 11700000)
  --json             print one JSON object`;

/** First height with epochs of 60,000 blocks on Ethereum Classic (ECIP-1099). */
const ECIP1099_CLASSIC = "11700000";

/** Wrong usage: the message names the flag and the mend. */
class UsageError extends Error {}

interface Share {
  rule: EpochRule;
  epoch: Epoch;
  height: number;
  header: Uint8Array;
  nonce: bigint;
  mix?: string;
  difficulty?: bigint;
  json: boolean;
}

/** What was computed and concluded. */
interface Verdict {
  valid: boolean;
  reason: string;
  algorithm: string;
  height: number;
  epoch: number;
  seed: string;
  cacheBytes: number;
  datasetBytes: number;
  mix: string;
  result: string;
  /** Difficulty that the result reaches. */
  difficulty: string;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs the command; returns 0 for a valid share, 1 for an invalid one, 2 for wrong usage. */
export async function main(args: string[]): Promise<0 | 1 | 2> {
  if (args.includes("--help")) {
    write(Deno.stdout, USAGE);
    return 0;
  }
  let share: Share;
  try {
    share = readShare(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    write(Deno.stderr, `${error.message}\n\n${USAGE}`);
    return 2;
  }
  const verdict = await verify(share);
  write(Deno.stdout, share.json ? JSON.stringify(verdict) : describe(share, verdict));
  return verdict.valid ? 0 : 1;
}

async function verify(share: Share): Promise<Verdict> {
  const verifier = openVerifier({ rule: share.rule, log: silentLogger });
  try {
    await verifier.prepare(share.height);
    const { mix, result } = await verifier.hash(share.height, share.header, share.nonce);
    const { cacheItems, datasetItems } = await verifier.info(share.height);
    const mixText = bytesToHex(mix);
    return {
      ...judge(share, mixText, result),
      algorithm: share.rule.algorithm,
      height: share.height,
      epoch: share.epoch.epoch,
      seed: bytesToHex(verifier.seedHash(share.height)),
      cacheBytes: cacheItems * 64,
      datasetBytes: datasetItems * 128,
      mix: mixText,
      result: toHash(result),
      difficulty: reached(result).toString(),
    };
  } finally {
    await verifier.close();
  }
}

/** The sentence; checks in the pool's order. */
function judge(share: Share, mix: string, result: bigint): { valid: boolean; reason: string } {
  if (share.mix !== undefined && share.mix.toLowerCase() !== mix) {
    return {
      valid: false,
      reason:
        `The share is invalid: header and nonce give the mix digest ${mix}, not the claimed ` +
        `${share.mix.toLowerCase()} (another header, nonce or epoch was mined)`,
    };
  }
  if (share.difficulty === undefined) {
    const claim = share.mix === undefined ? "no mix digest was claimed" : "the mix digest is right";
    return {
      valid: true,
      reason: `The share hashes to difficulty ${reached(result)}; ${claim} and no difficulty asked`,
    };
  }
  const valid = result <= targetOf(share.difficulty);
  return {
    valid,
    reason: valid
      ? `The share is valid: it reaches difficulty ${
        reached(result)
      } of the asked ${share.difficulty}`
      : `The share is invalid: it reaches only difficulty ${reached(result)} of the asked ` +
        `${share.difficulty}`,
  };
}

function reached(result: bigint): bigint {
  return difficultyOf(result === 0n ? 1n : result);
}

function describe(share: Share, verdict: Verdict): string {
  const { epoch } = share;
  const rows: [string, string | number][] = [
    ["algorithm", verdict.algorithm],
    ["height", `${verdict.height} (epoch from ${epoch.firstHeight} to ${epoch.nextHeight - 1})`],
    ["epoch", `${verdict.epoch}, seed hashed ${epoch.seedRounds} times`],
    ["seed", verdict.seed],
    ["cache", `${verdict.cacheBytes} bytes`],
    ["dataset", `${verdict.datasetBytes} bytes`],
    ["mix", verdict.mix],
    ["result", verdict.result],
    ["difficulty", verdict.difficulty],
  ];
  if (share.difficulty !== undefined) {
    rows.push(["asked", share.difficulty.toString()]);
    rows.push(["target", toHash(targetOf(share.difficulty))]);
  }
  const lines = rows.map(([name, value]) => `${name.padEnd(12)}${value}`);
  return [...lines, "", `${verdict.reason}.`].join("\n");
}

function readShare(args: string[]): Share {
  const values = readFlags(args);
  const algorithm = need(values.algorithm, "algorithm", "ethash or etchash");
  if (algorithm !== "ethash" && algorithm !== "etchash") {
    throw wrong("algorithm", "ethash or etchash", algorithm);
  }
  if (values["ecip1099-height"] !== undefined && algorithm === "ethash") {
    throw new UsageError("Cannot use --ecip1099-height with --algorithm ethash: leave it out");
  }
  const fork = readHeight(values["ecip1099-height"] ?? ECIP1099_CLASSIC, "ecip1099-height");
  const rule: EpochRule = { algorithm, ecip1099Height: fork };
  const height = readHeight(need(values.height, "height", "a block number"), "height");
  const header = need(values.header, "header", "0x and 64 hex digits");
  if (!isHash(header)) throw wrong("header", "0x and 64 hex digits", header);
  const nonce = need(values.nonce, "nonce", "0x and up to 16 hex digits");
  if (!/^0x[0-9a-f]{1,16}$/i.test(nonce)) throw wrong("nonce", "0x and up to 16 hex digits", nonce);
  if (values.mix !== undefined && !isHash(values.mix)) {
    throw wrong("mix", "0x and 64 hex digits", values.mix);
  }
  return {
    rule,
    epoch: readEpoch(rule, height),
    height,
    header: hexToBytes(header),
    nonce: BigInt(nonce),
    mix: values.mix,
    difficulty: readDifficulty(values.difficulty),
    json: values.json ?? false,
  };
}

function readFlags(args: string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        header: text,
        nonce: text,
        mix: text,
        height: text,
        difficulty: text,
        algorithm: text,
        "ecip1099-height": text,
        json: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`Cannot read the flags: ${(error as Error).message}`);
  }
}

function readHeight(text: string, flag: string): number {
  if (!/^\d{1,15}$/.test(text)) throw wrong(flag, "a whole decimal number", text);
  return Number(text);
}

function readEpoch(rule: EpochRule, height: number): Epoch {
  try {
    return epochOf(rule, height);
  } catch (error) {
    throw new UsageError(`Cannot use --height: ${(error as Error).message}`);
  }
}

function readDifficulty(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^(\d{1,78}|0x[0-9a-f]{1,64})$/i.test(text) || BigInt(text) < 1n) {
    throw wrong("difficulty", "a whole number of at least 1", text);
  }
  return BigInt(text);
}

function need(value: string | undefined, flag: string, expected: string): string {
  if (value === undefined) throw new UsageError(`Cannot go on without --${flag}: give ${expected}`);
  return value;
}

function wrong(flag: string, expected: string, value: string): UsageError {
  return new UsageError(`Cannot use --${flag}: expected ${expected}, current value is "${value}"`);
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  to.writeSync(new TextEncoder().encode(`${text}\n`));
}
