/** One batch of shares, and one candidate, as a single script call each. */
import { type Clock, type Difficulty, unixSeconds } from "../base/mod.ts";
import type { Scheme } from "../config/mod.ts";
import type { Keys } from "./keys.ts";
import { type Reply, type Store, StoreError } from "./redis.ts";
import { checkedScript } from "./checked_script.ts";
import { DROP_FIELDS, SLICES_MAX, windowOf } from "./pplns.ts";
import pplnsLua from "./scripts/pplns.lua" with { type: "text" };
import recordCandidateLua from "./scripts/record_candidate.lua" with { type: "text" };
import recordSharesLua from "./scripts/record_shares.lua" with { type: "text" };

/** A share that was verified and is to be credited. All text is canonical lower case. */
export interface ShareRecord {
  /** Address that is credited, 0x and 40 lower-case hex digits. */
  login: string;
  /** Worker name, without ":". */
  worker: string;
  /** Height of the job (block number that the header would get). */
  height: number;
  /** 0x and 16 digits. */
  nonce: string;
  headerHash: string;
  /** The verified mix digest. */
  mix: string;
  /** Difficulty that the share is credited with (hashes, below 10^15). */
  difficulty: Difficulty;
  /**
   * How it takes part in rewards. @default {"prop"} as in journals of before there were others
   */
  scheme?: Scheme;
  /** Difficulty of the job's block (hashes), in which the PPLNS window is measured. */
  blockDifficulty?: Difficulty;
}

/** A share that also met the block's target; its scheme says whose round the block pays. */
export interface CandidateRecord extends ShareRecord {
  /** Difficulty of the block (hashes), from the job's target. */
  blockDifficulty: Difficulty;
}

/** What became of a share in the ledger. */
export type ShareFate = "credited" | "duplicate" | "stale";
/** What became of a candidate in the ledger. */
export type CandidateFate = "recorded" | "duplicate" | "roundExists";

/** Seconds for which the reply to a batch is kept for the same batch coming again. */
export const BATCH_REPLY_SECONDS = 600;
/** Length (seconds) of one hashrate bucket. */
export const BUCKET_SECONDS = 120;
/** A job is accepted while its height is above the highest height seen less this. */
export const HEIGHTS_ACCEPTED = 7;
/** Rows that one batch removes from the duplicate set at most. */
const TRIM_ROWS = 2_000;

const RECORD_SHARES = checkedScript("record_shares", `${pplnsLua}\n${recordSharesLua}`);
const RECORD_CANDIDATE = checkedScript("record_candidate", `${pplnsLua}\n${recordCandidateLua}`);

/** What the record functions need. */
export interface RecordDeps {
  store: Store;
  keys: Keys;
  clock: Clock;
  /** Life (seconds) of a hashrate bucket: the configured `hashrateExpiration`. */
  hashrateExpirationSeconds: number;
  /** The PPLNS window in thousandths of the network's difficulty; pplns shares need it. */
  pplnsWindowMilli?: bigint;
}

/**
 * Records a batch under an id; the same id again gives the same fates and writes nothing.
 *
 * @throws {StoreError} with `fate` "unknown" when it may have run: call again with the same id.
 */
