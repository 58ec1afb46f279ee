/** The command line of `quarry admin` as a request to the pool. */
import { parseArgs } from "node:util";
import { requestSchema } from "../../modules/api/mod.ts";
import type { AdminRequest } from "./request.ts";

/** What was asked for. */
export interface Wanted {
  request: AdminRequest;
  json: boolean;
  /** How long a drain waits (milliseconds). */
  withinMs: number;
  /** Whether the pool stays after a drain. */
  keep: boolean;
}

/** What cannot be read; the message is for the operator. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const OPTIONS = {
  json: { type: "boolean" },
  keep: { type: "boolean" },
  within: { type: "string" },
  minutes: { type: "string" },
  reason: { type: "string" },
  login: { type: "string" },
  ip: { type: "string" },
  limit: { type: "string" },
} as const;
type Option = keyof typeof OPTIONS;

/** Commands: how many words follow them at most, and which options they take. */
const COMMANDS: Record<string, { word?: string; optional?: boolean; options?: Option[] }> = {
  "status": {},
  "sessions": { options: ["login", "ip", "limit"] },
  "bans": {},
  "ban": { word: "address", options: ["minutes", "reason"] },
  "unban": { word: "address" },
  "drop": { word: "session", optional: true, options: ["login", "ip"] },
  "jobs": { options: ["limit"] },
  "round": { options: ["limit"] },
  "payouts pause": { options: ["reason"] },
  "payouts resume": {},
  "unlock now": {},
  "pay now": {},
  "drain": { options: ["within", "keep"] },
  "reload": {},
  "log": { word: "level", optional: true, options: ["limit"] },
};
const NUMBERS: readonly string[] = ["minutes", "limit"];
const WITHIN_MINUTES = 10;

/** Reads the words after the configuration. @throws {UsageError} */
export function readArguments(args: readonly string[]): Wanted {
  const { values, positionals } = parsed(args);
  const [first = "", second] = positionals;
  const two = `${first} ${second}`;
  const command = two in COMMANDS ? two : first;
  const known = COMMANDS[command];
  if (known === undefined) throw new UsageError(`There is no command ${positionals.join(" ")}`);
  const words = positionals.slice(command === two ? 2 : 1);
  if (words.length > (known.word === undefined ? 0 : 1)) {
    throw new UsageError(`${command} takes no ${words.at(-1)}`);
  }
  if (words.length === 0 && known.word !== undefined && !known.optional) {
    throw new UsageError(`${command} wants ${known.word.toUpperCase()}`);
  }
  const request: Record<string, unknown> = { command };
  if (words.length > 0) request[known.word!] = words[0];
  // "log" alone lists what was done; with a word it sets what is logged.
  if (command === "log" && words.length > 0) request["command"] = "log level";
  const { json = false, ...options } = values;
  for (const [name, value] of Object.entries(options)) {
    if (!known.options?.includes(name as Option)) {
      throw new UsageError(`${command} takes no --${name}`);
    }
    if (name !== "within" && name !== "keep") {
      request[name] = NUMBERS.includes(name) ? Number(value) : value;
    }
  }
  const minutes = Number(values.within ?? WITHIN_MINUTES);
  if (!(minutes >= 0)) throw new UsageError("--within wants minutes");
  const { error } = requestSchema.safeParse(request);
  if (error !== undefined) {
    const { path, message } = error.issues[0]!;
    throw new UsageError(`${command} cannot use its ${path.join(".") || "words"}: ${message}`);
  }
  return { request, json, withinMs: minutes * 60_000, keep: values.keep ?? false };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(". To")[0]!);
  }
}
