/** What alerts have told already; written by the instance that holds their lease. */
import { type Lease, type LedgerDeps, moneyScript, runFenced } from "./leases.ts";
import { parsePoolPayment, type PaymentRow } from "./legacy_rows.ts";
import { pairsOf } from "./scan.ts";

const WRITE = moneyScript(
  "write_alert_state",
  'if not holds(KEYS[2], "string") then return refuse(KEYS[2] .. " is no string") end\n' +
    'redis.call("SET", KEYS[2], ARGV[2])\nreturn "ok"\n',
);
/** Payments read at once: more in one look are told at the next. */
const PAYMENTS_MAX = 500;

/** The state as it was written; undefined before the first look. */
export async function readAlertState<State>(deps: LedgerDeps): Promise<State | undefined> {
  const text = await deps.store.command("GET", deps.keys.own.alerts());
  return text === null ? undefined : JSON.parse(String(text)) as State;
}

/** @throws {FencedError} when another instance tells now */
export async function writeAlertState(
  deps: LedgerDeps,
  lease: Lease,
  state: unknown,
): Promise<void> {
  await runFenced(deps, lease, WRITE, [deps.keys.own.alerts()], [JSON.stringify(state)]);
}

/** Final payments from a time on (unix seconds, included), oldest first. */
export async function readPaymentsSince(
  { store, keys }: LedgerDeps,
  sinceSeconds: number,
): Promise<PaymentRow[]> {
  const range = ["ZRANGE", keys.paymentsAll(), String(sinceSeconds), "+inf", "BYSCORE"];
  const rows = pairsOf(
    await store.command(...range, "LIMIT", "0", String(PAYMENTS_MAX), "WITHSCORES"),
  );
  return rows.flatMap(([member, score]) => parsePoolPayment(member, score) ?? []);
}
