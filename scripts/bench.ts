/** The benchmarks by name; each compares with others in the same run. */
import { parseArgs } from "node:util";
import { benchVerifier } from "./bench_verifier/run.ts";

const USAGE = "Usage: scripts/bench verifier [--rounds N] [--out DIR] [--dataset]";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      out: { type: "string", default: "data/bench" },
      dataset: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (positionals.join() !== "verifier" || !Number.isInteger(rounds) || rounds < 1) {
    await Deno.stderr.write(new TextEncoder().encode(USAGE + "\n"));
    return 2;
  }
  await benchVerifier({ rounds, out: values.out, dataset: values.dataset });
  return 0;
}
