/** What each money loop is doing, for the API and the page: one field per role. */
import type { Keys } from "./keys.ts";
import { recordOf, type Store, StoreError } from "./redis.ts";

/** State of a loop, with the reason and the mend when it does not run. */
export interface LoopStatus {
  /** `standby`: another process holds the lease; `retrying`: below it something fails. */
  state: "running" | "standby" | "waiting" | "retrying" | "halted";
  /** Why, in one sentence; empty while running. */
  reason: string;
  /** What to do about it; empty when nothing is to be done. */
  mend: string;
  /** Milliseconds since 1970 at which this state began. */
  sinceMs: number;
  /** Milliseconds since 1970 of the payer's next run; absent while it does not run. */
  nextRunAtMs?: number;
}

/** How a part of the pool is, for people. */
export type Health = "ok" | "waiting" | "halted" | "away";

/** How a loop is: one that waits for a receipt or its next run, with nothing to mend, is well. */
export function loopHealth({ state, mend }: LoopStatus): Health {
  if (state === "halted") return "halted";
  if (state === "retrying") return "away";
  return state === "waiting" && mend !== "" ? "waiting" : "ok";
}

/** Writes a loop's status; the word of a spare never hides what the holder of the lease says. */
export async function writeStatus(
  deps: { store: Store; keys: Keys },
  role: string,
  status: LoopStatus,
): Promise<void> {
  const write = status.state === "standby" ? "HSETNX" : "HSET";
  await deps.store.command(write, deps.keys.own.status(), role, JSON.stringify(status));
}

/** The status of every loop that ever wrote one. */
export async function readStatus(
  deps: { store: Store; keys: Keys },
): Promise<Record<string, LoopStatus>> {
  const fields = recordOf(await deps.store.command("HGETALL", deps.keys.own.status()));
  return Object.fromEntries(
    Object.entries(fields).map(([role, text]) => [role, JSON.parse(text) as LoopStatus]),
  );
}

/** Has Redis write its RDB file in the background; one that is under way is good enough. */
export async function backgroundSave(store: Store): Promise<void> {
  try {
    await store.command("BGSAVE");
  } catch (error) {
    if (!(error instanceof StoreError && error.fate === "refused")) throw error;
  }
}
