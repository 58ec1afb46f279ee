/** The demo: starts every part on loopback, tells the milestones, stops everything it started. */
import { parseArgs } from "node:util";
import { errorText } from "../modules/base/mod.ts";
import { startDemo } from "./demo_run/start.ts";

/** Longest wait for the first payment after the pool's first line (milliseconds). */
const PAYMENT_MS = 180_000;
const USAGE = "Usage: scripts/demo [--once] [--geth] [--data DIR]";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  let values;
  try {
    values = parseArgs({
      args,
      options: {
        once: { type: "boolean", default: false },
        geth: { type: "boolean", default: false },
        data: { type: "string", default: "data/demo" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    say(`${errorText(error)}\n${USAGE}`);
    return 2;
  }
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const end = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => end.abort(new Error("stopped by you")));
  }
  try {
    await using demo = await startDemo({ dir: values.data, geth: values.geth, say }, end.signal);
    const failed = demo.failed.then((reason) => {
      throw new Error(reason);
    });
    const stopped = new Promise<never>((_, reject) =>
      end.signal.addEventListener("abort", () => reject(end.signal.reason), { once: true })
    );
    const late = values.once ? timeout(PAYMENT_MS, end.signal) : new Promise<never>(() => {});
    await Promise.race([demo.firstPayment, failed, stopped, late]);
    if (values.once) return 0;
    say("Everything works. Ctrl-C stops all of it.");
    await Promise.race([failed, stopped]);
    return 0;
  } catch (error) {
    if (end.signal.aborted && !values.once) return 0;
    say(`The demo ends: ${errorText(error)}`);
    return 1;
  }
}

async function timeout(ms: number, signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
  throw new Error(`no payment was confirmed within ${ms / 1000} s`);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}
