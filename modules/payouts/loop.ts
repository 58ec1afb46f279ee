/** The payer's loop: takes the lease, steps the run, backs off from errors, halts with the reason. */
import {
  backoffMs,
  Bell,
  type Clock,
  errorText,
  InvariantError,
  type Logger,
  PoolError,
} from "../base/mod.ts";
import { NodeError } from "../chain/mod.ts";
import {
  FencedError,
  type Lease,
  LEASE_RENEW_MS,
  LEASE_STANDBY_MS,
  type LoopStatus,
  StoreError,
} from "../ledger/mod.ts";
import { HaltError } from "./halt.ts";
import type { Run } from "./run.ts";

/** Pause between two looks at what made it halt (milliseconds). */
const HALTED_MS = 60_000;

/** The lease as the loop uses it. */
export interface PayerLease {
  /** Takes or renews it: the lease, or the name of the process that has it. */
  hold(): Promise<Lease | { heldBy: string }>;
  /** Gives it back, if it is held. */
  release(): Promise<void>;
}

/** What the loop works with. */
export interface PayerDeps {
  lease: PayerLease;
  /** Makes the run once the lease is held; everything that may fail at the start is in here. */
  openRun(): Promise<Pick<Run, "step">>;
  /** Cuts a pause short. @default none */
  bell?: Bell;
  clock: Clock;
  log: Logger;
  /** Writes what the loop is doing; failures are logged and passed over. */
  writeStatus(status: LoopStatus): Promise<void>;
}

/** Runs the payer until the signal; what is under way is finished first. */
export async function runPayer(deps: PayerDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, lease } = deps;
  const report = reporter(deps);
  const bell = deps.bell ?? new Bell();
  let run: Pick<Run, "step"> | undefined;
  let token = "";
  let failures = 0;
  while (!signal.aborted) {
    let pauseMs = 0;
    try {
      const held = await lease.hold();
      if ("heldBy" in held) {
        run = undefined;
        await report("standby", `${held.heldBy} is the payer`, "");
        pauseMs = LEASE_STANDBY_MS;
      } else {
        // Under another token somebody else may have been the payer and written the journal since.
        if (held.token !== token) run = undefined;
        token = held.token;
        run ??= await deps.openRun();
        const stepped = run;
        const { waitMs, reason, mend = "", nextRunMs } = await whileRenewing(
          deps,
          () => stepped.step(held),
        );
        failures = 0;
        await report(reason === "" ? "running" : "waiting", reason, mend, nextRunMs);
        pauseMs = Math.min(waitMs, LEASE_RENEW_MS);
      }
    } catch (error) {
      if (error instanceof HaltError || error instanceof InvariantError) {
        pauseMs = HALTED_MS;
        const mend = error instanceof HaltError
          ? error.mend
          : "look at the log and compare the ledger with the chain; nothing is sent meanwhile";
        if (await report("halted", errorText(error), mend)) {
          log.error("payouts.halted", { error, ...(error as PoolError).facts });
        }
      } else {
        if (error instanceof FencedError) run = undefined;
        pauseMs = backoffMs(failures++, { minMs: 1_000, maxMs: 30_000 });
        log.warn("payouts.failed", { error, retryInMs: pauseMs });
        await report("retrying", errorText(error), mendOf(error));
      }
    }
    // A halted or waiting payer still renews its lease, so that a spare does not take over.
    for (let leftMs = pauseMs; leftMs > 0 && !signal.aborted; leftMs -= LEASE_RENEW_MS) {
      if (await bell.sleep(clock, Math.min(leftMs, LEASE_RENEW_MS), signal)) break;
      if (leftMs > LEASE_RENEW_MS) await lease.hold().catch(() => {});
    }
  }
  await lease.release().catch((error) => log.warn("payouts.lease.kept", { error }));
}

/** What somebody does about an error that is tried again; empty when it passes by itself. */
function mendOf(error: unknown): string {
  if (error instanceof FencedError) return "";
  if (error instanceof StoreError) {
    if (error.mend !== "") return error.mend;
    return error.fate === "refused"
      ? "deno task audit CONFIG names what cannot be read; if nothing, look at Redis's log"
      : "check that Redis runs and is reachable at redis.endpoint";
  }
  if (error instanceof NodeError) return `check that what ${error.node} names runs and answers`;
  const mend = error instanceof PoolError ? error.facts["mend"] : undefined;
  return typeof mend === "string" ? mend : "look at payouts.failed in the payer's log";
}

/** Renews the lease while a step takes long: a slow node is no reason to change the payer. */
async function whileRenewing<T>(
  { clock, lease, log }: PayerDeps,
  work: () => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const renewing = (async () => {
    while (!done.signal.aborted) {
      await clock.sleep(LEASE_RENEW_MS, done.signal).catch(() => {});
      if (done.signal.aborted) return;
      // A step whose lease is lost fails at its next write.
      await lease.hold().catch((error) => log.warn("payouts.lease.unrenewed", { error }));
    }
  })();
  try {
    return await work();
  } finally {
    done.abort();
    await renewing;
  }
}

/** Writes the status when it changes; true when it did. */
function reporter(deps: PayerDeps) {
  let last: LoopStatus | undefined;
  return async (
    state: LoopStatus["state"],
    reason: string,
    mend: string,
    nextRunAtMs?: number,
  ): Promise<boolean> => {
    const same = last?.state === state && last.reason === reason;
    if (same && last?.nextRunAtMs === nextRunAtMs) return false;
    const sinceMs = last?.state === state ? last.sinceMs : deps.clock.now();
    const status: LoopStatus = { state, reason, mend, sinceMs };
    if (nextRunAtMs !== undefined) status.nextRunAtMs = nextRunAtMs;
    try {
      await deps.writeStatus(status);
      last = status;
    } catch (error) {
      deps.log.warn("payouts.status.unwritten", { error, state, reason });
    }
    return true;
  };
}
