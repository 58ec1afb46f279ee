/** A share as it is asked about, from flags, a raw stratum line, or a line of the rejected-share log. */
import { isHash, TWO_256 } from "../../modules/base/mod.ts";
import { type Epoch, EPOCH_MAX, epochOf, type EpochRule } from "../../modules/ethash/mod.ts";

/** Wrong usage: the message names the field and the mend. */
export class UsageError extends Error {}

/** Everything that is known of a share. */
export interface Share {
  rule: EpochRule;
  /** Block number that the share was mined for. */
  height: number;
  epoch: Epoch;
  /** Header hash, 0x and 64 lower-case digits. */
  header: string;
  /** The whole 64-bit nonce. */
  nonce: bigint;
  /** The mix digest that the miner claimed. */
  mix?: string;
  /** Share difficulty to reach (hashes). */
  difficulty?: bigint;
  /** Block difficulty (hashes). */
  blockDifficulty?: bigint;
  /** The session's extranonce: hex digits without 0x. */
  extranonce?: string;
  /** What the pool called it, when it comes from its log. */
  rejection?: string;
}

/** The fields of a share as text, however they were given. */
export type ShareFields = Partial<
  Record<
    | "algorithm"
    | "header"
    | "nonce"
    | "mix"
    | "height"
    | "epoch"
    | "difficulty"
    | "blockDifficulty"
    | "extranonce"
    | "ecip1099-height"
    | "rejection",
    string
  >
>;

/** First height with epochs of 60,000 blocks on Ethereum Classic (ECIP-1099). */
const ECIP1099_CLASSIC = "11700000";
const EPOCH_BLOCKS = 30_000;
/** Hashes of difficulty 1 in NiceHash's unit (EthereumStratum/1.0.0): 2^48 / 65535. */
export const NICEHASH_UNIT = (1n << 48n) / 65_535n;

/**
 * Reads the fields; an extranonce completes a nonce that is given without it.
 *
 * @throws {UsageError}
 */
export function readShare(fields: ShareFields): Share {
  const algorithm = need(fields.algorithm, "algorithm", "ethash or etchash");
  if (algorithm !== "ethash" && algorithm !== "etchash") {
    throw wrong("algorithm", "ethash or etchash", algorithm);
  }
  if (fields["ecip1099-height"] !== undefined && algorithm === "ethash") {
    throw new UsageError("Cannot use --ecip1099-height with --algorithm ethash: leave it out");
  }
  const fork = readHeight(fields["ecip1099-height"] ?? ECIP1099_CLASSIC, "ecip1099-height");
  const rule: EpochRule = { algorithm, ecip1099Height: fork };
  const height = fields.height === undefined && fields.epoch !== undefined
    ? heightOfEpoch(rule, fields.epoch)
    : readHeight(need(fields.height, "height", "a block number"), "height");
  const header = hash(need(fields.header, "header", "0x and 64 hex digits"), "header");
  const extranonce = readExtranonce(fields.extranonce);
  return {
    ...{ rule, height, epoch: readEpoch(rule, height), header },
    nonce: readNonce(need(fields.nonce, "nonce", "0x and up to 16 hex digits"), extranonce),
    ...(fields.mix === undefined ? {} : { mix: hash(fields.mix, "mix") }),
    ...optional("difficulty", readDifficulty(fields.difficulty, "difficulty")),
    ...optional("blockDifficulty", readDifficulty(fields.blockDifficulty, "block-difficulty")),
    ...(extranonce === undefined ? {} : { extranonce }),
    ...(fields.rejection === undefined ? {} : { rejection: fields.rejection }),
  };
}

/**
 * The fields that a raw stratum line and its job tell: eth_submitWork, the five-member
 * mining.submit, or EthereumStratum/1.0.0's three-member one (with the job's extranonce).
 *
 * The job is an object of fields, or the line that the pool sent: `{"id":0,"result":[header, seed,
 * target]}`, whose target gives the difficulty.
 *
 * @throws {UsageError}
 */
