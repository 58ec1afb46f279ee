/** Draws a chart with uPlot; loaded only when a page shows one. */
import uPlot from "uplot";

/** One line. */
export interface Line {
  label: string;
  values: readonly (number | null)[];
  /** Name of its colour's token. */
  color: string;
  dashed?: boolean;
}

/** What is drawn. */
export interface Plotted {
  /** Milliseconds since 1970 of each point. */
  times: readonly number[];
  lines: readonly Line[];
  /** Moments that are marked, in milliseconds. */
  marks: readonly number[];
  format(value: number): string;
  language: string;
}

/** A drawn chart. */
export interface Plot {
  resize(width: number, height: number): void;
  /** Puts the crosshair on a point; null takes it away. */
  point(index: number | null): void;
  destroy(): void;
}

/** Draws into an element; `onPoint` hears where the pointer is. */
export function plot(
  into: HTMLElement,
  { times, lines, marks, format, language }: Plotted,
  onPoint: (index: number | null) => void,
): Plot {
  const style = getComputedStyle(document.documentElement);
  const color = (token: string) => resolved(into, style.getPropertyValue(token).trim());
  const [text, grid] = [color("--muted"), color("--line")];
  const axis = {
    stroke: text,
    font: "12px system-ui",
    grid: { stroke: grid, width: 1 },
  };
  const spanMs = times.at(-1)! - times[0]!;
  const time = new Intl.DateTimeFormat(
    language,
    spanMs <= 90_000_000
      ? { hour: "2-digit", minute: "2-digit" }
      : { day: "numeric", month: "short" },
  );
  const chart = new uPlot(
    {
      width: into.clientWidth,
      height: into.clientHeight,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { y: { range: (_u, _min, max) => [0, niceTop(max)] } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          ticks: { stroke: grid, width: 1, size: 5 },
          ...{ space: 70, size: 32 },
          values: (_u, splits) => splits.map((at) => time.format(at * 1000)),
        },
        {
          ...axis,
          ticks: { show: false },
          space: 44,
          size: (_u, values) => 16 + 7 * Math.max(4, ...(values ?? []).map(({ length }) => length)),
          values: (_u, splits) => splits.map((value) => format(value)),
        },
      ],
      series: [
        {},
        ...lines.map((line, i) => ({
          label: line.label,
          stroke: color(line.color),
          width: 2,
          spanGaps: false,
          points: { show: false },
          ...(line.dashed ? { dash: [6, 4] } : {}),
          ...(i === 0 ? { fill: faded(color(line.color)) } : {}),
        })),
      ],
      hooks: {
        setCursor: [(u) => onPoint(u.cursor.idx ?? null)],
        draw: [(u) => drawMarks(u, marks, color("--series-2"))],
      },
    },
    [times.map((at) => at / 1000), ...lines.map(({ values }) => [...values])],
    into,
  );
  return {
    resize: (width, height) => chart.setSize({ width, height }),
    point(index) {
      if (index === null) return chart.setCursor({ left: -10, top: -10 });
      chart.setCursor({
        left: chart.valToPos(times[index]! / 1000, "x"),
        top: 10,
      });
    },
    destroy: () => chart.destroy(),
  };
}

/** Small triangles on the time axis. */
function drawMarks(u: uPlot, marks: readonly number[], color: string): void {
  const { ctx, bbox } = u;
  const size = 5 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = color;
  for (const at of marks) {
    const x = u.valToPos(at / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const y = bbox.top + bbox.height;
    ctx.beginPath();
    ctx.moveTo(x, y - 2 * size);
    ctx.lineTo(x + size, y);
    ctx.lineTo(x - size, y);
    ctx.fill();
  }
  ctx.restore();
}

/** A round number above the highest point. */
export function niceTop(max: number | null): number {
  if (max === null || !(max > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(max));
  const step = [1, 1.5, 2, 3, 4, 5, 7.5, 10, 15].find((one) => one * power >= max * 1.05) ??
    10;
  return step * power;
}

/** A token's colour as a canvas takes it: light-dark() is known to styles alone. */
function resolved(into: HTMLElement, value: string): string {
  const probe = document.createElement("i");
  probe.style.color = value;
  into.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function faded(rgb: string): string {
  return rgb.replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)");
}
