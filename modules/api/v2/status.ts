/** What works and what does not, with the reason and the mend. */
import { errorText } from "../../base/mod.ts";
import {
  type Health,
  loopHealth,
  type LoopStatus,
  nodeFreshMs,
  type PayoutsPause,
  readNodes,
  readPayoutsPause,
  readSeries,
  readStatus,
  STATUS_SERIES,
} from "../../ledger/mod.ts";
import { snapshotFreshMs } from "../readiness.ts";
import { asOf, type V2Deps } from "./deps.ts";
import { chartOf } from "./pool.ts";
import type { Status } from "./schemas.ts";

type Part = Status["parts"][number];

/** `/status`: answers also when Redis does not. */
export async function statusBody(deps: V2Deps): Promise<Status> {
  const { facts, clock } = deps;
  const nowMs = clock.now();
  const asOfMs = (await deps.overview.get())?.collectedAtMs;
  const away = await deps.store.command("PING").then(() => "", errorText);
  const stale = deps.store.stale ? `What is read is stale: ${deps.store.stale}` : "";
  const loops = away === "" ? await readStatus(deps) : {};
  const pause = away === "" ? await readPayoutsPause(deps) : undefined;
  return {
    asOfMs: asOfMs ?? nowMs,
    parts: [
      stratum(deps),
      await nodes(deps, away),
      part(
        "redis",
        away !== "" ? "away" : stale !== "" ? "waiting" : "ok",
        away || stale,
        "look at Redis, and at redis.endpoint and redis.replica",
      ),
      loop("unlocker", loops.unlocker, facts.runs.unlocker),
      payer(loops.payer, facts.runs.payer, pause),
      stats(asOfMs, nowMs, snapshotFreshMs(deps.statsCollectIntervalMs)),
    ],
  };
}

/** `/status/history`. */
export async function statusHistoryBody(deps: V2Deps) {
  const asOfMs = await asOf(deps);
  const { stepSeconds, fromSeconds, count } = chartOf("24h", Math.floor(asOfMs / 1000));
  const [points] = await readSeries(deps, "24h", [STATUS_SERIES], fromSeconds, count);
  const column = (index: number) =>
    points!.map((point) => (point?.[index] || null) as Health | null);
  return {
    ...{ asOfMs, stepMs: stepSeconds * 1000, fromMs: fromSeconds * 1000 },
    series: { nodes: column(0), unlocker: column(1), payer: column(2), stats: column(3) },
  };
}

function part(
  name: Part["name"],
  state: Part["state"],
  reason = "",
  mend = "",
  sinceAtMs: number | null = null,
): Part {
  return { name, state, sinceAtMs, reason, mend: state === "ok" || state === "off" ? "" : mend };
}

function stratum(deps: V2Deps): Part {
  const mining = deps.mining();
  if (mining === undefined) {
    return part("stratum", "off", "Mining runs in another process, or none");
  }
  if (mining.ready) return part("stratum", "ok");
  return part("stratum", "waiting", mining.reason, "look at the pool's log");
}

async function nodes(deps: V2Deps, away: string): Promise<Part> {
  const known = deps.mining()?.nodes;
  const mend = "look at the nodes, and at upstream in the configuration";
  if (known !== undefined) {
    const sick = known.filter((node) => !node.healthy);
    const reason = sick.map((node) => `${node.name}: ${node.reason}`).join("; ");
    if (sick.length === known.length) return part("nodes", "away", reason, mend);
    return part("nodes", "ok", reason);
  }
  if (away !== "") return part("nodes", "waiting", "Redis is away", "look at Redis");
  const rows = await readNodes(deps);
  if (rows.length === 0) return part("nodes", "off", "No instance has reported a node");
  const beat = Math.max(...rows.map(({ lastBeat }) => Number(lastBeat) * 1000));
  if (deps.clock.now() - beat <= nodeFreshMs(deps.facts.nodeBeatMs)) return part("nodes", "ok");
  return part("nodes", "away", "No instance has reported a node lately", mend, beat);
}

/** A loop that never wrote is off, unless this process is to run it. */
function loop(name: Part["name"], status: LoopStatus | undefined, runsHere: boolean): Part {
  if (status === undefined) {
    return runsHere
      ? part(name, "waiting", "It has not begun yet", "look at the pool's log")
      : part(name, "off", "It is not enabled");
  }
  const { reason, mend, sinceMs } = status;
  return part(name, loopHealth(status), reason, mend, sinceMs);
}

/** A pause holds whether a payer runs or not; what has halted one is said first. */
function payer(
  status: LoopStatus | undefined,
  runsHere: boolean,
  pause: PayoutsPause | undefined,
): Part {
  if (pause === undefined || status?.state === "halted") return loop("payer", status, runsHere);
  const reason = `Payments are paused by the operator${pause.reason && `: ${pause.reason}`}`;
  return part("payer", "waiting", reason, "quarry admin CONFIG payouts resume", pause.atMs);
}

function stats(asOfMs: number | undefined, nowMs: number, freshMs: number): Part {
  const mend = "look at the log of the process that runs the API";
  if (asOfMs === undefined) return part("stats", "waiting", "No statistics collected yet", mend);
  if (nowMs - asOfMs <= freshMs) return part("stats", "ok");
  const seconds = Math.round((nowMs - asOfMs) / 1000);
  return part("stats", "away", `The last statistics are ${seconds} s old`, mend, asOfMs);
}
