/** Answers of a running pool as lines for people: aligned columns, times and amounts in words. */
import { formatCoins, shannonToWei } from "../../modules/base/mod.ts";

/** An answer's data, as it came over the socket. */
// deno-lint-ignore no-explicit-any -- the pool's own answer, whose shape the command fixes
type Data = any;

const CELL_MAX = 80;

/** Rows under a head, every column as wide as its widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map((cell) => String(cell ?? "-")));
  const isNumber = head.map((_, i) =>
    rows.every((row) => /^[\d.,]+( [%s])?$|^$/.test(`${row[i]}`))
  );
  const widths = head.map((_, i) =>
    Math.min(CELL_MAX, Math.max(...cells.map((row) => row[i]!.length)))
  );
  return cells.map((row) =>
    row.map((cell, i) => isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))
      .join("  ").trimEnd()
  );
}

/** A span of time in its two largest units. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]] as const;
  const first = units.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [size, name] = units[first]!;
  const rest = seconds % size;
  const next = units[first + 1];
  const more = next === undefined ? 0 : Math.floor(rest / next[0]);
  return `${Math.floor(seconds / size)} ${name}` + (more > 0 ? ` ${more} ${next![1]}` : "");
}

/** The lines of a command's answer. */
export function linesOf(command: string, data: Data, nowMs: number): string[] {
  switch (command) {
    case "status":
      return statusLines(data);
    case "sessions":
      return [
        ...table(
          [
            "SESSION",
            "ADDRESS",
            "PORT",
            "LOGIN",
            "WORKER",
            "DIALECT",
            "DIFFICULTY",
            "SHARES",
            "FOR",
          ],
          data.sessions.map((one: Data) => [
            ...[one.id, one.ip, one.port, one.login, one.worker, one.dialect, one.difficulty],
            ...[one.shares, span(nowMs - one.connectedAtMs)],
          ]),
        ),
        `${data.total} sessions` +
        (data.total > data.sessions.length ? `, ${data.sessions.length} shown` : ""),
      ];
    case "bans":
      return data.bans.length === 0 ? ["Nobody is banned."] : table(
        ["ADDRESS", "FOR ANOTHER", "REASON"],
        data.bans.map((one: Data) => [one.address, span(one.untilMs - data.nowMs), one.reason]),
      );
    case "ban":
      return [`${data.address} is banned for ${span(data.forMs)}; sessions ended: ${data.dropped}`];
    case "unban":
      return ["The ban is ended."];
    case "drop":
      return [`Sessions ended: ${data.dropped}`];
    case "jobs":
      return data.jobs.length === 0 ? ["No job yet."] : table(
        ["HEIGHT", "HEADER", "NODE", "RECEIVED", "SHARES", "STALE", "INVALID"],
        data.jobs.map((one: Data) => [
          ...[one.height, one.headerHash, one.node, new Date(one.receivedAtMs).toISOString()],
          ...[one.valid, one.stale, one.invalid],
        ]),
      );
    case "round":
      return roundLines(data);
    case "reload":
      return reloadLines(data);
    case "log":
      return data.acts.length === 0 ? ["Nothing was changed by hand."] : table(
        ["WHEN", "WHO", "WHAT", "FACTS"],
        data.acts.map((one: Data) => [
          ...[new Date(one.atMs).toISOString(), one.who, one.what, factsOf(one.facts)],
        ]),
      );
    case "payouts pause":
      return [
        "Payments are paused: nothing new is reserved, what is signed goes on.",
        "`payouts resume` ends it; a restart does not.",
      ];
    case "payouts resume":
      return [`Payments go on; ${data.pause.who} had paused them.`];
    case "unlock now":
      return ["The unlocker looks now."];
    case "pay now":
      return ["The next payment run begins now."];
    case "drain":
      return [`No new miners are taken; sessions: ${data.sessions}`];
    default:
      return ["Done."];
  }
}

