/** The messages between the main thread and a Deno worker; plain data only. */
import type { Facts, LogLevel, LogRecord } from "../base/mod.ts";
import type { MeterSample } from "../metrics/mod.ts";

/** What the main thread tells a Deno worker. */
export type ToWorker<Options, Message = never> =
  | { type: "start"; options: Options }
  /** Finish what is under way, then answer `stopped`. */
  | { type: "stop" }
  /** Least severity that is logged from now on. */
  | { type: "logLevel"; level: LogLevel }
  | { type: "message"; message: Message };

/** What a Deno worker tells the main thread. */
export type FromWorker<Message = never> =
  /** It has started and does its work. */
  | { type: "ready" }
  /** A sign of life, each second. */
  | { type: "beat"; atMs: number }
  /** What it has counted since its start, every few seconds. */
  | { type: "meters"; sample: MeterSample[] }
  | { type: "log"; record: LogRecord }
  /** A milestone that others may want to hear of (block found, payment confirmed). */
  | { type: "event"; name: string; facts: Facts }
  | { type: "message"; message: Message }
  /** Everything is flushed and closed; the main thread may end it. */
  | { type: "stopped" }
  /** It cannot go on; it is to be restarted. */
  | { type: "failed"; reason: string };

/** A running piece of work inside a Deno worker. */
export interface Running<In = never> {
  /** Ends it: nothing new is taken, what is under way is finished. */
  stop(): Promise<void>;
  /** Takes a message of the main thread. */
  receive?(message: In): void;
}
