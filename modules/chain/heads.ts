/** New heads of a node over WebSocket (`eth_subscribe`, newHeads): each rings, none is believed. */
import { backoffMs, type Clock, type Logger } from "../base/mod.ts";
import { readNumber } from "./read.ts";

/** Which node is followed. */
export interface HeadsOptions {
  node: string;
  /** ws:// or wss:// */
  url: string;
  /** Silence after which the node is asked whether it is there (milliseconds): some block times. */
  silentMs: number;
  /** Time for a connection, and for an answer, before it is made anew (milliseconds). @default {10000} */
  patienceMs?: number;
}

/** What following needs. */
export interface HeadsDeps {
  clock: Clock;
  log: Logger;
  /** A new head, with its height where it can be read; also after each new subscription. */
  onHead(height?: number): void;
}

/** Messages beyond this are not looked at (characters); a head is below two thousand. */
const MESSAGE_CHARS_MAX = 64 * 1024;
/** Time for a connection to close (milliseconds). */
const CLOSE_MS = 1_000;
const SUBSCRIBE_ID = 1;

/** Follows until the signal is aborted; comes back after every failure. */
export async function followHeads(
  options: HeadsOptions,
  deps: HeadsDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = deps;
  const { node } = options;
  for (let attempt = 0; !signal.aborted; attempt++) {
    const reason = await oneConnection(options, {
      ...deps,
      onHead(height) {
        if (attempt > 0 && height !== undefined) {
          log.info("heads.back", { node });
          attempt = 0;
        }
        deps.onHead(height);
      },
    }, signal);
    if (signal.aborted) return;
    const retryInMs = backoffMs(attempt);
    // Once at its loss; a node that stays away is not told of again and again.
    log[attempt === 0 ? "warn" : "debug"]("heads.lost", { node, reason, retryInMs });
    await clock.sleep(retryInMs, signal).catch(() => {});
  }
}

/** One connection to its end; gives the reason. */
async function oneConnection(
  { url, silentMs, patienceMs = 10_000 }: HeadsOptions,
  { clock, onHead }: Omit<HeadsDeps, "log">,
  signal: AbortSignal,
): Promise<string> {
  const end = Promise.withResolvers<string>();
  const socket = new WebSocket(url);
  const life = new Life(socket, onHead, () => clock.now());
  socket.onopen = () => life.subscribe();
  socket.onmessage = ({ data }) => {
    const refusal = life.hear(data);
    if (refusal !== undefined) end.resolve(refusal);
  };
  socket.onerror = (event) => {
    end.resolve((event as ErrorEvent).message || "the connection failed");
  };
  socket.onclose = () => end.resolve("the node closed the connection");
  const stop = new AbortController();
  const stopAll = () => stop.abort(new Error("stopped"));
  signal.addEventListener("abort", stopAll, { once: true });
  const watch = (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(Math.min(silentMs, patienceMs) / 4, stop.signal).catch(() => {});
      const dead = life.check(silentMs, patienceMs);
      if (dead !== undefined) end.resolve(dead);
    }
    end.resolve("stopped");
  })();
  const reason = await end.promise;
  stopAll();
  signal.removeEventListener("abort", stopAll);
  await watch;
  await close(socket, clock);
  return reason;
}

/** Whether a connection still lives: heads, or at least answers. */
class Life {
  #heardMs: number;
  /** When an answer began to be waited for; undefined while none is. */
  #askedMs: number | undefined;
  #id = SUBSCRIBE_ID;
  /** Highest head told by the subscription, or by the first answer. */
  #height: number | undefined;

  constructor(
    readonly socket: WebSocket,
    readonly onHead: (height?: number) => void,
    readonly now: () => number,
  ) {
    this.#heardMs = now();
    // The connection itself is waited for like an answer.
    this.#askedMs = now();
  }

  subscribe(): void {
    this.#ask("eth_subscribe", ["newHeads"]);
  }

  /** Takes a message; gives why the connection is of no use, if it is not. */
  hear(data: unknown): string | undefined {
    const message = parsed(data);
    if (message === undefined) return undefined;
    this.#heardMs = this.now();
    if (message.method === "eth_subscription") {
      const height = heightOf(message.params?.result?.number);
      if (height !== undefined) this.#height = Math.max(height, this.#height ?? 0);
      this.onHead(height);
      return undefined;
    }
    if (message.id !== this.#id) return undefined;
    this.#askedMs = undefined;
    if (message.id === SUBSCRIBE_ID) {
      if (message.error !== undefined) return "the node refuses eth_subscribe";
      // What was missed while nobody listened.
      this.onHead();
      return undefined;
    }
    const height = heightOf(message.result);
    if (height === undefined) return undefined;
    this.#height ??= height;
    // One head may be on its way just now.
    if (height <= this.#height + 1) return undefined;
    return `no head is told of, though the node went on from ${this.#height} to ${height}`;
  }

  /** Asks for a sign of life after a silence; gives why the connection is dead, if it is. */
  check(silentMs: number, patienceMs: number): string | undefined {
    const nowMs = this.now();
    if (this.#askedMs !== undefined) {
      return nowMs - this.#askedMs < patienceMs ? undefined : `no answer for ${patienceMs} ms`;
    }
    if (nowMs - this.#heardMs >= silentMs) this.#ask("eth_blockNumber", []);
    return undefined;
  }

  #ask(method: string, params: string[]): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (method !== "eth_subscribe") this.#id++;
    this.#askedMs = this.now();
    this.socket.send(JSON.stringify({ jsonrpc: "2.0", id: this.#id, method, params }));
  }
}

async function close(socket: WebSocket, clock: Clock): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  // A peer that hangs never answers the close.
  const late = new AbortController();
  await Promise.race([closed, clock.sleep(CLOSE_MS, late.signal).catch(() => {})]);
  late.abort(new Error("closed"));
}

interface Message {
  id?: unknown;
  method?: unknown;
  params?: { result?: { number?: unknown } };
  result?: unknown;
  error?: unknown;
}

function parsed(data: unknown): Message | undefined {
  if (typeof data !== "string" || data.length > MESSAGE_CHARS_MAX) return undefined;
  try {
    const value = JSON.parse(data);
    return value !== null && typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}

function heightOf(quantity: unknown): number | undefined {
  try {
    return readNumber(quantity, "number");
  } catch {
    return undefined;
  }
}
