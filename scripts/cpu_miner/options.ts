/** Options of the CPU miner and how the command line gives them. */
import { parseArgs } from "node:util";
import { type Clock, isAddress, type Logger } from "../../modules/base/mod.ts";
import { DIALECT_NAMES, type DialectName } from "./dialects.ts";
import type { EpochRule } from "../../modules/ethash/mod.ts";

/** Everything a miner runs with. */
export interface MinerOptions {
  /** stratum+tcp://host:port, or http://host:port/ADDRESS/WORKER. */
  url: string;
  /** Address that is paid; part of the URL for getwork. */
  login?: string;
  /** @default {"cpu"} */
  worker?: string;
  /** @default {"eth-proxy"} */
  dialect?: DialectName;
  /** @default {"x"} */
  password?: string;
  /** Searches at a time. @default {1} */
  threads?: number;
  rule: EpochRule;
  /** Dataset file for the epoch it belongs to; other epochs are mined light. */
  dataset?: string;
  /** File that gets one JSON line per answered or lost submission. */
  logFile?: string;
  /** Hashes per second at most, over all threads. @default unlimited */
  hashrateHpsMax?: number;
  /** Seed of the start nonce, for repeatable runs. @default random */
  seed?: number;
  /** Time between polls for work over HTTP (milliseconds). @default {500} */
  pollMs?: number;
  /** The native library. @default what `deno task native` builds */
  libraryPath?: string;
  log: Logger;
  clock: Clock;
  /** Called after each answered or lost submission. */
  onReply?: (entry: ReplyEntry) => void;
}

/** One line of the log file. */
export interface ReplyEntry {
  /** Milliseconds since 1970. */
  ts: number;
  nonce: string;
  header: string;
  mix: string;
  /** null: no answer came, the pool may or may not have counted it. */
  accepted: boolean | null;
  error: string | null;
}

/** Usage of the command. */
export const USAGE = `Usage: deno run -A scripts/cpu_miner.ts --url URL [flags]

  --url URL            stratum+tcp://127.0.0.1:8008 or
                       http://127.0.0.1:8888/0xADDRESS/worker (getwork)
  --login 0x..         address that is paid (stratum)
  --dialect NAME       eth-proxy (default), miner-proxy, stratum1 or stratum2
  --password TEXT      for example d=4M for a difficulty (default x)
  --worker NAME        name of this rig (default cpu)
  --threads N          searches at a time (default 1)
  --algorithm NAME     ethash (default) or etchash
  --ecip1099-height H  first height with epochs of 60,000 blocks (etchash; default 11700000)
  --dataset FILE       dataset file full-R23-..., a hundred times faster than light mining
  --log FILE           append one JSON line per answered submission
  --max-hashrate N     hashes per second at most
  --seed N             seed of the start nonce
  --poll MS            time between polls (getwork; default 500)`;

/** Wrong usage: the message names the flag and the mend. */
export class UsageError extends Error {}

/** What the command line decides. */
export type MinerFlags = Omit<MinerOptions, "log" | "clock" | "onReply">;

/** Reads the command line. @throws {UsageError} */
export function readFlags(args: string[]): MinerFlags {
  const values = parse(args);
  const url = values.url ?? fail("Cannot go on without --url: give stratum+tcp:// or http://");
  if (!/^(stratum\+tcp|http):\/\/[^/]+/.test(url)) {
    fail(`Cannot use --url: expected stratum+tcp://HOST:PORT or http://..., got "${url}"`);
  }
  if (url.startsWith("stratum") && !isAddress(values.login)) {
    fail(`Cannot use --login: expected 0x and 40 hex digits, got "${values.login ?? ""}"`);
  }
  const algorithm = values.algorithm ?? "ethash";
  if (algorithm !== "ethash" && algorithm !== "etchash") {
    fail(`Cannot use --algorithm: expected ethash or etchash, got "${algorithm}"`);
  }
  const ecip1099Height = readNumber(values["ecip1099-height"], "ecip1099-height") ?? 11_700_000;
  return {
    url,
    login: values.login,
    worker: values.worker,
    dialect: readDialect(values.dialect),
    password: values.password,
    threads: readNumber(values.threads, "threads", 1),
    rule: { algorithm: algorithm as EpochRule["algorithm"], ecip1099Height },
    dataset: values.dataset,
    logFile: values.log,
    hashrateHpsMax: readNumber(values["max-hashrate"], "max-hashrate", 1),
    seed: readNumber(values.seed, "seed"),
    pollMs: readNumber(values.poll, "poll", 1),
  };
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        url: text,
        login: text,
        worker: text,
        dialect: text,
        password: text,
        threads: text,
        algorithm: text,
        "ecip1099-height": text,
        dataset: text,
        log: text,
        "max-hashrate": text,
        seed: text,
        poll: text,
      },
    }).values;
  } catch (error) {
    return fail(`Cannot read the flags: ${(error as Error).message}`);
  }
}

function readDialect(text: string | undefined): DialectName | undefined {
  const known = DIALECT_NAMES.find((name) => name === text);
  if (text !== undefined && known === undefined) {
    fail(`Cannot use --dialect: expected one of ${DIALECT_NAMES.join(", ")}, got "${text}"`);
  }
  return known;
}

function readNumber(text: string | undefined, flag: string, least = 0): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value < least) {
    fail(`Cannot use --${flag}: expected a whole number of at least ${least}, got "${text}"`);
  }
  return value;
}

function fail(message: string): never {
  throw new UsageError(message);
}
