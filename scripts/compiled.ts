/**
 * The single binary's beginning: unpacks the verifier and runs the pool or one of its tools.
 *
 * The rights of the binary are fixed when it is made. The pool gives up what its configuration does
 * not need, and its Deno workers have the same rights as everywhere.
 */
import { fileURLToPath } from "node:url";
import { chooseLibrary, libraryFileName, unpackLibrary } from "../modules/ethash/mod.ts";
import { VERSION } from "./version.ts";

const USAGE = `Usage: quarry CONFIG [--check]
       quarry admin|doctor|audit|payouts|ledger|migrate|dag CONFIG ...
       quarry verify-share ...
       quarry ready [PORT]
       quarry sample [NAME]
       quarry --version`;
const SAMPLES = fileURLToPath(new URL("../config/", import.meta.url));

/** Commands by their names; the pool is what is none of them. */
const COMMANDS: Record<string, (args: string[]) => Promise<number>> = {
  admin: async (args) => (await import("./admin.ts")).main(args),
  audit: async (args) => (await import("./audit.ts")).main(args),
  dag: async (args) => (await import("./dag.ts")).main(args),
  doctor: async (args) => (await import("./doctor.ts")).main(args),
  ledger: async (args) => (await import("./ledger.ts")).main(args),
  migrate: async (args) => (await import("./migrate.ts")).main(args),
  payouts: async (args) => (await import("./payouts.ts")).main(args),
  ready: async (args) => (await import("./ready.ts")).main(args),
  "verify-share": async (args) => (await import("./verify_share.ts")).main(args),
  sample: ([name]) => Promise.resolve(sample(name)),
  "--version": () => Promise.resolve(say(`quarry ${VERSION}`, 0)),
  ...Object.fromEntries(
    ["help", "--help", "-h"].map((name) => [name, () => Promise.resolve(say(USAGE, 0))]),
  ),
};
/** Those that hash. */
const HASHING = ["dag", "doctor", "verify-share"];

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  if (first === undefined) Deno.exit(say(USAGE, 2));
  const command = COMMANDS[first];
  if (Deno.build.standalone && (command === undefined || HASHING.includes(first))) await unpack();
  if (command !== undefined) Deno.exit(await command(rest));
  await (await import("../main.ts")).main(Deno.args);
}

async function unpack(): Promise<void> {
  const embedded = fileURLToPath(new URL(`../native/build/${libraryFileName()}`, import.meta.url));
  const parent =
    ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "TMPDIR"].map((name) => Deno.env.get(name))
      .find((folder) => folder !== undefined && folder !== "") ?? "/tmp";
  try {
    chooseLibrary(
      await unpackLibrary({
        bytes: await Deno.readFile(embedded),
        sha256: (await Deno.readTextFile(`${embedded}.sha256`)).trim(),
        ...{ parent: parent.split(":")[0]!, uid: Deno.uid() ?? 0 },
      }),
    );
  } catch (error) {
    Deno.exit(say((error as Error).message, 1));
  }
}

/** Prints a sample configuration, or the names of all. */
function sample(name: string | undefined): number {
  const names = [...Deno.readDirSync(SAMPLES)].map((entry) => entry.name)
    .filter((file) => file.endsWith(".json")).sort();
  if (name === undefined) return say(names.join("\n"), 0);
  const file = names.find((one) => one === name || one === `${name}.json`);
  if (file === undefined) return say(`There is no sample ${name}: ${names.join(", ")}`, 2);
  return say(Deno.readTextFileSync(SAMPLES + file).trimEnd(), 0);
}

function say(text: string, exitCode: number): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
  return exitCode;
}
