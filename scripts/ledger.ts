/**
 * The whole state of a pool in a file, and back.
 *
 *   deno task ledger CONFIG export FILE    writes every key; FILE "-" is standard output
 *   deno task ledger CONFIG import FILE    into a database that is empty under the file's coin
 *
 * Exit code 0 when the file is a whole backup or all of it was written, 1 when not, 2 for wrong usage.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createProgress } from "./progress.ts";
import { errorText, PoolError, silentLogger } from "../modules/base/mod.ts";
import { loadConfig } from "../modules/config/mod.ts";
import {
  audit,
  checkExport,
  createKeys,
  exportLedger,
  importLedger,
  isClean,
  type LedgerDeps,
  openStore,
  readBooks,
} from "../modules/ledger/mod.ts";

const USAGE = "Usage: deno task ledger CONFIG export FILE | import FILE";

/** Runs a command; gives its last word and the exit code. */
export async function runLedger(
  deps: LedgerDeps,
  command: string,
  file: string,
): Promise<{ line: string; exitCode: 0 | 1 }> {
  return command === "export" ? await toFile(deps, file) : await fromFile(deps, file);
}

async function toFile(deps: LedgerDeps, file: string) {
  const partial = `${file}.partial`;
  using output = file === "-" ? undefined : await Deno.open(partial, {
    ...{ write: true, create: true, truncate: true },
    // Balances are nobody else's business.
    mode: 0o600,
  }).catch((cause) => {
    throw new PoolError(`Cannot write ${partial}: name a file in a folder that is there`, {
      cause,
    });
  });
  const encoder = new TextEncoder();
  const to = output ?? Deno.stdout;
  const progress = createProgress("export", "keys");
  const { keys, consistent } = await exportLedger(deps, Date.now(), async (line) => {
    let bytes = encoder.encode(line + "\n");
    while (bytes.length > 0) bytes = bytes.subarray(await to.write(bytes));
  }, progress.update);
  progress.end();
  if (output !== undefined) {
    await output.sync();
    // A file that import refuses must not take the place of an earlier backup.
    if (consistent && keys > 0) await Deno.rename(partial, file);
    else await Deno.remove(partial);
  }
  if (keys === 0) {
    const line = `there is nothing under "${deps.keys.prefix}:": check coin and redis.database`;
    return { line, exitCode: 1 as const };
  }
  return consistent ? { line: `${keys} keys are in ${file}`, exitCode: 0 as const } : {
    line: "money moved meanwhile, there is no new file: export again while unlocker and payer rest",
    exitCode: 1 as const,
  };
}

async function fromFile(deps: LedgerDeps, file: string) {
  await Deno.stat(file).catch((cause) => {
    throw new PoolError(`Cannot read ${file}: name a file that an export wrote`, { cause });
  });
  const lines = () => readLines(file);
  const { prefix } = await checkExport(lines());
  const progress = createProgress("import", "keys");
  const count = await importLedger(deps, lines(), progress.update);
  progress.end();
  const clean = isClean(audit(await readBooks(deps)));
  const from = prefix === deps.keys.prefix ? "" : `, "${prefix}" before`;
  return {
    line: `${count} keys are under "${deps.keys.prefix}:"${from}; ` +
      (clean ? "the books add up" : "the books do not add up: see deno task audit"),
    exitCode: clean ? 0 as const : 1 as const,
  };
}

/** Opens the file when the first line is wanted: an interface that waits loses lines. */
async function* readLines(file: string): AsyncGenerator<string> {
  yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
}

/** Runs the command; gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [path, command, file, ...more] = args;
  const known = command === "export" || command === "import";
  const option = args.find((arg) => arg.startsWith("-") && arg !== "-");
  if (
    path === undefined || !known || file === undefined || more.length > 0 || option !== undefined
  ) {
    await say(USAGE);
    return option === "--help" ? 0 : 2;
  }
  try {
    const { config } = loadConfig(path);
    const store = await openStore(config.redis, { log: silentLogger });
    try {
      const { line, exitCode } = await runLedger(
        { store, keys: createKeys(config.coin) },
        command,
        file,
      );
      await say(line);
      return exitCode;
    } finally {
      await store.close();
    }
  } catch (error) {
    await say(errorText(error));
    return 1;
  }
}

/** On standard error, so that an export to standard output stays a file. */
async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(line + "\n"));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
