/** Pure: what is new since the last look, worth telling somebody; state in, state and alerts out. */
import { formatCoins, type Shannon, shannonToWei } from "../base/mod.ts";

/** Silent workers that are remembered at most; further ones are told of no more. */
const SILENT_MAX = 10_000;
/** A worker silent for so long was taken away (seconds): its return is no news. */
const GONE_SECONDS = 86_400;

/** What happened. */
export type AlertKind =
  | "block.found"
  | "payment.confirmed"
  | "worker.silent"
  | "worker.back"
  | "loop.halted"
  | "loop.resumed";

/** One thing to tell. */
export interface Alert {
  kind: AlertKind;
  /** The miner whom it is about; undefined: the operator alone. */
  login?: string;
  /** One sentence for people. */
  text: string;
  facts: Record<string, string | number>;
}

/** A found block as far as it is news. */
export interface BlockFact {
  height: number;
  nonce: string;
  /** Unix seconds. */
  foundAt: number;
}

/** A payment that is final. */
export interface PaymentFact {
  login: string;
  amountShannon: Shannon;
  transaction: string;
  /** Unix seconds. */
  at: number;
}

/** A worker of a miner who wants to hear of it. */
export interface WorkerFact {
  login: string;
  worker: string;
  /** Unix seconds. */
  lastShareAt: number;
  /** Silence after which its miner is told (seconds). */
  silentAfterSeconds: number;
}

/** What the ledger says now. */
export interface AlertFacts {
  nowSeconds: number;
  currency: string;
  /** Found at or after the cursor. */
  blocks: readonly BlockFact[];
  /** Final at or after the cursor. */
  payments: readonly PaymentFact[];
  workers: readonly WorkerFact[];
  /** Why the unlocker or the payer has halted; those that run are not in it. */
  halted: ReadonlyMap<string, { reason: string; mend: string }>;
}

/** What was told already; plain data. */
export interface AlertState {
  /** Unix seconds up to which blocks and payments were looked at, and what was told at that second. */
  blocks: { at: number; told: string[] };
  payments: { at: number; told: string[] };
  /** `login:worker` → unix seconds of the last share of a worker that was told to be silent. */
  silent: Record<string, number>;
  /** Role → reason that was told. */
  halted: Record<string, string>;
}

/** A state at the first look: what was before is no news. */
export function firstState(nowSeconds: number): AlertState {
  const cursor = { at: nowSeconds, told: [] };
  return { blocks: cursor, payments: cursor, silent: {}, halted: {} };
}

/** What is to be told, and the state after it. */
export function look(
  state: AlertState,
  facts: AlertFacts,
): { alerts: Alert[]; state: AlertState } {
  const blocks = fresh(state.blocks, facts.blocks, ({ foundAt }) => foundAt, ({ nonce }) => nonce);
  const payments = fresh(
    state.payments,
    facts.payments,
    ({ at }) => at,
    ({ transaction, login }) => `${transaction}:${login}`,
  );
  const workers = silence(state.silent, facts);
  const loops = halts(state.halted, facts.halted);
  return {
    alerts: [
      ...blocks.news.map(blockAlert),
      ...payments.news.map((one) => paymentAlert(one, facts.currency)),
      ...workers.alerts,
      ...loops.alerts,
    ],
    state: {
      blocks: blocks.cursor,
      payments: payments.cursor,
      silent: workers.silent,
      halted: loops.halted,
    },
  };
}

/** Rows after a cursor; several may share its second. */
function fresh<Row>(
  { at, told }: { at: number; told: string[] },
  rows: readonly Row[],
  timeOf: (row: Row) => number,
  nameOf: (row: Row) => string,
): { news: Row[]; cursor: { at: number; told: string[] } } {
  const news = rows.filter((row) =>
    timeOf(row) > at || (timeOf(row) === at && !told.includes(nameOf(row)))
  );
  const newest = Math.max(at, ...news.map(timeOf));
  const same = news.filter((row) => timeOf(row) === newest).map(nameOf);
  return { news, cursor: { at: newest, told: newest === at ? [...told, ...same] : same } };
}

function blockAlert({ height }: BlockFact): Alert {
  return { kind: "block.found", text: `The pool found block ${height}.`, facts: { height } };
}

function paymentAlert(
  { login, amountShannon, transaction }: PaymentFact,
  currency: string,
): Alert {
  const coins = formatCoins(shannonToWei(amountShannon));
  return {
    ...{ kind: "payment.confirmed", login },
    text: `${coins} ${currency} were paid to ${login}.`,
    facts: { login, amountShannon: String(amountShannon), transaction },
  };
}

function silence(
  before: Readonly<Record<string, number>>,
  { workers, nowSeconds }: AlertFacts,
): { alerts: Alert[]; silent: Record<string, number> } {
  const alerts: Alert[] = [];
  const silent: Record<string, number> = Object.fromEntries(
    Object.entries(before).filter(([, last]) => nowSeconds - last < GONE_SECONDS),
  );
  for (const { login, worker, lastShareAt, silentAfterSeconds } of workers) {
    const name = `${login}:${worker}`;
    const quiet = nowSeconds - lastShareAt;
    if (name in silent) {
      if (lastShareAt <= silent[name]!) continue;
      delete silent[name];
      const text = `Worker ${worker} of ${login} sends shares again.`;
      alerts.push({ kind: "worker.back", login, text, facts: { login, worker } });
    } else if (quiet >= silentAfterSeconds && quiet < GONE_SECONDS) {
      if (Object.keys(silent).length >= SILENT_MAX) continue;
      silent[name] = lastShareAt;
      const minutes = Math.round(quiet / 60);
      const text = `Worker ${worker} of ${login} has sent no share for ${minutes} minutes.`;
      alerts.push({ kind: "worker.silent", login, text, facts: { login, worker, minutes } });
    }
  }
  return { alerts, silent };
}

function halts(
  before: Readonly<Record<string, string>>,
  now: AlertFacts["halted"],
): { alerts: Alert[]; halted: Record<string, string> } {
  const alerts: Alert[] = [];
  const halted = Object.fromEntries([...now].map(([role, { reason }]) => [role, reason]));
  for (const [role, { reason, mend }] of now) {
    if (before[role] === reason) continue;
    const text = `The ${role} has halted: ${reason}.${mend === "" ? "" : ` To mend it: ${mend}.`}`;
    alerts.push({ kind: "loop.halted", text, facts: { role, reason, mend } });
  }
  for (const role of Object.keys(before)) {
    if (now.has(role)) continue;
    alerts.push({ kind: "loop.resumed", text: `The ${role} goes on.`, facts: { role } });
  }
  return { alerts, halted };
}
