/** The benchmarks by name; each compares with others in the same run. */
import { parseArgs } from "node:util";
import { benchApi } from "./bench_api/run.ts";
import { sayReport, soak } from "./bench_soak/run.ts";
import { say } from "./bench_stratum/figures.ts";
import { benchStratum, STRATUM_PARTS, type StratumPart } from "./bench_stratum/run.ts";
import { benchVerifier } from "./bench_verifier/run.ts";

const USAGE = `Usage: scripts/bench verifier [--rounds N] [--out DIR] [--dataset]
       scripts/bench api [--rounds N] [--seconds N] [--out DIR]
       scripts/bench soak [--minutes N] [--miners N] [--rate N]
       scripts/bench stratum [--all | PART...] [--seconds N] [--threads N] [--shares N] [--out DIR]
  parts: ${STRATUM_PARTS.map((part) => `--${part}`).join(" ")}; without any: --light --crowd`;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  const flag = { type: "boolean", default: false } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { ...flag, short: "h" },
      rounds: { type: "string", default: "5" },
      minutes: { type: "string", default: "60" },
      miners: { type: "string", default: "2000" },
      rate: { type: "string", default: "600" },
      out: { type: "string", default: "data/bench" },
      dataset: flag,
      seconds: { type: "string", default: "10" },
      threads: { type: "string", default: "1" },
      shares: { type: "string", default: "200000" },
      ...{ all: flag, light: flag, dag: flag, crowd: flag },
      ...{ sessions: flag, workers: flag, ledger: flag },
    },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const { minutes, miners, rate } = values;
  const counts = [values.rounds, values.seconds, values.threads, values.shares].map(Number);
  counts.push(Number(minutes), Number(miners), Number(rate));
  const [rounds, seconds, threads, shares] = counts;
  const [name] = positionals;
  const names = ["verifier", "stratum", "api", "soak"];
  const known = positionals.length === 1 && names.includes(name ?? "");
  if (!known || !counts.every((count) => Number.isInteger(count) && count > 0)) {
    await Deno.stderr.write(new TextEncoder().encode(USAGE + "\n"));
    return 2;
  }
  const { out, dataset } = values;
  if (name === "verifier") await benchVerifier({ rounds: rounds!, out, dataset });
  else if (name === "soak") {
    const sizes = { minutes: Number(minutes), sessions: Number(miners), rate: Number(rate) };
    sayReport(await soak({ ...sizes, say }), say);
  } else if (name === "api") {
    await benchApi({ rounds: rounds!, seconds: seconds!, out, requests: 1_000 });
  } else {
    const chosen = STRATUM_PARTS.filter((part) => values.all || values[part]);
    const parts: StratumPart[] = chosen.length > 0 ? chosen : ["light", "crowd"];
    await benchStratum({ out, seconds: seconds!, threads: threads!, shares: shares!, parts });
  }
  return 0;
}