export function fieldsOfLine(line: string, job: string | undefined): ShareFields {
  const { params } = parseObject(line, "line");
  if (!Array.isArray(params) || !params.every((part) => typeof part === "string")) {
    throw new UsageError("Cannot use --line: expected params of text");
  }
  const known = job === undefined ? {} : fieldsOfJob(parseObject(job, "job"));
  const texts = params as string[];
  if (texts.length === 3 && texts[0]!.startsWith("0x") && texts[1]!.startsWith("0x")) {
    const [nonce, header, mix] = texts as [string, string, string];
    return { ...known, nonce, header, mix };
  }
  if (texts.length === 5) {
    const [, , nonce, header, mix] = texts as [string, string, string, string, string];
    return { ...known, nonce, header, mix };
  }
  if (texts.length === 3) return { ...known, nonce: texts[2]! };
  throw new UsageError(
    `Cannot use --line: expected 3 or 5 params, current number is ${texts.length}`,
  );
}

function fieldsOfJob(job: Record<string, unknown>): ShareFields {
  const list = Array.isArray(job["result"]) ? job["result"] : undefined;
  const fields: ShareFields = {};
  if (list !== undefined) {
    fields.header = String(list[0]);
    if (/^0x[0-9a-f]{1,64}$/i.test(String(list[2]))) fields.difficulty = ofTarget(String(list[2]));
    if (typeof list[3] === "string") fields.height = BigInt(list[3]).toString();
  }
  const texts = Object.entries(job).filter(([key]) => key !== "result" && key !== "target");
  for (const [key, value] of texts) {
    if (["string", "number"].includes(typeof value)) {
      fields[key as keyof ShareFields] = String(value);
    }
  }
  if (typeof job["target"] === "string") fields.difficulty = ofTarget(job["target"]);
  if (fields.header !== undefined && !fields.header.startsWith("0x")) {
    fields.header = "0x" + fields.header;
  }
  return fields;
}

function ofTarget(target: string): string {
  const value = BigInt(target);
  return (TWO_256 / (value === 0n ? 1n : value)).toString();
}

/** A JSON object of the command line. @throws {UsageError} */
export function parseObject(text: string, flag: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`Cannot use --${flag}: expected JSON, ${(error as Error).message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new UsageError(`Cannot use --${flag}: expected a JSON object`);
  }
  return value as Record<string, unknown>;
}

/** The fields of a JSON object, numbers as text. */
export function fieldsOfObject(value: Record<string, unknown>): ShareFields {
  const texts = Object.entries(value).filter(([, part]) =>
    ["string", "number"].includes(typeof part)
  );
  const fields = Object.fromEntries(texts.map(([key, part]) => [key, String(part)])) as
    & ShareFields
    & { headerHash?: string };
  return fields.headerHash === undefined ? fields : { ...fields, header: fields.headerHash };
}

function readExtranonce(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const digits = text.toLowerCase().replace(/^0x/, "");
  if (!/^([0-9a-f]{2}){1,3}$/.test(digits)) throw wrong("extranonce", "2, 4 or 6 hex digits", text);
  return digits;
}

function readNonce(text: string, extranonce: string | undefined): bigint {
  const digits = text.toLowerCase().replace(/^0x/, "");
  if (!/^[0-9a-f]{1,16}$/.test(digits)) throw wrong("nonce", "0x and up to 16 hex digits", text);
  const whole = extranonce !== undefined && digits.length === 16 - extranonce.length;
  return BigInt("0x" + (whole ? extranonce + digits : digits));
}

function hash(text: string, flag: string): string {
  if (!isHash(text)) throw wrong(flag, "0x and 64 hex digits", text);
  return text.toLowerCase();
}

function heightOfEpoch(rule: EpochRule, text: string): number {
  const epoch = Number(text);
  if (!/^\d{1,4}$/.test(text) || epoch > EPOCH_MAX) {
    throw wrong("epoch", `a whole number of at most ${EPOCH_MAX}`, text);
  }
  // Under ECIP-1099 an epoch number means the later of the two stretches that carry it.
  for (const height of [epoch * 2 * EPOCH_BLOCKS, epoch * EPOCH_BLOCKS]) {
    if (epochOf(rule, height).epoch === epoch) return height;
  }
  throw wrong("epoch", "an epoch of this algorithm", text);
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

function readDifficulty(text: string | undefined, flag: string): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^(\d{1,78}|0x[0-9a-f]{1,64})$/i.test(text) || BigInt(text) < 1n) {
    throw wrong(flag, "a whole number of at least 1", text);
  }
  return BigInt(text);
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: V };
}

function need(value: string | undefined, flag: string, expected: string): string {
  if (value === undefined) throw new UsageError(`Cannot go on without --${flag}: give ${expected}`);
  return value;
}

function wrong(flag: string, expected: string, value: string): UsageError {
  return new UsageError(`Cannot use --${flag}: expected ${expected}, current value is "${value}"`);
}
