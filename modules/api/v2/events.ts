/**
 * The doorbell: server-sent events that say what has changed, never what it is. Who hears one asks
 * again; one that is lost does no harm.
 */
import type { Clock } from "../../base/mod.ts";
import type { Overview } from "../../ledger/mod.ts";
import type { Latest } from "../latest.ts";
import { refused } from "./refused.ts";

/** Pause between two looks at the overview while anybody listens (milliseconds). */
const LOOK_MS = 1_000;
/** Silence after which a comment keeps the connection open (milliseconds). */
const HEARTBEAT_MS = 25_000;
/** Listeners in all, and from one address. */
const LISTENERS_MAX = 500;
const LISTENERS_PER_ADDRESS = 8;
/** Messages that may wait for a listener; one that reads no longer is let go. */
const UNREAD_MAX = 64;
const HEADERS = {
  "Content-Type": "text/event-stream",
  ...{ "Cache-Control": "no-store", "X-Accel-Buffering": "no" },
};

interface Listener {
  address: string;
  controller: ReadableStreamDefaultController<Uint8Array>;
}

/** One bell for all listeners. */
export class Doorbell {
  readonly #deps: { clock: Clock; overview: Latest<Overview> };
  readonly #listeners = new Set<Listener>();
  #ringing: AbortController | undefined;
  #last: Overview | undefined;
  #quietSinceMs = 0;

  constructor(deps: { clock: Clock; overview: Latest<Overview> }) {
    this.#deps = deps;
  }

  /** Listeners now. */
  get size(): number {
    return this.#listeners.size;
  }

  /**
   * A stream of events for one address, or why there is none.
   *
   * @param method of the request: HEAD opens no stream, since nobody would ever read or end it
   */
  open(address: string, method = "GET"): Response {
    if (method === "HEAD") return new Response(null, { headers: HEADERS });
    const own = [...this.#listeners].filter((one) => one.address === address).length;
    if (own >= LISTENERS_PER_ADDRESS || this.#listeners.size >= LISTENERS_MAX) {
      return refused(429, "too_many_streams", "close a stream, or ask every 15 s instead", {
        "Retry-After": "15",
      });
    }
    let listener: Listener;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        listener = { address, controller };
        this.#listeners.add(listener);
        controller.enqueue(bytes(": open\n\nretry: 5000\n\n"));
      },
      cancel: () => this.#drop(listener),
    });
    this.#ringing ??= this.#ring();
    return new Response(body, { headers: HEADERS });
  }

  /** Ends every stream. */
  close(): void {
    for (const { controller } of this.#listeners) controller.close();
    this.#listeners.clear();
    this.#stop();
  }

  #drop(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#stop();
  }

  #stop(): void {
    this.#ringing?.abort(new Error("nobody listens"));
    this.#ringing = undefined;
  }

  #ring(): AbortController {
    const end = new AbortController();
    const { clock, overview } = this.#deps;
    this.#quietSinceMs = clock.now();
    const run = async () => {
      while (!end.signal.aborted) {
        const now = await overview.get();
        if (end.signal.aborted) return;
        this.#tell(eventsBetween(this.#last, now));
        this.#last = now;
        await clock.sleep(LOOK_MS, end.signal).catch(() => {});
      }
    };
    void run();
    return end;
  }

  #tell(events: string): void {
    const nowMs = this.#deps.clock.now();
    const quiet = nowMs - this.#quietSinceMs >= HEARTBEAT_MS;
    const text = events !== "" ? events : quiet ? ": still here\n\n" : "";
    if (text === "") return;
    this.#quietSinceMs = nowMs;
    for (const listener of this.#listeners) {
      const { controller } = listener;
      controller.enqueue(bytes(text));
      if ((controller.desiredSize ?? 0) > -UNREAD_MAX) continue;
      controller.error(new Error("the listener does not read"));
      this.#drop(listener);
    }
  }
}

/** What rings when one overview follows another; the first one rings nothing but the pool. */
export function eventsBetween(before: Overview | undefined, now: Overview | undefined): string {
  if (now === undefined || now.collectedAtMs === before?.collectedAtMs) return "";
  const version = now.collectedAtMs;
  const event = (name: string) => `event: ${name}\ndata: {"version":${version}}\n\n`;
  const blocks = (one: Overview) =>
    [one.candidatesTotal, one.immatureTotal, one.maturedTotal, one.recent[0]?.foundAt].join(" ");
  return event("pool") +
    (before !== undefined && blocks(before) !== blocks(now) ? event("block") : "") +
    (before !== undefined && before.paymentsTotal !== now.paymentsTotal ? event("payment") : "");
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
