/**
 * A chart: the drawing for eyes, a sentence and arrow keys for ears, and the table behind it. A gap
 * in the numbers stays a gap: an outage must not look like a zero.
 */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { absolute, NONE } from "../format.ts";
import { locale } from "../i18n/lang.ts";
import { t } from "../i18n/mod.ts";
import type { Line, Plot } from "../plot.ts";
import { theme } from "../theme.ts";

/** What is drawn. */
export interface ChartProps {
  title: string;
  /** Beside the title: ranges to choose. */
  aside?: ComponentChildren;
  fromMs: number | undefined;
  stepMs: number;
  lines: readonly Line[];
  /** Moments marked on the axis, and what they are. */
  marks?: readonly number[];
  marksName?: string;
  format(value: number): string;
  /** Said when there is not one number. */
  empty: string;
}

/** One chart in its figure. */
export function Chart(props: ChartProps) {
  const {
    title,
    aside,
    fromMs,
    stepMs,
    lines,
    marks = [],
    marksName,
    format,
    empty,
  } = props;
  const at = useSignal<number | null>(null);
  const open = useSignal(false);
  const length = lines[0]?.values.length ?? 0;
  const times = Array.from({ length }, (_, i) => (fromMs ?? 0) + i * stepMs);
  const hasData = lines.some(({ values }) => values.some((value) => value !== null));
  const plot = useRef<Plot | undefined>(undefined);
  const canvas = useDrawing(
    { ...props, marks },
    times,
    hasData,
    plot,
    (i) => at.value = i,
  );

  function onKeyDown(event: KeyboardEvent) {
    const step = {
      ArrowLeft: -1,
      ArrowRight: 1,
      Home: -Infinity,
      End: Infinity,
    }[event.key];
    if (step === undefined || length === 0) return;
    event.preventDefault();
    const next = (at.value ?? (step < 0 ? length : -1)) + step;
    at.value = Math.max(0, Math.min(length - 1, next));
    plot.current?.point(at.value);
  }
  const read = at.value === null || at.value >= length
    ? ""
    : `${absolute(times[at.value]!)}: ${
      lines.map(({ label, values }) => `${label} ${shown(values[at.value!], format)}`).join(", ")
    }`;
  return (
    <figure class="chart">
      <figcaption class="head">
        <h2>{title}</h2>
        {aside}
      </figcaption>
      {fromMs !== undefined && !hasData ? <p class="empty canvas">{empty}</p> : (
        <div
          class="canvas"
          ref={canvas}
          role="img"
          tabIndex={0}
          aria-label={`${title}. ${summary(lines, format)}`}
          onKeyDown={onKeyDown}
        />
      )}
      <div class="legend">
        {hasData &&
          lines.map((line) => (
            <span
              key={line.label}
              class={`key ${line.color.slice(2)} ${line.dashed ? "dashed" : ""}`}
            >
              {line.label}
            </span>
          ))}
        {marks.length > 0 && marksName !== undefined && <span class="key mark">{marksName}</span>}
        <output aria-live="polite">{read}</output>
      </div>
      {hasData && (
        <details onToggle={(event) => open.value = event.currentTarget.open}>
          <summary>{t("chart.table")}</summary>
          {open.value && <Numbers {...{ title, times, lines, format }} />}
        </details>
      )}
    </figure>
  );
}

function useDrawing(
  { lines, format, marks, fromMs }: ChartProps & { marks: readonly number[] },
  times: readonly number[],
  hasData: boolean,
  plot: { current: Plot | undefined },
  onPoint: (index: number | null) => void,
) {
  const canvas = useRef<HTMLDivElement>(null);
  const what = JSON.stringify([fromMs, lines, marks]);
  const language = locale();
  const painted = theme.value;
  useEffect(() => {
    const into = canvas.current;
    if (into === null || !hasData) return;
    let gone = false;
    let watcher: ResizeObserver | undefined;
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = async () => {
      const { plot: drawn } = await import("../plot.ts");
      if (gone) return;
      plot.current?.destroy();
      plot.current = drawn(
        into,
        { times, lines, marks, format, language },
        onPoint,
      );
      watcher ??= new ResizeObserver(() =>
        plot.current?.resize(into.clientWidth, into.clientHeight)
      );
      watcher.observe(into);
    };
    void draw();
    dark.addEventListener("change", draw);
    return () => {
      gone = true;
      watcher?.disconnect();
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [what, language, painted, hasData]);
  return canvas;
}

function shown(
  value: number | null | undefined,
  format: (value: number) => string,
): string {
  return value === null || value === undefined ? NONE : format(value);
}

/** The lines in a sentence: least, most, latest, and how much is missing. */
export function summary(
  lines: readonly Line[],
  format: (value: number) => string,
): string {
  return lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return `${label}: ${t("noData")}.`;
    const missing = values.length - known.length;
    return t("chart.summary", {
      ...{
        label,
        least: format(Math.min(...known)),
        most: format(Math.max(...known)),
      },
      latest: format(known.at(-1)!),
    }) + (missing === 0 ? "" : ` ${t("chart.missing", { missing, of: values.length })}`);
  }).join(" ");
}

function Numbers({ title, times, lines, format }: {
  title: string;
  times: readonly number[];
  lines: readonly Line[];
  format(value: number): string;
}) {
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label={title}>
      <table>
        <caption class="hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{t("time")}</th>
            {lines.map(({ label }) => <th scope="col" class="number" key={label}>{label}</th>)}
          </tr>
        </thead>
        <tbody>
          {times.map((at, i) => (
            <tr key={at}>
              <td>{absolute(at)}</td>
              {lines.map(({ label, values }) => (
                <td class="number" key={label}>{shown(values[i], format)}</td>
              ))}
            </tr>
          )).reverse()}
        </tbody>
      </table>
    </div>
  );
}
