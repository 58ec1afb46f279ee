/** Reads the pool's log lines and says each milestone the first time it is reached. */
import type { Child } from "../../tests/support/process.ts";

/** What was reached so far. */
export interface Milestones {
  /** Whether miners can connect. */
  listening: boolean;
  firstPayment: Promise<void>;
}

/** Milestone events in the pool's log and what to say of them. */
const SAYINGS: Record<string, (line: Record<string, unknown>) => string> = {
  "share.first": (line) => `Share        accepted, worker ${line.worker}`,
  "block.found": (line) => `Block        found by worker ${line.worker}`,
  "block.immature": (line) => `Immature     block ${line.height} credited`,
  "block.matured": (line) => `Matured      block ${line.height}, balances can be paid`,
  "payment.confirmed": (line) => `Payment      confirmed: ${line.txHash ?? line.hash}`,
};

/** Follows a pool until it ends. */
export function followMilestones(pool: Child, say: (line: string) => void): Milestones {
  const payment = Promise.withResolvers<void>();
  const milestones: Milestones = { listening: false, firstPayment: payment.promise };
  const said = new Set<string>();
  let read = 0;
  const timer = setInterval(() => {
    const text = pool.output();
    const end = text.lastIndexOf("\n");
    for (const line of text.slice(read, end + 1).split("\n")) take(line);
    read = Math.max(read, end + 1);
  }, 100);
  pool.exit.finally(() => clearInterval(timer));

  function take(line: string) {
    if (!line.startsWith("{")) return;
    const record = JSON.parse(line);
    if (record.event === "stratum.listening") milestones.listening = true;
    if (record.level === "error") {
      say(`! ${record.room} ${record.event} ${record.reason ?? record.error ?? ""}`);
    }
    const saying = SAYINGS[record.event];
    if (saying === undefined || said.has(record.event)) return;
    said.add(record.event);
    say(saying(record));
    if (record.event === "payment.confirmed") payment.resolve();
  }
  return milestones;
}
