/**
 * Structured logging: one event name and its facts per line; where the lines go is a dep.
 *
 * The main thread writes them through pino; Deno workers post them to it. Facts are redacted here,
 * before they reach any sink, so that no secret is ever logged.
 */
import { errorText, type Facts } from "./errors.ts";

/** Severity, lowest first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** One log line. */
export interface LogRecord {
  level: LogLevel;
  /** The room or loop that speaks ("stratum", "unlocker", ...). */
  room: string;
  /** One name per kind of fact, in words joined by dots ("share.stale"). */
  event: string;
  facts: Facts;
}

/** Takes finished records: pino in the main thread, postMessage in a Deno worker, a list in tests. */
export type LogSink = (record: LogRecord) => void;

/** What rooms log with. */
export interface Logger {
  debug(event: string, facts?: Facts): void;
  info(event: string, facts?: Facts): void;
  warn(event: string, facts?: Facts): void;
  error(event: string, facts?: Facts): void;
  /** The same sink under another room name. */
  for(room: string): Logger;
}

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const SECRET = /pass|secret|private|token|keyfile|authorization|mnemonic/i;

/** A logger for a room over a sink; records below `least` are dropped: a level, or what gives it. */
export function createLogger(
  sink: LogSink,
  room: string,
  least: LogLevel | (() => LogLevel) = "info",
): Logger {
  function write(level: LogLevel, event: string, facts: Facts = {}) {
    if (ORDER[level] < ORDER[typeof least === "function" ? least() : least]) return;
    sink({ level, room, event, facts: plainFacts(facts) });
  }
  return {
    debug: (event, facts) => write("debug", event, facts),
    info: (event, facts) => write("info", event, facts),
    warn: (event, facts) => write("warn", event, facts),
    error: (event, facts) => write("error", event, facts),
    for: (other) => createLogger(sink, other, least),
  };
}

/** A logger that drops everything, for tests that do not look at logs. */
export const silentLogger: Logger = createLogger(() => {}, "silent");

/** Facts made plain: secrets masked, bigint as text, errors as text with their causes. */
export function plainFacts(facts: Facts): Facts {
  const plain: Facts = {};
  for (const [key, value] of Object.entries(facts)) {
    plain[key] = SECRET.test(key) ? "[redacted]" : plainValue(value);
  }
  return plain;
}

function plainValue(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return errorText(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (value !== null && typeof value === "object" && !(value instanceof Uint8Array)) {
    return plainFacts(value as Facts);
  }
  return value;
}
