/**
 * Time series: evenly spaced points of one name, kept as text in spans that expire by themselves.
 * A whole range of a name is two reads, however long the pool has been running.
 */
import { StoreError } from "./redis.ts";
import type { Health } from "./status.ts";
import type { ViewDeps } from "./views.ts";

/** How far back a series reaches and how fine it is. */
export interface SeriesRange {
  /** Distance of two points (seconds). */
  stepSeconds: number;
  /** How far back points are kept at least (seconds). */
  spanSeconds: number;
}

/** The three ranges that are kept. */
export const SERIES_RANGES = {
  "24h": { stepSeconds: 300, spanSeconds: 86_400 },
  "7d": { stepSeconds: 3_600, spanSeconds: 7 * 86_400 },
  "30d": { stepSeconds: 10_800, spanSeconds: 30 * 86_400 },
} as const satisfies Record<string, SeriesRange>;

/** Name of a range. */
export type RangeName = keyof typeof SERIES_RANGES;

/** Name of the series of what worked: the fields of StatusBeat in their order, empty: not used. */
export const STATUS_SERIES = "status";

/** What worked in five minutes; absent: not used, or nobody looked. */
export interface StatusBeat {
  nodes?: Health;
  unlocker?: Health;
  payer?: Health;
  stats?: Health;
}

/** One point: what it says, as text. */
export interface SeriesPoint {
  /** Name of the series: "pool", "status", a login, or `login:worker`. */
  name: string;
  values: readonly string[];
}

/** Beyond its range a span of points lives this long (seconds): a chart begins in the middle of one. */
const SLACK_SECONDS = 3_600;
/** Points written in one transaction. */
const CHUNK = 250;
/** Series read in one transaction. */
const READ_CHUNK = 100;

/** Adds the points of one time to their series; a point that comes twice counts as the last time. */
export async function writeSeries(
  { store, keys }: ViewDeps,
  range: RangeName,
  startSeconds: number,
  points: readonly SeriesPoint[],
): Promise<void> {
  const { stepSeconds, spanSeconds } = SERIES_RANGES[range];
  const chunk = Math.floor(startSeconds / spanSeconds);
  const slot = (startSeconds - chunk * spanSeconds) / stepSeconds;
  const life = String((chunk + 2) * spanSeconds + SLACK_SECONDS - startSeconds);
  for (let i = 0; i < points.length; i += CHUNK) {
    await store.multi(
      points.slice(i, i + CHUNK).flatMap(({ name, values }) => {
        const key = keys.own.series(range, chunk, name);
        return [["APPEND", key, `${slot}:${values.join(",")};`], ["EXPIRE", key, life, "NX"]];
      }),
    );
  }
}

/**
 * Points of some names from `fromSeconds` on (a multiple of the step), each as a list with one place
 * per step; undefined where there is none.
 */
export async function readSeries(
  { store, keys }: ViewDeps,
  range: RangeName,
  names: readonly string[],
  fromSeconds: number,
  count: number,
): Promise<(readonly string[] | undefined)[][]> {
  const { stepSeconds, spanSeconds } = SERIES_RANGES[range];
  const first = Math.floor(fromSeconds / spanSeconds);
  const last = Math.floor((fromSeconds + (count - 1) * stepSeconds) / spanSeconds);
  const chunks = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const series: (readonly string[] | undefined)[][] = [];
  for (let i = 0; i < names.length; i += READ_CHUNK) {
    const part = names.slice(i, i + READ_CHUNK);
    const replies = await store.multi(
      part.flatMap((name) => chunks.map((chunk) => ["GET", keys.own.series(range, chunk, name)])),
    );
    part.forEach((name, n) => {
      const points: (readonly string[] | undefined)[] = Array.from({ length: count });
      chunks.forEach((chunk, c) => {
        const text = replies[n * chunks.length + c];
        if (text === null || text === undefined) return;
        fill(
          points,
          String(text),
          (slot) => (chunk * spanSeconds + slot * stepSeconds - fromSeconds) / stepSeconds,
          name,
        );
      });
      series.push(points);
    });
  }
  return series;
}

function fill(
  points: (readonly string[] | undefined)[],
  text: string,
  placeOf: (slot: number) => number,
  name: string,
): void {
  for (const point of text.split(";")) {
    if (point === "") continue;
    const colon = point.indexOf(":");
    const slot = Number(point.slice(0, colon));
    if (colon < 1 || !Number.isInteger(slot)) {
      throw new StoreError(`Cannot read the series of ${name}: "${point.slice(0, 40)}"`, "refused");
    }
    const place = placeOf(slot);
    if (place >= 0 && place < points.length) points[place] = point.slice(colon + 1).split(",");
  }
}

/** Up to when each range was written (unix seconds); 0 for one that never was. */
export async function readSeriesUntil(
  { store, keys }: ViewDeps,
): Promise<Record<RangeName, number>> {
  const names = Object.keys(SERIES_RANGES) as RangeName[];
  const reply = await store.command("HMGET", keys.own.seriesUntil(), ...names);
  const until = Array.isArray(reply) ? reply : [];
  return Object.fromEntries(names.map((name, i) => [name, Number(until[i] ?? 0)])) as Record<
    RangeName,
    number
  >;
}

/** Notes that a range is written up to a time (unix seconds). */
export async function writeSeriesUntil(
  { store, keys }: ViewDeps,
  range: RangeName,
  untilSeconds: number,
): Promise<void> {
  await store.command("HSET", keys.own.seriesUntil(), range, String(untilSeconds));
}
