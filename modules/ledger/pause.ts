/** Whether payments are paused by hand: one key beside the lease, which every payer's script asks. */
import type { Clock } from "../base/mod.ts";
import type { LedgerDeps, Role } from "./leases.ts";
import { createPersist } from "./persist.ts";

/** Who paused payments, when and why. */
export interface PayoutsPause {
  /** Milliseconds since 1970. */
  atMs: number;
  who: string;
  /** Empty when none was given. */
  reason: string;
}

/** The pause that holds now; undefined: none. */
export async function readPayoutsPause(
  { store, keys }: LedgerDeps,
): Promise<PayoutsPause | undefined> {
  const text = await store.command("GET", keys.own.payoutsPause());
  return text === null ? undefined : pauseOf(String(text));
}

/** Reads what the key holds; a text that is none pauses all the same. */
export function pauseOf(text: string): PayoutsPause {
  try {
    const { atMs, who, reason } = JSON.parse(text);
    return { atMs: Number(atMs), who: String(who), reason: String(reason ?? "") };
  } catch {
    return { atMs: 0, who: "somebody", reason: text };
  }
}

/**
 * Pauses payments for every payer of this database, now and after restarts: nothing is reserved any
 * more, what is signed goes on. Gives false when they were paused already; that pause stays.
 *
 * @throws {PoolError} while Redis's disk or `waitReplicas` replicas do not have it
 */
export async function pausePayouts(
  { store, keys, clock, waitReplicas }: LedgerDeps & { clock: Clock; waitReplicas: number },
  { who, reason }: { who: string; reason: string },
): Promise<boolean> {
  const text = JSON.stringify({ atMs: clock.now(), who, reason });
  let isNew = false;
  await createPersist(store, waitReplicas)(async () => {
    isNew = await store.command("SET", keys.own.payoutsPause(), text, "NX") !== null;
  }, "the pause");
  return isNew;
}

/** Lets payments go on; gives the pause that held. */
export async function resumePayouts(deps: LedgerDeps): Promise<PayoutsPause | undefined> {
  const { store, keys } = deps;
  const text = await store.command("GETDEL", keys.own.payoutsPause());
  return text === null ? undefined : pauseOf(String(text));
}

/** The process that has a role now, by the server's clock; undefined: nobody. */
export async function readLeaseHolder(
  { store, keys }: LedgerDeps,
  role: Role,
): Promise<string | undefined> {
  const [fields, time] = await store.multi([
    ["HMGET", keys.own.lease(role), "holder", "untilMs"],
    ["TIME"],
  ]);
  const [holder, untilMs] = fields as (string | null)[];
  const nowMs = Number((time as string[])[0]) * 1000;
  return holder && Number(untilMs ?? 0) > nowMs ? holder : undefined;
}
