/** What the stratum bench prints and writes: figures with their goals. */

/** One figure. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** What it should be: "at most" or "at least" so much. */
  goal?: { atMost?: number; atLeast?: number };
}

/** Prints a line. */
export function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

/** Prints figures as a table. */
export function sayFigures(figures: Figure[]): void {
  for (const { what, value, unit, goal } of figures) {
    const limit = goal?.atMost !== undefined
      ? `≤ ${round(goal.atMost)}`
      : goal?.atLeast !== undefined
      ? `≥ ${round(goal.atLeast)}`
      : "";
    const verdict = goal === undefined ? "" : isMet(value, goal) ? "met" : "not met";
    const number = String(round(value)).padStart(9);
    say(`${what.padEnd(62)} ${number} ${unit.padEnd(8)} ${limit} ${verdict}`.trimEnd());
  }
}

/** Writes figures as JSON. */
export async function writeFigures(out: string, figures: Figure[]): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  const rows = figures.map((figure) =>
    figure.goal === undefined ? figure : { ...figure, met: isMet(figure.value, figure.goal) }
  );
  await Deno.writeTextFile(`${out}/stratum.json`, JSON.stringify(rows, null, 2) + "\n");
}

/** The middle one. */
export function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function isMet(value: number, { atMost, atLeast }: NonNullable<Figure["goal"]>): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
