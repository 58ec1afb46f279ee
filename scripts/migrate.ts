/**
 * Looks at another pool's database before quarry takes it over, and changes it only when told.
 *
 *   deno task migrate CONFIG                        what is in it, what is not understood, what does
 *                                                   not add up; reads only
 *   deno task migrate CONFIG --sign-off NAME        accepts what does not add up, once, under a name
 *   deno task migrate CONFIG --upgrade-friends      gives open-etc-pool-friends' rows the old layout
 *   deno task migrate CONFIG --rename PREFIX        moves every key, as a Cluster wants it: {etc}
 *
 * Exit code 0 when quarry can take over (or did what it was told), 1 when not, 2 for wrong usage.
 */
import { parseArgs } from "node:util";
import { errorText, silentLogger, systemClock, unixSeconds } from "../modules/base/mod.ts";
import { loadConfig, plain } from "../modules/config/mod.ts";
import {
  audit,
  createKeys,
  createPayments,
  type LedgerDeps,
  oldPoolSeen,
  openStore,
  readBooks,
  readOpening,
  renamePrefix,
  survey,
  upgradeFriends,
  writeOpening,
} from "../modules/ledger/mod.ts";
import { createProgress } from "./progress.ts";

const USAGE = "Usage: deno task migrate CONFIG [--sign-off NAME | --upgrade-friends | " +
  "--rename PREFIX]";

/** What the command prints, and its exit code. */
export interface MigrateResult {
  lines: string[];
  exitCode: 0 | 1;
}

/** Says what stands between this database and quarry. */
export async function examineDatabase(deps: LedgerDeps): Promise<MigrateResult> {
  const progress = createProgress("look", "keys");
  const { rows, friends, unknown, ours } = await survey(deps, progress.update);
  progress.end();
  const lines = rows.map(({ key, own, friends, unreadable }) =>
    `rows  ${key}: ${own} of open-ethereum-pool` +
    (friends === 0 ? "" : `, ${friends} of open-etc-pool-friends`) +
    (unreadable.length === 0 ? "" : `, ${unreadable.length} unreadable`)
  );
  const troubles: string[] = [];
  for (const { key, unreadable } of rows) {
    for (const member of unreadable.slice(0, 5)) {
      troubles.push(`${key} has a row that no pool writes: ${member}`);
    }
  }
  if (friends.size > 0) {
    const families = [...friends].map(([family, count]) => `${family} (${count})`).join(", ");
    lines.push(`note  left as it is, of open-etc-pool-friends alone: ${families}`);
  }
  if (unknown.length > 0) {
    const some = unknown.slice(0, 5).join(", ");
    lines.push(`note  ${unknown.length} keys of nobody known are left alone: ${some}`);
  }
  if (await oldPoolSeen(deps)) troubles.push("the old pool still records shares: stop it");
  for (const row of await createPayments(deps).foreignRows()) {
    troubles.push(
      `the old pool left a payment unfinished (${row}): deno task payouts CONFIG resolve`,
    );
  }
  // Books with rows that cannot be read cannot be added up.
  if (rows.every(({ unreadable }) => unreadable.length === 0)) {
    troubles.push(...await differencesOf(deps));
  }
  lines.push(...troubles.map((trouble) => `FAIL  ${trouble}`));
  const friendly = rows.some((row) => row.friends > 0)
    ? " Its rows of open-etc-pool-friends are read as they are; going back to open-ethereum-pool " +
      "needs --upgrade-friends."
    : "";
  lines.push(
    troubles.length > 0
      ? "Not yet."
      : `quarry can take over${ours ? ", and has run here before" : ""}.${friendly}`,
  );
  return { lines, exitCode: troubles.length > 0 ? 1 : 0 };
}

/** Accepts what does not add up as the state of things when quarry took over. */
export async function signOff(deps: LedgerDeps, name: string): Promise<MigrateResult> {
  if (await oldPoolSeen(deps)) {
    return { lines: ["The old pool still records shares: stop it first."], exitCode: 1 };
  }
  const { findings } = audit(await readBooks(deps), Infinity);
  const differences = new Map(
    findings.map(({ what, expected, found }) => [what, found - expected]),
  );
  const signed = { differences, signedBy: name, signedAt: unixSeconds(systemClock) };
  if (await writeOpening(deps, signed)) {
    return { lines: [`${differences.size} differences are signed off by ${name}`], exitCode: 0 };
  }
  const { signedBy } = await readOpening(deps);
  return {
    lines: [`Differences were signed off before, by ${signedBy}: nothing changed.`],
    exitCode: 1,
  };
}

async function differencesOf(deps: LedgerDeps): Promise<string[]> {
  const report = audit(await readBooks(deps));
  const lines = report.findings.map(({ what, expected, found }) =>
    `${what}: expected ${expected}, found ${found}`
  );
  return lines.length === 0 ? [] : [
    ...lines,
    "the books do not add up: look at them, then accept them with --sign-off YOUR_NAME",
  ];
}

async function change(
  deps: LedgerDeps,
  values: { "sign-off"?: string; "upgrade-friends"?: boolean; rename?: string },
): Promise<MigrateResult> {
  if (values["sign-off"] !== undefined) return await signOff(deps, values["sign-off"]);
  if (values.rename === undefined && !values["upgrade-friends"]) return await examineDatabase(deps);
  if (await oldPoolSeen(deps)) {
    return { lines: ["The old pool still records shares: stop it first."], exitCode: 1 };
  }
  if (values.rename === undefined) {
    const progress = createProgress("upgrade", "keys");
    const rewritten = await upgradeFriends(deps, progress.update);
    progress.end();
    return { lines: [`${rewritten} rows rewritten`], exitCode: 0 };
  }
  const count = await renamePrefix(deps, values.rename);
  const lines = [`${count} keys are under "${values.rename}:"; set coin to "${values.rename}"`];
  return { lines, exitCode: 0 };
}

/** Runs the command; gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        "sign-off": { type: "string" },
        "upgrade-friends": { type: "boolean" },
        rename: { type: "string" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    await print([errorText(error), USAGE]);
    return 2;
  }
  const { values, positionals: [path, ...more] } = parsed;
  if (path === undefined || more.length > 0 || values.help || Object.keys(values).length > 1) {
    await print([USAGE]);
    return values.help ? 0 : 2;
  }
  try {
    const { config } = loadConfig(path);
    const store = await openStore(plain(config.redis), { log: silentLogger });
    try {
      const { lines, exitCode } = await change({ store, keys: createKeys(config.coin) }, values);
      await print(lines);
      return exitCode;
    } finally {
      await store.close();
    }
  } catch (error) {
    await print([errorText(error)]);
    return 1;
  }
}

async function print(lines: string[]): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(lines.join("\n") + "\n"));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
