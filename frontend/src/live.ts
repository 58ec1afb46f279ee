/**
 * The doorbell: says that something is new, never what. Server-sent events ring it; a timer does
 * when they fail twice. Nothing is asked while the page is hidden.
 */
import { signal } from "@preact/signals";

/** What rang last: everything asks again for a block or payment, the quick for a new snapshot. */
export const bell = signal<
  { count: number; what: "pool" | "block" | "payment" }
>({
  count: 0,
  what: "pool",
});

const TIMER_MS = 15_000;
/** A new snapshot rings at most this often (milliseconds). */
const CALM_MS = 4_000;

let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
let rangAtMs = 0;

function ring(what: "pool" | "block" | "payment"): void {
  const nowMs = Date.now();
  if (what === "pool" && nowMs - rangAtMs < CALM_MS) return;
  rangAtMs = nowMs;
  bell.value = { count: bell.value.count + 1, what };
}

/** Rings by itself: asked for by the reader, or after being away. */
export function ringNow(): void {
  ring("block");
}

function open(): void {
  close();
  if (failures >= 2) return wait();
  source = new EventSource("/api/v2/events");
  for (const what of ["pool", "block", "payment"] as const) {
    source.addEventListener(what, () => {
      failures = 0;
      ring(what);
    });
  }
  source.onerror = () => {
    failures++;
    ring("pool");
    if (failures >= 2) open();
  };
  // A bell that never rings is as good as none.
  wait();
}

function wait(): void {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (Date.now() - rangAtMs >= TIMER_MS / 2) ring("block");
    wait();
  }, TIMER_MS * (0.8 + Math.random() * 0.4));
}

function close(): void {
  source?.close();
  source = undefined;
  clearTimeout(timer);
}

/** Starts listening; stops while the page is hidden. */
export function startBell(): void {
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    failures = 0;
    ringNow();
    open();
  });
  addEventListener("online", ringNow);
  if (!document.hidden) open();
}
