/** The benchmarks by name; each compares with others in the same run. */
import { parseArgs } from "node:util";
import { benchStratum } from "./bench_stratum/run.ts";
import { benchVerifier } from "./bench_verifier/run.ts";

const USAGE = `Usage: scripts/bench verifier [--rounds N] [--out DIR] [--dataset]
       scripts/bench stratum [--seconds N] [--threads N] [--out DIR]`;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      out: { type: "string", default: "data/bench" },
      dataset: { type: "boolean", default: false },
      seconds: { type: "string", default: "10" },
      threads: { type: "string", default: "1" },
    },
  });
  const [rounds, seconds, threads] = [values.rounds, values.seconds, values.threads].map(Number);
  const [name] = positionals;
  const known = positionals.length === 1 && (name === "verifier" || name === "stratum");
  if (
    !known || ![rounds, seconds, threads].every((count) => Number.isInteger(count) && count! > 0)
  ) {
    await Deno.stderr.write(new TextEncoder().encode(USAGE + "\n"));
    return 2;
  }
  const { out, dataset } = values;
  if (name === "verifier") await benchVerifier({ rounds: rounds!, out, dataset });
  else await benchStratum({ out, seconds: seconds!, threads: threads! });
  return 0;
}