function factsOf(facts: Record<string, unknown>): string {
  return Object.entries(facts).filter(([, value]) => value !== "" && value !== "done")
    .map(([key, value]) => `${key}=${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(" ");
}

function statusLines(data: Data): string[] {
  const { mining, ledger, nowMs } = data;
  const rows: [string, string][] = [
    ["instance", `${data.instance}, quarry ${data.version}, process ${data.pid}`],
    ["running", `for ${span(nowMs - data.startedAtMs)}: ${data.parts.join(", ")}`],
  ];
  if (mining !== undefined) {
    const { job } = mining;
    rows.push(["mining", mining.ready ? "ready" : `not ready: ${mining.reason}`]);
    rows.push(["sessions", `${mining.sessions}, banned addresses: ${mining.bans}`]);
    rows.push(["shares", `${mining.accepted} accepted since the start`]);
    if (job !== undefined) {
      rows.push(["job", `${job.height} from ${job.node}, ${span(nowMs - job.receivedAtMs)} old`]);
    }
    for (const node of mining.nodes) {
      const state = node.healthy ? `healthy, height ${node.height ?? "unknown"}` : node.reason;
      rows.push([`node ${node.name}`, state]);
    }
  }
  if (ledger.away !== undefined) rows.push(["ledger", ledger.away]);
  else rows.push(...ledgerRows(ledger));
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
}

function ledgerRows({ money, blocks, paymentsOpen, loops, pause, holders }: Data) {
  const rows: [string, string][] = [];
  for (const [role, loop] of Object.entries(loops as Record<string, Data>)) {
    const holder = holders[role] === undefined ? "" : ` at ${holders[role]}`;
    const why = loop.reason === "" ? "" : `: ${loop.reason}`;
    rows.push([role, `${loop.state}${holder}${why}${loop.mend === "" ? "" : ` (${loop.mend})`}`]);
  }
  if (pause !== undefined) {
    const why = pause.reason === "" ? "" : `: ${pause.reason}`;
    const when = new Date(pause.atMs).toISOString();
    rows.push(["payments", `paused by ${pause.who} at ${when}${why} (payouts resume)`]);
  }
  const list = (sums: Record<string, unknown>) =>
    Object.entries(sums).map(([name, value]) => `${name} ${value}`).join(", ");
  const coins = Object.fromEntries(
    Object.entries(money).map(([name, value]) => [
      name,
      formatCoins(shannonToWei(BigInt(value as string))),
    ]),
  );
  rows.push(["money", `${list(coins)}; payments under way ${paymentsOpen}`]);
  rows.push(["blocks", list(blocks)]);
  return rows;
}

function roundLines(data: Data): string[] {
  const total = BigInt(data.total);
  const percent = (part: bigint) =>
    total === 0n ? "" : `${(Number(part * 100_000n / total) / 1000).toFixed(3)} %`;
  const effort = data.effortPercent === undefined
    ? ""
    : `, ${data.effortPercent} % of the network's difficulty ${data.networkDifficulty}`;
  return [
    `${data.scheme}: ${data.total} hashes by ${data.logins} logins${effort}`,
    ...(data.rows.length === 0 ? [] : table(
      ["LOGIN", "DIFFICULTY", "PART"],
      data.rows.map((one: Data) => [
        ...[one.login, one.difficulty, percent(BigInt(one.difficulty))],
      ]),
    )),
  ];
}

function reloadLines({ applied, restart, certificates }: Data): string[] {
  const lines = (changes: Data[]) =>
    changes.map(({ key, before, after }) => `  ${key}: ${before || "-"} → ${after || "-"}`);
  return [
    applied.length === 0 ? "Nothing to take over has changed." : "Taken over:",
    ...lines(applied),
    ...(restart.length === 0 ? [] : ["Waits for a restart:", ...lines(restart)]),
    ...certificates.map((port: number) =>
      `The certificate of port ${port} could not be read: the former one stays (see the log)`
    ),
  ];
}
