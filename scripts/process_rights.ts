/**
 * The rights of a command with its configuration, as arguments of `deno run`, one a line.
 *
 *   deno run --allow-read --allow-env scripts/process_rights.ts pool CONFIG
 *
 * Without a configuration that can be used the command may read files and variables and no more:
 * it then says itself what is wrong, and does nothing.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigError, loadConfig, type LoadedConfig } from "../modules/config/mod.ts";
import { defaultLibraryPath } from "../modules/ethash/mod.ts";
import {
  CONFIG_COMMANDS,
  type ConfigCommand,
  type Place,
  processRights,
  rightsFlags,
} from "../modules/permissions/mod.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url)).replace(/\/$/, "");
const READING_ONLY = ["--no-prompt", "--allow-read", "--allow-env", "--allow-sys=hostname"];

/** The flags of a command with its arguments, the first of which names the configuration. */
export function flagsOf(command: ConfigCommand, args: readonly string[]): string[] {
  const path = args.find((arg) => !arg.startsWith("-"));
  if (path === undefined || args.includes("--check")) return READING_ONLY;
  let loaded: LoadedConfig;
  try {
    loaded = loadConfig(path);
  } catch (error) {
    if (error instanceof ConfigError) return READING_ONLY;
    throw error;
  }
  // The pool that drains is another process: this one only asks it to.
  const asks = command === "pool" && args.includes("--drain");
  return rightsFlags(
    processRights(asks ? "admin" : command, loaded.config, placeOf(path, loaded, args)),
  );
}

/** The arguments of `deno` that start a command as `scripts/quarry` does. */
export function denoArguments(command: ConfigCommand, args: readonly string[]): string[] {
  const main = command === "pool" ? "main.ts" : `scripts/${command}.ts`;
  return [
    "run",
    `--config=${ROOT}/deno.json`,
    ...flagsOf(command, args),
    `${ROOT}/${main}`,
    ...args,
  ];
}

function placeOf(path: string, { secrets }: LoadedConfig, args: readonly string[]): Place {
  const others = args.slice(args.indexOf(path) + 1);
  return {
    ...{ root: ROOT, library: defaultLibraryPath(), config: resolve(path) },
    secretFiles: secrets.flatMap((secret) => "file" in secret ? [secret.file] : []),
    secretVariables: secrets.flatMap((secret) => "env" in secret ? [secret.env] : []),
    // The last word of "ledger CONFIG export FILE".
    argumentFiles: others.slice(1).filter((arg) => !arg.startsWith("-")).map((arg) => resolve(arg)),
    env: (name) => Deno.env.get(name),
  };
}

if (import.meta.main) {
  const [command, ...args] = Deno.args;
  const known = CONFIG_COMMANDS.find((name) => name === command);
  const text = known === undefined
    ? `Usage: quarry rights ${CONFIG_COMMANDS.join("|")} CONFIG\n`
    : flagsOf(known, args).join("\n") + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  Deno.exit(known === undefined ? 2 : 0);
}
