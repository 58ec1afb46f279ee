/** Progress of long commands: one line that moves on a terminal, a plain line now and then elsewhere. */

/** Pause between two drawings on a terminal, and between two lines elsewhere (milliseconds). */
const TERMINAL_MS = 100;
const LINES_MS = 5_000;

/** Where progress is shown. */
export interface ProgressDeps {
  write(text: string): void;
  isTerminal: boolean;
  /** Milliseconds. */
  now(): number;
}

/** Shows how far something has come. */
export interface Progress {
  /** @param total as far as it is known by now */
  update(done: number, total?: number): void;
  /** The last word; a terminal's line is finished. */
  end(): void;
}

/**
 * Progress with rate and time left, on standard error so that results stay clean.
 *
 * @param unit what is counted, in the plural ("keys")
 */
export function createProgress(
  title: string,
  unit: string,
  deps: ProgressDeps = {
    write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
    isTerminal: Deno.stderr.isTerminal(),
    now: () => performance.now(),
  },
): Progress {
  const { write, isTerminal, now } = deps;
  const startMs = now();
  let shownMs = -Infinity, shown = false, last: [number, number?] = [0];

  function show(): void {
    const text = progressLine(title, unit, last[0], last[1], now() - startMs);
    // Terminals: back to the line's start, and away with what a longer line left.
    write(isTerminal ? `\r${text}\x1b[K` : `${text}\n`);
    shownMs = now();
    shown = true;
  }
  return {
    update(done, total) {
      last = total === undefined ? [done] : [done, total];
      // A short job is over before anybody would look.
      const pauseMs = isTerminal ? TERMINAL_MS : LINES_MS;
      if (now() - Math.max(shownMs, startMs) >= pauseMs) show();
    },
    end() {
      if (!shown) return;
      show();
      if (isTerminal) write("\n");
    },
  };
}

/** One line: "export 1,200 of 5,000 keys, 400/s, 10 s left". */
export function progressLine(
  title: string,
  unit: string,
  done: number,
  total: number | undefined,
  tookMs: number,
): string {
  const number = new Intl.NumberFormat("en");
  const of = total === undefined ? "" : ` of ${number.format(total)}`;
  const perSecond = tookMs > 0 ? done * 1000 / tookMs : 0;
  const rate = perSecond > 0 ? `, ${number.format(roughly(perSecond))}/s` : "";
  const left = total === undefined || perSecond === 0 || done >= total
    ? ""
    : `, ${durationOf((total - done) / perSecond)} left`;
  return `${title} ${number.format(done)}${of} ${unit}${rate}${left}`;
}

/** Two digits that say something. */
function roughly(value: number): number {
  return value >= 10 ? Math.round(value) : Math.round(value * 10) / 10;
}

function durationOf(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
