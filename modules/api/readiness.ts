/** Whether this process can serve: mining, Redis and a fresh snapshot, with the reason if not. */
import { type Clock, errorText } from "../base/mod.ts";
import type { PoolSnapshot, ViewDeps } from "../ledger/mod.ts";
import type { Latest } from "./latest.ts";

/** What the API needs to know of mining; undefined when this process does not mine. */
export interface MiningHealth {
  ready: boolean;
  /** Why it is not ready; empty when it is. */
  reason: string;
  /** Connected miners. */
  sessions: number;
  /** The nodes that this process watches. */
  nodes?: readonly { name: string; healthy: boolean; reason: string }[];
}

/** What readiness is judged by. */
export interface ReadinessDeps extends ViewDeps {
  clock: Clock;
  mining(): MiningHealth | undefined;
  pool: Latest<PoolSnapshot>;
  /** Pause between collections (milliseconds). */
  statsCollectIntervalMs: number;
}

/** A snapshot is fresh for this many collections, and at least for FRESH_MS_MIN. */
const FRESH_COLLECTIONS = 3;
const FRESH_MS_MIN = 30_000;

/** An empty reason means ready. */
export interface Readiness {
  ready: boolean;
  reason: string;
  /** Age (milliseconds) of the snapshot; absent before the first. */
  snapshotAgeMs?: number;
  /** Connected miners; absent when this process does not mine. */
  sessions?: number;
}

/** How long a snapshot counts as fresh (milliseconds), by the pause between collections. */
export function snapshotFreshMs(statsCollectIntervalMs: number): number {
  return Math.max(FRESH_MS_MIN, FRESH_COLLECTIONS * statsCollectIntervalMs);
}

/** Looks at mining, then Redis, then the snapshot: the first that fails is the reason. */
export async function readiness(deps: ReadinessDeps): Promise<Readiness> {
  const mining = deps.mining();
  const away = await deps.store.command("PING").then(() => "", (error) => errorText(error));
  const snapshot = await deps.pool.get();
  const ageMs = snapshot === undefined ? undefined : deps.clock.now() - snapshot.collectedAtMs;
  const freshMs = snapshotFreshMs(deps.statsCollectIntervalMs);
  const reason = mining?.ready === false
    ? `Mining is not ready: ${mining.reason}`
    : away !== ""
    ? `Redis does not answer: ${away}`
    : deps.store.stale
    ? `What is read is stale: ${deps.store.stale}`
    : ageMs === undefined
    ? "No statistics collected yet"
    : ageMs > freshMs
    ? `The last statistics are ${Math.round(ageMs / 1000)} s old`
    : "";
  return {
    ...{ ready: reason === "", reason },
    ...(ageMs === undefined ? {} : { snapshotAgeMs: ageMs }),
    ...(mining === undefined ? {} : { sessions: mining.sessions }),
  };
}
