/** How late the event loop of one thread is: a timer of known length, and what it took. */
import { gauge, observe } from "./meters.ts";

/** Length of the timer (milliseconds). */
const TIMER_MS = 100;

/** Measures this thread's event loop and memory until the function that it returns is called. */
export function watchLoop(): () => void {
  let dueMs = performance.now() + TIMER_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    observe("quarry_event_loop_lag_seconds", Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + TIMER_MS;
    gauge("quarry_heap_bytes", Deno.memoryUsage().heapUsed);
  }, TIMER_MS);
  Deno.unrefTimer(timer);
  return () => clearInterval(timer);
}
