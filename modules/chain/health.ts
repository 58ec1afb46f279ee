/**
 * Which nodes can be worked with: a pure rule over what one round of checks found of all of them.
 *
 * A node is left at once when it fails, is syncing, is on another chain or on a fork, and when it
 * lags behind for a while; it is back after two good checks, or after one when there is no other.
 */

/** Good checks in a row that make a sick node healthy again while another one is healthy. */
export const HEALTHY_AFTER_CHECKS = 2;
/** Blocks that a node may be behind the best one for any time. */
export const LAG_BLOCKS_MAX = 1;
/** How long a node may be further behind (milliseconds). */
export const LAG_MS = 10_000;
/** Blocks below the heads at which nodes are compared: natural forks are shorter. */
export const FORK_DEPTH = 3;

/** What a check found of one node. */
export type Found =
  /** It answers, on the right chain; `hash` is that of its block at the height compared. */
  | { well: true; height: number; hash?: string }
  /** Why it cannot be worked with. */
  | { well: false; reason: string };

/** What is known of one node between two checks. */
export interface Standing {
  healthy: boolean;
  /** Why it is not healthy; empty when it is. */
  reason: string;
  /** Good checks in a row while it is not. */
  goodChecks: number;
  /** Height of its head at its last good check. */
  height?: number;
  /** Since when it is too many blocks behind (milliseconds since 1970). */
  behindSinceMs?: number;
}

/** What every node begins with. */
export const FIRST_STANDING: Standing = { healthy: true, reason: "", goodChecks: 0 };

/**
 * Judges one round of checks; all lists are in the nodes' order of preference.
 *
 * @param compared height of the block whose hashes were asked for
 */
export function judgeRound(
  found: readonly Found[],
  before: readonly Standing[],
  nowMs: number,
  compared = 0,
): Standing[] {
  const sides = sidesOf(found);
  const eligible = sides.length === 0 ? indexesOfWell(found) : sides.flat();
  const best = Math.max(...eligible.map((i) => heightOf(found[i]!)));
  const behindSince = found.map((one, i) =>
    one.well && best - one.height > LAG_BLOCKS_MAX ? before[i]!.behindSinceMs ?? nowMs : undefined
  );
  const lags = behindSince.map((since) => since !== undefined && nowMs - since >= LAG_MS);
  // As many on each side: that of the first node that was healthy so far, unless it lags.
  const main = sides.find((side) => side.some((i) => !lags[i] && before[i]!.healthy)) ??
    sides.find((side) => side.some((i) => !lags[i]));
  const troubles = found.map((_, i) => trouble(i));
  const next = found.map((one, i): Standing => {
    const sinceMs = behindSince[i];
    const height = one.well ? one.height : before[i]!.height;
    return {
      ...move(before[i]!, troubles[i]!, sinceMs === undefined),
      ...(height === undefined ? {} : { height }),
      ...(sinceMs === undefined ? {} : { behindSinceMs: sinceMs }),
    };
  });
  if (next.some(({ healthy }) => healthy)) return next;
  // Better one that has just come back than nobody.
  return next.map((one, i) =>
    troubles[i] === "" ? { ...one, healthy: true, reason: "", goodChecks: 0 } : one
  );

  function trouble(i: number): string {
    const one = found[i]!;
    if (!one.well) return one.reason;
    if (main !== undefined && !main.includes(i)) {
      if (one.hash !== undefined) {
        return `on a fork: its block ${compared} is not that of ${main.length} other(s)`;
      }
      if (one.height >= compared) return `its head is ${one.height}, but it has no ${compared}`;
    }
    return lags[i] ? `${best - one.height} blocks behind for ${nowMs - behindSince[i]!} ms` : "";
  }
}

/** The height at which the next round compares the nodes' blocks; undefined: nothing to compare. */
export function heightToCompare(found: readonly Found[]): number | undefined {
  const heights = indexesOfWell(found).map((i) => heightOf(found[i]!)).sort((a, b) => a - b);
  if (heights.length < 2) return undefined;
  // Not the highest, which one node alone may claim; not the lowest, which may be far behind.
  const height = heights[Math.floor((heights.length - 1) / 2)]! - FORK_DEPTH;
  return height > 0 ? height : undefined;
}

/** The nodes by the block that they have, the largest sides alone, each and all in order. */
function sidesOf(found: readonly Found[]): number[][] {
  const sides = new Map<string, number[]>();
  for (const [i, one] of found.entries()) {
    if (!one.well || one.hash === undefined) continue;
    sides.set(one.hash, [...sides.get(one.hash) ?? [], i]);
  }
  const largest = Math.max(0, ...[...sides.values()].map((side) => side.length));
  return [...sides.values()].filter((side) => side.length === largest);
}

function move(before: Standing, reason: string, keepsUp: boolean): Standing {
  if (reason !== "") return { healthy: false, reason, goodChecks: 0 };
  if (before.healthy) return { healthy: true, reason: "", goodChecks: 0 };
  // A node that came back and is still behind is not back yet.
  if (!keepsUp) return { healthy: false, reason: before.reason, goodChecks: 0 };
  const goodChecks = before.goodChecks + 1;
  const healthy = goodChecks >= HEALTHY_AFTER_CHECKS;
  return { healthy, reason: healthy ? "" : before.reason, goodChecks: healthy ? 0 : goodChecks };
}

function indexesOfWell(found: readonly Found[]): number[] {
  return found.flatMap((one, i) => one.well ? [i] : []);
}

function heightOf(found: Found): number {
  return found.well ? found.height : -1;
}
