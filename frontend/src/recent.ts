/** The last five addresses that were looked up, newest first; kept in this browser alone. */
import { signal } from "@preact/signals";
import { recall, remember } from "./storage.ts";

const KEPT = 5;
const ADDRESS = /^0x[0-9a-f]{40}$/;

/** Them. */
export const recent = signal<string[]>(
  (recall("recent") ?? "").split(" ").filter((one) => ADDRESS.test(one)).slice(
    0,
    KEPT,
  ),
);

/** Puts an address first. */
export function keepRecent(address: string): void {
  recent.value = [address, ...recent.value.filter((one) => one !== address)]
    .slice(0, KEPT);
  remember("recent", recent.value.join(" "));
}

/** Forgets all of them. */
export function forgetRecent(): void {
  recent.value = [];
  remember("recent", null);
}