export async function recordShares(
  deps: RecordDeps,
  batchId: string,
  shares: readonly ShareRecord[],
): Promise<ShareFate[]> {
  const { keys } = deps;
  const nowSeconds = unixSeconds(deps.clock);
  const scriptKeys = [
    ...[keys.pow(), keys.roundCurrent(), keys.stats(), keys.own.batch(batchId), keys.own.chain()],
    ...[keys.own.bucket(bucketStart(nowSeconds)), keys.own.solo()],
    ...[keys.own.pplns(), keys.own.pplnsSums()],
  ];
  const minerIndex = new Map<string, number>();
  const perShare: string[] = [];
  let shared = 0n, pplns = 0n;
  let newest: ShareRecord | undefined;
  for (const share of shares) {
    const { login, height, difficulty, scheme = "prop" } = share;
    let index = minerIndex.get(login);
    if (index === undefined) {
      index = scriptKeys.push(keys.miner(login));
      minerIndex.set(login, index);
    }
    if (scheme !== "solo") shared += difficulty;
    if (scheme === "pplns") pplns += difficulty;
    if (scheme === "pplns" && height >= (newest?.height ?? height)) newest = share;
    perShare.push(
      ...[String(index), String(height), powMember(share), login],
      ...[`${login}:${share.worker}`, difficulty.toString(), scheme],
    );
  }
  const args = [
    ...[String(BATCH_REPLY_SECONDS), String(TRIM_ROWS), bucketLife(deps), String(nowSeconds)],
    ...[String(HEIGHTS_ACCEPTED), String(shared), String(pplns)],
    // As many fields more as the batch may add, so that dropping never falls behind.
    ...[...windowArgs(deps, newest), String(DROP_FIELDS + shares.length), ...perShare],
  ];
  const reply = await deps.store.script(RECORD_SHARES, scriptKeys, args);
  return fatesOf(reply, shares.length);
}

/**
 * Records a candidate under an id: credit, closed round and candidate row in one script.
 *
 * @throws {StoreError} as {@linkcode recordShares}.
 */
export async function recordCandidate(
  deps: RecordDeps,
  batchId: string,
  candidate: CandidateRecord,
  foundAtSeconds: number,
): Promise<CandidateFate> {
  const { keys } = deps;
  const { login, height, nonce, scheme = "prop" } = candidate;
  const reply = await deps.store.script(RECORD_CANDIDATE, [
    ...[keys.pow(), keys.roundCurrent(), keys.stats(), keys.own.batch(batchId), keys.own.chain()],
    ...[keys.own.bucket(bucketStart(foundAtSeconds)), keys.miner(login), keys.round(height, nonce)],
    ...[keys.candidates(), keys.finders(), keys.own.scratch(), keys.own.submissions()],
    ...[keys.own.solo(), keys.own.pplns(), keys.own.pplnsSums(), keys.own.roundSchemes()],
    ...[keys.own.finds(), keys.own.findsOf(login)],
  ], [
    ...[String(BATCH_REPLY_SECONDS), bucketLife(deps), String(foundAtSeconds), String(height)],
    ...[powMember(candidate), login, `${login}:${candidate.worker}`],
    ...[candidate.difficulty.toString(), candidate.blockDifficulty.toString()],
    ...[submissionField(height, nonce), scheme],
    ...windowArgs(deps, scheme === "pplns" ? candidate : undefined),
    String(DROP_FIELDS),
  ]);
  if (reply === "1") return "recorded";
  if (reply === "2") return "duplicate";
  if (reply === "4") return "roundExists";
  throw new StoreError(`Cannot read the candidate's fate: current reply is ${reply}`, "unknown");
}

/** The field of a block in the submissions hash. */
export function submissionField(height: number, nonce: string): string {
  return `${height}:${nonce}`;
}

/** Start (unix seconds) of the hashrate bucket that a time falls into. */
export function bucketStart(seconds: number): number {
  return seconds - seconds % BUCKET_SECONDS;
}

/** What the scripts must know of the window: its slices' prefix, its width, its slices' bounds. */
function windowArgs(deps: RecordDeps, share: ShareRecord | undefined): string[] {
  const { width, slice } = windowOf(share, deps.pplnsWindowMilli);
  return [deps.keys.own.pplnsSlicePrefix(), String(width), String(slice), String(SLICES_MAX)];
}

function bucketLife(deps: RecordDeps): string {
  return String(deps.hashrateExpirationSeconds + 2 * BUCKET_SECONDS);
}

function powMember(share: ShareRecord): string {
  return `${share.nonce}:${share.headerHash}:${share.mix}`;
}

const FATES: Record<string, ShareFate> = { "1": "credited", "2": "duplicate", "3": "stale" };

function fatesOf(reply: Reply, count: number): ShareFate[] {
  if (typeof reply !== "string" || reply.length !== count || !/^[123]*$/.test(reply)) {
    throw new StoreError(`Cannot read the fates of ${count} shares`, "unknown");
  }
  return [...reply].map((code) => FATES[code]!);
}
