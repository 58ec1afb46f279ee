/** The unlocker's clock: holds the lease, runs passes, retries what fails below, halts on a contradiction. */
import { backoffMs, Bell, errorText, InvariantError } from "../base/mod.ts";
import { NodeError } from "../chain/mod.ts";
import {
  acquireLease,
  FencedError,
  type Lease,
  LEASE_LIFE_MS,
  LEASE_RENEW_MS,
  LEASE_STANDBY_MS,
  type LoopStatus,
  releaseLease,
  renewLease,
  StoreError,
  writeStatus,
} from "../ledger/mod.ts";
import type { Coinbases } from "./coinbases.ts";
import { type UnlockDeps, unlockPass, type UnlockRules } from "./unlock.ts";

const ROLE = "unlocker";
/** Pause between two looks at what made it halt (milliseconds). */
const HALTED_MS = 60_000;
const HALT_MEND = "Correct what the reason names: the unlocker looks again every minute";

/** Settings of the loop. */
export interface LoopOptions extends UnlockRules {
  /** Pause between passes (milliseconds). */
  intervalMs: number;
  /** Name of this process; another one of the same name is replaced. */
  instance: string;
}

/** What the loop needs beside a pass. */
export interface LoopDeps extends UnlockDeps {
  /** Asked before each pass. @default the options' own */
  coinbases?: Coinbases;
  /** Cuts a pause between passes short. @default none */
  bell?: Bell;
}

/**
 * Runs passes until aborted. Only one process holds the lease; the others stand by. What fails
 * below is retried with backoff; a broken invariant halts, says why, and is looked at again every
 * minute: the scripts refuse before they write, so that looking changes nothing.
 */
export async function runLoop(
  options: LoopOptions,
  deps: LoopDeps,
  signal: AbortSignal,
): Promise<void> {
  const status = statusWriter(deps);
  let failures = 0;
  while (!signal.aborted) {
    try {
      const taken = await acquireLease(deps, ROLE, options.instance, LEASE_LIFE_MS);
      if ("heldBy" in taken) {
        await status("standby", `${taken.heldBy} is the unlocker`, "");
        await pause(deps, Math.min(options.intervalMs, LEASE_STANDBY_MS), signal);
        continue;
      }
      await whileHeld(options, deps, taken, signal, async (waiting) => {
        failures = 0;
        await status(waiting.length === 0 ? "running" : "waiting", waiting.join("; "), "");
      });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof InvariantError) {
        if (await status("halted", errorText(error), HALT_MEND).catch(() => true)) {
          deps.log.error("unlocker.halted", { error });
        }
        await pause(deps, HALTED_MS, signal);
        continue;
      }
      failures++;
      deps.log.warn("unlocker.retries", { error, failures });
      await status("retrying", errorText(error), mendOf(error)).catch(() => {});
      await pause(deps, backoffMs(failures, { minMs: 1_000, maxMs: 60_000 }), signal);
    }
  }
}

/** Passes under one lease, which a second task keeps alive; a lost lease ends both. */
async function whileHeld(
  options: LoopOptions,
  deps: LoopDeps,
  lease: Lease,
  signal: AbortSignal,
  onPass: (waiting: string[]) => Promise<void>,
): Promise<void> {
  const lost = new AbortController();
  const stop = AbortSignal.any([signal, lost.signal]);
  const bell = deps.bell ?? new Bell();
  const renewing = keepLease(deps, lease, stop).catch((error) => lost.abort(error));
  try {
    while (!stop.aborted) {
      const coinbases = await deps.coinbases?.() ?? options.coinbases;
      const { waiting } = await unlockPass(deps, { ...options, coinbases }, lease, stop);
      await onPass(waiting);
      await bell.sleep(deps.clock, options.intervalMs, stop);
    }
    if (!signal.aborted) throw lost.signal.reason;
  } finally {
    lost.abort(new FencedError("The lease is given back"));
    await renewing;
    await releaseLease(deps, lease).catch(() => {});
  }
}

async function keepLease(deps: LoopDeps, lease: Lease, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(deps, LEASE_RENEW_MS, signal);
    if (signal.aborted) return;
    if (!await renewLease(deps, lease, LEASE_LIFE_MS)) {
      throw new FencedError("Another process is the unlocker now");
    }
  }
}

/** Writes the status when it changes, and only then; true when it did. */
function statusWriter(deps: LoopDeps) {
  let last = "", sinceMs = 0, lastState = "";
  return async (state: LoopStatus["state"], reason: string, mend: string): Promise<boolean> => {
    const text = JSON.stringify([state, reason, mend]);
    if (text === last) return false;
    if (state !== lastState) sinceMs = deps.clock.now();
    await writeStatus(deps, ROLE, { state, reason, mend, sinceMs });
    last = text;
    lastState = state;
    return true;
  };
}

function mendOf(error: unknown): string {
  if (error instanceof StoreError) {
    if (error.mend !== "") return error.mend;
    return error.fate === "refused"
      ? "deno task audit CONFIG names what cannot be read; if nothing, look at Redis's log"
      : "Check that Redis runs and is reachable";
  }
  if (error instanceof FencedError) return "";
  return error instanceof NodeError ? "Check the node at unlocker.daemon" : "";
}

async function pause(deps: LoopDeps, ms: number, signal: AbortSignal): Promise<void> {
  await deps.clock.sleep(ms, signal).catch(() => {});
}
