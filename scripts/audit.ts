/**
 * Whether every Shannon of the books is accounted for; reads only, also while the pool runs.
 *
 *   deno task audit CONFIG [--json]
 *
 * Exit code 0 when the books add up, 1 when they do not or cannot be read, 2 for wrong usage.
 */
import { errorText, formatCoins, silentLogger } from "../modules/base/mod.ts";
import { loadConfig } from "../modules/config/mod.ts";
import {
  audit,
  type AuditReport,
  createKeys,
  isClean,
  openStore,
  readBooks,
  readUnknownBlocks,
  type UnknownBlock,
} from "../modules/ledger/mod.ts";

const USAGE = "Usage: deno task audit CONFIG [--json]";

/** The report as lines for people. */
export function linesOf(report: AuditReport, unknown: readonly UnknownBlock[]): string[] {
  const rules = report.rules.map(({ rule, compared, failed }) =>
    `${failed === 0 ? "ok  " : "FAIL"}  ${rule.padEnd(18)} ${compared} compared` +
    (failed === 0 ? "" : `, ${failed} differ`)
  );
  const findings = report.findings.map(({ rule, what, expected, found }) =>
    `      ${rule}: ${what}: expected ${expected}, found ${found} (${signed(found - expected)})`
  );
  const blocks = unknown.map(({ kind, height, hash, rewardWei }) =>
    `note  block ${height} ${hash} is ${kind}: ${formatCoins(rewardWei)} coins are nobody's credit`
  );
  return [
    ...rules,
    ...findings,
    ...report.notes.map((note) => `note  ${note}`),
    ...blocks,
    isClean(report) ? "The books add up." : "The books do not add up.",
  ];
}

/** Runs the command; gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const [path, ...more] = args.filter((arg) => arg !== "--json");
  if (path === undefined || more.length > 0 || path.startsWith("-")) {
    await print([USAGE]);
    return args.includes("--help") ? 0 : 2;
  }
  try {
    const { config } = loadConfig(path);
    const store = await openStore(config.redis, { log: silentLogger });
    try {
      const deps = { store, keys: createKeys(config.coin) };
      const report = audit(await readBooks(deps, { listUnreadable: true }));
      const unknown = await readUnknownBlocks(deps);
      await print(json ? [jsonOf({ ...report, unknown })] : linesOf(report, unknown));
      return isClean(report) ? 0 : 1;
    } finally {
      await store.close();
    }
  } catch (error) {
    await print([errorText(error)]);
    return 1;
  }
}

function signed(amount: bigint): string {
  return amount > 0n ? `+${amount}` : String(amount);
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, one) => typeof one === "bigint" ? String(one) : one);
}

async function print(lines: string[]): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(lines.join("\n") + "\n"));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
