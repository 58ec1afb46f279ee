/** What every page knows of the pool: its name, coin and explorer. */
import { feedOf } from "./resource.ts";
import type { Explorer, Pool } from "./types.ts";

/** `/pool` is asked by the frame around all pages. */
export const POOL_PATH = "/pool";

/** The pool as it was last answered. */
export function poolNow(): Pool | undefined {
  return feedOf<Pool>(POOL_PATH).value.value.data;
}

/** The coin's ticker; empty when unknown. */
export function currency(): string {
  return poolNow()?.currency ?? "";
}

/** The explorer's page of something; undefined without an explorer that can be trusted. */
export function explorerLink(
  what: keyof Explorer,
  value: string | number,
): string | undefined {
  const pattern = poolNow()?.network?.explorer?.[what];
  if (pattern === undefined || !pattern.startsWith("https://")) {
    return undefined;
  }
  return pattern.replace("{}", encodeURIComponent(String(value)));
}
