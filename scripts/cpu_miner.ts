/** A CPU miner for development chains and tests: `deno run -A scripts/cpu_miner.ts --url URL`. */
import { createLogger, errorText, systemClock } from "../modules/base/mod.ts";
import { runMiner } from "./cpu_miner/mine.ts";
import { type MinerFlags, readFlags, USAGE, UsageError } from "./cpu_miner/options.ts";

export { type MinerTotals, runMiner } from "./cpu_miner/mine.ts";
export { type MinerOptions, type ReplyEntry } from "./cpu_miner/options.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs the command; returns 0 after a signal, 1 when it cannot run, 2 for wrong usage. */
async function main(args: string[]): Promise<number> {
  if (args.includes("--help")) {
    say(USAGE);
    return 0;
  }
  let flags: MinerFlags;
  try {
    flags = readFlags(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, onSignal);
  const log = createLogger(({ level, event, facts }) => {
    say(`${new Date().toISOString()} ${level} ${event} ${JSON.stringify(facts)}`);
  }, "miner");
  try {
    const totals = await runMiner({ ...flags, log, clock: systemClock }, stop.signal);
    log.info("miner.stopped", { ...totals });
    return 0;
  } catch (error) {
    say(errorText(error));
    return 1;
  }
}

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
