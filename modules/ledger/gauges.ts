/** The pool's sums, blocks, payments, loops and leases in one read, for monitoring. */
import { integerOf, listOf, recordOf } from "./redis.ts";
import { type LedgerDeps, type Role } from "./leases.ts";
import type { LoopStatus } from "./status.ts";

/** Sums of `finances` (Shannon). */
export const MONEY_STATES = ["balance", "immature", "pending", "paid"] as const;

const ROLES = ["unlocker", "payer", "alerts"] as const satisfies readonly Role[];

/** The ledger at one moment. */
export interface LedgerGauges {
  /** By state (Shannon). */
  money: Record<typeof MONEY_STATES[number], bigint>;
  /** Rows by list; orphans lie in the lists of the height that they reached. */
  blocks: { candidate: number; immature: number; matured: number };
  /** Payments that are reserved and not final. */
  paymentsOpen: number;
  loops: Record<string, LoopStatus>;
  /** Whether payments are paused by hand. */
  payoutsPaused: boolean;
  /** Whether a process holds the role now, by the server's clock. */
  leases: Record<typeof ROLES[number], boolean>;
  /** Sums that cannot be: each is named by its field. */
  impossible: string[];
}

/** Reads all of it in one round trip. @throws {StoreError} */
export async function readGauges({ store, keys }: LedgerDeps): Promise<LedgerGauges> {
  const { own } = keys;
  const replies = await store.multi([
    ["HGETALL", keys.finances()],
    ["ZCARD", keys.candidates()],
    ["ZCARD", keys.immature()],
    ["ZCARD", keys.matured()],
    ["ZCARD", own.paymentsOpen()],
    ["HGETALL", own.status()],
    ["TIME"],
    ["EXISTS", own.payoutsPause()],
    ...ROLES.map((role) => ["HGET", own.lease(role), "untilMs"]),
  ]);
  const [sums, candidate, immature, matured, open, status, time, paused, ...until] = replies;
  const kept = recordOf(sums!);
  const money = Object.fromEntries(
    MONEY_STATES.map((state) => [state, integerOf(kept[state], `finances ${state}`)]),
  ) as LedgerGauges["money"];
  const nowMs = Number(listOf(time!)[0]) * 1000;
  return {
    money,
    blocks: {
      ...{ candidate: Number(candidate), immature: Number(immature), matured: Number(matured) },
    },
    paymentsOpen: Number(open),
    loops: Object.fromEntries(
      Object.entries(recordOf(status!)).map(([role, text]) => [role, JSON.parse(text)]),
    ),
    payoutsPaused: Number(paused) > 0,
    leases: Object.fromEntries(
      ROLES.map((role, i) => [role, Number(until[i] ?? 0) > nowMs]),
    ) as LedgerGauges["leases"],
    impossible: MONEY_STATES.filter((state) => money[state] < 0n),
  };
}
