/** Login and password texts to the address that is credited, the worker's name and wishes. */
import { isAddress } from "../base/mod.ts";

/** Who mines. */
export interface Login {
  /** 0x and 40 lower-case hex digits. */
  login: string;
  /** Undefined when the text names none. */
  worker?: string;
  /** Whether the text asks for solo mining. */
  solo: boolean;
}

/** What a password asks for; everything else in it is ignored. */
export interface Wishes {
  /** Fixed difficulty (hashes). */
  difficulty?: bigint;
  worker?: string;
  solo: boolean;
}

/** Worker of a miner that names none, as in open-ethereum-pool. */
export const DEFAULT_WORKER = "0";

const WORKER = /^[0-9a-zA-Z_.@-]{1,32}$/;
const LOGIN_MAX = 256;
const ZERO_ADDRESS = /^0x0{40}$/;
const SUFFIXES: Record<string, bigint> = {
  "": 1n,
  k: 1_000n,
  m: 1_000_000n,
  g: 1_000_000_000n,
  t: 1_000_000_000_000n,
};
/** Below this a bare number is in units of 2^32 hashes, as other pools and NiceHash count. */
const BARE_HASHES_MIN = 1_000_000n;

/** A usable worker name (1 to 32 letters, digits, `_ . @ -`), or undefined. */
export function readWorker(text: unknown): string | undefined {
  return typeof text === "string" && WORKER.test(text) ? text : undefined;
}

/**
 * Reads `ADDRESS`, `ADDRESS.rig`, `ADDRESS/rig`, `ADDRESS+rig`, any of these with `/e-mail` behind
 * or `solo:` in front; percent-encoded text and addresses without 0x are read too.
 *
 * @returns undefined when the address is no payable one
 */
export function readLogin(text: unknown): Login | undefined {
  if (typeof text !== "string" || text.length > LOGIN_MAX) return undefined;
  const plain = decoded(text).trim();
  const solo = /^solo:/i.test(plain);
  const [, named = "", rest = ""] = /^([0-9a-zA-Z]*)(?:[./+](.*))?$/s.exec(
    solo ? plain.slice(5).trim() : plain,
  ) ?? [];
  const address = (/^0x/i.test(named) ? "0x" + named.slice(2) : "0x" + named).toLowerCase();
  if (!isAddress(address) || ZERO_ADDRESS.test(address)) return undefined;
  // What follows a further slash is an e-mail address, which nobody needs.
  const worker = readWorker(rest.split("/")[0]!.trim());
  return { login: address, solo, ...(worker === undefined ? {} : { worker }) };
}

/** Why a text is no login, in words for the miner. */
export function loginProblem(text: unknown): string {
  const isZero = typeof text === "string" &&
    /^(solo:\s*)?(0x)?0{40}([./+]|$)/i.test(decoded(text).trim());
  return isZero
    ? "Invalid login: it is the zero address, which nobody can spend from; write your own"
    : "Invalid login: expected 0x and 40 hex digits, or that with .worker";
}

/** Reads a password: `d=NUMBER`, `n=rig`, `m=solo`, separated by commas, semicolons or blanks. */
export function readPassword(text: unknown): Wishes {
  const wishes: Wishes = { solo: false };
  if (typeof text !== "string" || text.length > LOGIN_MAX) return wishes;
  for (const part of text.split(/[,;&\s]+/)) {
    const [, key, value] = /^([a-z]+)=(.+)$/i.exec(part) ?? [];
    if (key === undefined || value === undefined) continue;
    switch (key.toLowerCase()) {
      case "d":
      case "diff": {
        const difficulty = readDifficulty(value);
        if (difficulty !== undefined) wishes.difficulty = difficulty;
        break;
      }
      case "n": {
        const worker = readWorker(value);
        if (worker !== undefined) wishes.worker = worker;
        break;
      }
      case "m":
        wishes.solo = value.toLowerCase() === "solo";
    }
  }
  return wishes;
}

/**
 * A difficulty as miners write it: `4G` or `4000000000` hashes; a bare number below a million is in
 * units of 2^32 hashes, with decimals if need be.
 */
export function readDifficulty(text: string): bigint | undefined {
  const [, whole, decimals = "", suffix = ""] =
    /^(\d{1,18})(?:\.(\d{1,9}))?([kmgt]?)$/i.exec(text) ??
      [];
  if (whole === undefined) return undefined;
  const scaled = BigInt(whole + decimals.padEnd(9, "0"));
  const bare = suffix === "" && BigInt(whole) < BARE_HASHES_MIN;
  const unit = bare ? 1n << 32n : SUFFIXES[suffix.toLowerCase()]!;
  const difficulty = scaled * unit / 1_000_000_000n;
  return difficulty > 0n ? difficulty : undefined;
}

function decoded(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
