/** What the mining side notes beside shares: node state, node answers, black and white lists. */
import { type Clock, type Difficulty, unixSeconds } from "../base/mod.ts";
import type { Keys } from "./keys.ts";
import { listOf, type Store } from "./redis.ts";
import noteSubmissionLua from "./scripts/note_submission.lua" with { type: "text" };
import reportHashrateLua from "./scripts/report_hashrate.lua" with { type: "text" };
import { submissionField } from "./share_record.ts";

/** Workers whose reported hashrate is kept at most. */
const REPORTED_WORKERS_MAX = 50_000;
const REPORTED_SECONDS = 3_600;
const REPORT_HASHRATE = { name: "report_hashrate", source: reportHashrateLua };
const NOTE_SUBMISSION = { name: "note_submission", source: noteSubmissionLua };

/** What these notes need. */
export interface NoteDeps {
  store: Store;
  keys: Keys;
}

/** Writes this instance's row in `P:nodes`, as open-ethereum-pool shows it among the nodes. */
export async function writeNodeState(
  deps: NoteDeps & { clock: Clock },
  state: { name: string; height: number; difficulty: Difficulty },
): Promise<void> {
  const { name } = state;
  await deps.store.command(
    ...["HSET", deps.keys.nodes(), `${name}:name`, name, `${name}:height`, String(state.height)],
    ...[`${name}:difficulty`, state.difficulty.toString()],
    ...[`${name}:lastBeat`, String(unixSeconds(deps.clock))],
  );
}

/** The highest job height that any recorded share carried, over all instances; 0 before the first. */
export async function readHighestHeight(deps: NoteDeps): Promise<number> {
  const text = await deps.store.command("HGET", deps.keys.own.chain(), "height");
  const height = Number(text ?? 0);
  if (!Number.isSafeInteger(height) || height < 0) {
    throw new TypeError(`Cannot read ${deps.keys.own.chain()}: height is ${text}`);
  }
  return height;
}

/**
 * Writes down what a node answered to eth_submitWork for a recorded candidate: the answer is kept,
 * not believed. Gives false when the candidate is not recorded (yet).
 */
export async function noteSubmission(
  deps: NoteDeps,
  candidate: { height: number; nonce: string },
  node: string,
  answer: string,
): Promise<boolean> {
  const field = submissionField(candidate.height, candidate.nonce);
  const key = deps.keys.own.submissions();
  return await deps.store.script(NOTE_SUBMISSION, [key], [field, node, answer]) === 1;
}

/** The black list of logins and the white list of IP addresses, lower case. */
export async function readLists(
  deps: NoteDeps,
): Promise<{ blacklist: Set<string>; whitelist: Set<string> }> {
  const { store, keys } = deps;
  const lower = (list: string[]) => new Set(list.map((entry) => entry.toLowerCase()));
  return {
    blacklist: lower(listOf(await store.command("SMEMBERS", keys.blacklist()))),
    whitelist: lower(listOf(await store.command("SMEMBERS", keys.whitelist()))),
  };
}

/**
 * Keeps what a worker says of its own hashrate (hashes a second): display only. The key lives for an
 * hour and holds `workersMax` workers, as nobody has to prove anything for a field in it.
 */
export async function writeReportedHashrate(
  deps: NoteDeps & { clock: Clock; workersMax?: number },
  worker: { login: string; worker: string; hashrateHps: bigint },
): Promise<void> {
  await deps.store.script(REPORT_HASHRATE, [deps.keys.own.reported()], [
    `${worker.login}:${worker.worker}`,
    `${worker.hashrateHps}:${unixSeconds(deps.clock)}`,
    ...[deps.workersMax ?? REPORTED_WORKERS_MAX, REPORTED_SECONDS].map(String),
  ]);
}
