/** Rows of results as a text table and as an SVG bar chart. */

/** One compared figure. */
export interface Row {
  epoch: number;
  what: string;
  /** Median microseconds of one operation. */
  micros: number;
  unit: string;
  anchorMicros: number;
  /** How many times faster than the anchor, round by round, ascending. */
  ratios: number[];
  /** The least ratio that is aimed at. */
  goal?: number;
}

/** The middle of the ratios. */
export function ratioOf(row: Row): number {
  return row.ratios[Math.floor(row.ratios.length / 2)]!;
}

/** A table for people. */
export function table(rows: Row[]): string {
  const head = ["epoch", "what", "µs", "ratio", "spread", "goal", ""];
  const lines = rows.map((row) => [
    String(row.epoch),
    row.what,
    row.micros.toFixed(row.micros < 10 ? 3 : 1),
    number(ratioOf(row)),
    `${number(row.ratios[0]!)}–${number(row.ratios.at(-1)!)}`,
    row.goal === undefined ? "" : number(row.goal),
    row.goal === undefined ? "" : ratioOf(row) >= row.goal ? "met" : "not met",
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...lines].map((line) => line[i]!.length)));
  return [head, ...lines].map((line) => line.map((cell, i) => cell.padEnd(widths[i]!)).join("  "))
    .join("\n");
}

function number(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

/** A bar per row on a logarithmic axis, with the goal as a mark. */
export function barChart(rows: Row[]): string {
  const shown = rows.filter((row) => row.unit === "verify" && row.anchorMicros < 1e6);
  const [left, width, step] = [330, 420, 26];
  const most = Math.max(...shown.map((row) => Math.max(ratioOf(row), row.goal ?? 0)), 10);
  const x = (ratio: number) => left + width * Math.log10(Math.max(ratio, 1)) / Math.log10(most);
  const bars = shown.map((row, i) => {
    const y = 40 + i * step;
    const goal = row.goal === undefined
      ? ""
      : `<path d="M${x(row.goal).toFixed(1)} ${y - 2}v20" stroke="#b4451f" stroke-width="2"/>`;
    return `<text x="${left - 8}" y="${
      y + 12
    }" text-anchor="end">epoch ${row.epoch}: ${row.what}</text>` +
      `<rect x="${left}" y="${y}" width="${
        (x(ratioOf(row)) - left).toFixed(1)
      }" height="16" fill="#1f6b52"/>` +
      goal + `<text x="${x(ratioOf(row)) + 6}" y="${y + 12}">${number(ratioOf(row))} ×</text>`;
  });
  const height = 60 + shown.length * step;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 80} ${height}" ` +
    `font-family="system-ui, sans-serif" font-size="12">` +
    `<text x="8" y="20" font-size="15">Times faster than go-ethereum's light verifier, ` +
    `thread CPU time, same run (red: goal)</text>${bars.join("")}</svg>\n`;
}
