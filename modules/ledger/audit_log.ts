/** Who changed what by hand or by signature: the newest ten thousand rows. */
import type { Clock } from "../base/mod.ts";
import { type LedgerDeps } from "./leases.ts";
import { listOf } from "./redis.ts";

const ROWS_MAX = 10_000;

/** One act. */
export interface AuditRow {
  /** Milliseconds since 1970. */
  atMs: number;
  /** An address, an operator's name, or "operator". */
  who: string;
  /** In the catalogue's words: settings.changed, payouts.paused, … */
  what: string;
  facts: Record<string, unknown>;
}

/** Writes a row down. */
export async function noteAct(
  { store, keys, clock }: LedgerDeps & { clock: Clock },
  act: Omit<AuditRow, "atMs">,
): Promise<void> {
  const text = JSON.stringify(
    { atMs: clock.now(), ...act },
    (_, value) => typeof value === "bigint" ? String(value) : value,
  );
  await store.multi([
    ["LPUSH", keys.own.acts(), text],
    ["LTRIM", keys.own.acts(), "0", String(ROWS_MAX - 1)],
  ]);
}

/** The newest rows, newest first. */
export async function readActs({ store, keys }: LedgerDeps, count: number): Promise<AuditRow[]> {
  return listOf(await store.command("LRANGE", keys.own.acts(), "0", String(count - 1)))
    .map((text) => JSON.parse(text) as AuditRow);
}
