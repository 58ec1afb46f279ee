/** New heads of a node over WebSocket (`eth_subscribe`, newHeads): each rings, none is believed. */
import { backoffMs, type Clock, type Logger } from "../base/mod.ts";

/** Which node is followed. */
export interface HeadsOptions {
  node: string;
  /** ws:// or wss:// */
  url: string;
  /** Silence after which the connection is thought dead and made anew (milliseconds). */
  silentMs: number;
}

/** Follows until the signal is aborted; comes back after every failure. */
export async function followHeads(
  options: HeadsOptions,
  deps: { clock: Clock; log: Logger; onHead(): void },
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = deps;
  for (let attempt = 0; !signal.aborted; attempt++) {
    const reason = await oneConnection(options, {
      ...deps,
      onHead() {
        if (attempt > 0) log.info("heads.back", { node: options.node });
        attempt = 0;
        deps.onHead();
      },
    }, signal);
    if (signal.aborted) return;
    const retryInMs = backoffMs(attempt);
    log.warn("heads.lost", { node: options.node, reason, retryInMs });
    await clock.sleep(retryInMs, signal).catch(() => {});
  }
}

/** One connection to its end; gives the reason. */
async function oneConnection(
  { url, silentMs }: HeadsOptions,
  { clock, onHead }: { clock: Clock; onHead(): void },
  signal: AbortSignal,
): Promise<string> {
  const end = Promise.withResolvers<string>();
  const socket = new WebSocket(url);
  let heardMs = clock.now();
  socket.onopen = () => {
    const params = ["newHeads"];
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params }));
  };
  socket.onmessage = ({ data }) => {
    heardMs = clock.now();
    const message = parsed(data);
    if (message?.error !== undefined) end.resolve("the node refuses eth_subscribe");
    if (message?.method === "eth_subscription") onHead();
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
      await clock.sleep(silentMs / 4, stop.signal).catch(() => {});
      if (clock.now() - heardMs >= silentMs) end.resolve(`no head for ${silentMs} ms`);
    }
    end.resolve("stopped");
  })();
  const reason = await end.promise;
  stopAll();
  signal.removeEventListener("abort", stopAll);
  await watch;
  const closed = new Promise((resolve) => socket.onclose = resolve);
  const open = socket.readyState !== WebSocket.CLOSED;
  if (open) {
    socket.close();
    // A peer that hangs never answers the close.
    const late = new AbortController();
    await Promise.race([closed, clock.sleep(1_000, late.signal).catch(() => {})]);
    late.abort(new Error("closed"));
  }
  return reason;
}

function parsed(data: unknown): { method?: unknown; error?: unknown } | undefined {
  try {
    const value = JSON.parse(String(data));
    return value !== null && typeof value === "object" ? value : undefined;
  } catch {
    return undefined;
  }
}
