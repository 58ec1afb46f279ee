/** What worked in the last day, as a row of bars: tall and coloured where something did not. */
import { percent } from "../format.ts";
import { t } from "../i18n/mod.ts";
import type { StatusHistory } from "../types.ts";
import { Unknown } from "./small.tsx";

/** How a part was in five minutes; null: nobody looked. */
export type Beat = StatusHistory["series"]["nodes"][number];

/** A bar is the worst of so many. */
const EACH = 6;
const WIDTH = 4;
const ORDER: Beat[] = [null, "ok", "waiting", "halted", "away"];

/** The worst of each half hour. */
export function worst(beats: readonly Beat[]): Beat[] {
  return Array.from(
    { length: Math.ceil(beats.length / EACH) },
    (_, i) =>
      beats.slice(i * EACH, (i + 1) * EACH).reduce((a, b) =>
        ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a
      ),
  );
}

/** One time at which a part did not work. */
export interface Outage {
  part: keyof StatusHistory["series"];
  state: Exclude<Beat, "ok" | null>;
  fromMs: number;
  toMs: number;
}

/** Times at which something did not work, the newest first. */
export function outages({ series, fromMs, stepMs }: StatusHistory): Outage[] {
  const found: Outage[] = [];
  for (const part of Object.keys(series) as Outage["part"][]) {
    let open: Outage | undefined;
    series[part].forEach((state, i) => {
      const atMs = fromMs + i * stepMs;
      if (state === null || state === "ok") open = undefined;
      else if (open?.state === state) open.toMs = atMs + stepMs;
      else {found.push(
          open = { part, state, fromMs: atMs, toMs: atMs + stepMs },
        );}
    });
  }
  return found.sort((a, b) => b.fromMs - a.fromMs);
}

/** @param name of the part, for those who do not see the bars */
export function Beats({ of, name }: { of: readonly Beat[]; name: string }) {
  const known = of.filter((beat) => beat !== null);
  if (known.length === 0) return <Unknown />;
  const part = percent(
    known.filter((beat) => beat === "ok").length / known.length * 100,
  );
  const bars = worst(of);
  return (
    <span class="beats">
      <svg
        role="img"
        aria-label={t("status.beats", { name, part })}
        viewBox={`0 0 ${bars.length * WIDTH} 20`}
        preserveAspectRatio="none"
      >
        {bars.map((beat, i) => (
          <rect
            key={i}
            class={beat ?? "none"}
            x={i * WIDTH}
            y={beat === "ok" ? 8 : beat === null ? 18 : 0}
            width={WIDTH - 1}
            height={20}
          />
        ))}
      </svg>
      <small aria-hidden="true">{part}</small>
    </span>
  );
}
