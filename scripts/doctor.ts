/**
 * What a configuration meets in the world: Redis, nodes, wallet, ports, clock and limits.
 *
 *   deno task doctor CONFIG [--json]
 *
 * Reads and asks only; nothing is written or sent. Exit code 0 when all is well (notes are), 1 when
 * something is to be mended, 2 for wrong usage.
 */
import { errorText } from "../modules/base/mod.ts";
import { checkReport, type Config, loadConfig, type Warning } from "../modules/config/mod.ts";
import { machineChecks } from "./doctor/machine.ts";
import { moneyChecks } from "./doctor/money.ts";
import { nodeChecks } from "./doctor/nodes.ts";
import { poolChecks } from "./doctor/pool.ts";
import { redisChecks } from "./doctor/redis.ts";
import type { Check } from "./doctor/check.ts";

const USAGE = "Usage: deno task doctor CONFIG [--json]";
const MARKS = { ok: "ok  ", note: "note", fail: "FAIL" } as const;

/** Everything the doctor looks at, part by part. */
export async function examine(
  config: Config,
  warnings: readonly Warning[] = [],
): Promise<Check[]> {
  const parts = [
    ["redis", redisChecks],
    ["nodes", nodeChecks],
    ["money", moneyChecks],
    ["machine", machineChecks],
    ["pool", poolChecks],
  ] as const;
  const checks: Check[] = [];
  for (const [part, look] of parts) {
    try {
      checks.push(...await look(config, warnings));
    } catch (error) {
      const mend = "mend this first, then look again";
      checks.push({ part, state: "fail", finding: errorText(error), mend });
    }
  }
  return checks;
}

/** The checks as lines for people. */
export function linesOf(checks: readonly Check[]): string[] {
  const lines = checks.flatMap(({ part, state, finding, mend }) => [
    `${MARKS[state]}  ${part.padEnd(8)} ${finding}`,
    ...(mend === "" ? [] : [`               ${mend}`]),
  ]);
  const failed = checks.filter(({ state }) => state === "fail").length;
  return [...lines, failed === 0 ? "All is well." : `${failed} to be mended.`];
}

/** Runs the command; gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const [path, ...more] = args.filter((arg) => arg !== "--json");
  if (path === undefined || more.length > 0 || path.startsWith("-")) {
    await print([USAGE]);
    return args.includes("--help") ? 0 : 2;
  }
  let config: Config, warnings: readonly Warning[];
  try {
    ({ config, warnings } = loadConfig(path));
  } catch {
    const { lines } = checkReport(path);
    await print(lines);
    return 1;
  }
  const checks = await examine(config, warnings);
  await print(json ? [JSON.stringify(checks)] : linesOf(checks));
  return checks.some(({ state }) => state === "fail") ? 1 : 0;
}

async function print(lines: string[]): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(lines.join("\n") + "\n"));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
