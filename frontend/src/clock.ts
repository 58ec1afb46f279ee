/** The time by the server's clock, ticking for what is shown as "ago". */
import { signal } from "@preact/signals";

/** The server's clock less this one (milliseconds). */
let aheadMs = 0;

/** Now, by the server; changes each second while the page is seen. */
export const now = signal(Date.now());

/** The same, but only every ten seconds: for what need not be exact. */
export const lately = signal(Date.now());

/** What an answer said of the server's clock; its Date header has whole seconds. */
export function heardOf(ahead: number): void {
  if (Math.abs(ahead - aheadMs) > 2_000) aheadMs = ahead;
}

/** Lets the clock tick. */
export function startClock(): void {
  const tick = () => {
    if (document.hidden) return;
    now.value = Date.now() + aheadMs;
    if (Math.abs(now.value - lately.value) >= 10_000) lately.value = now.value;
  };
  setInterval(tick, 1_000);
  document.addEventListener("visibilitychange", tick);
}
