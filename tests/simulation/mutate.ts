/** Runs the simulation over a copy of the tree in which a bug was planted. */
import { fileURLToPath } from "node:url";
import type { Mutation } from "./mutations.ts";

/** What the copy needs to run. */
const COPIED = [
  "deno.json",
  "deno.lock",
  "modules",
  "scripts",
  "tests/simulation",
  "tests/support",
];
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What the simulation said of a planted bug; `code` is 1 when it was found. */
export interface MutationReport {
  code: number;
  output: string;
}

/**
 * Plants a bug in a copy of the tree and simulates there.
 *
 * @throws when a text to replace is not there exactly once: the mutation no longer applies
 */
export async function simulateMutation(mutation: Mutation): Promise<MutationReport> {
  const dir = await Deno.makeTempDir({ prefix: "quarry-mutation-" });
  try {
    for (const path of COPIED) await copy(`${ROOT}/${path}`, `${dir}/${path}`);
    for (const edit of mutation.edits) await plant(dir, mutation.name, edit);
    const { seed, days, worlds } = mutation;
    const args = ["--seed", `${seed}`, "--days", `${days}`, "--worlds", `${worlds}`];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "scripts/simulate.ts", ...args],
      cwd: dir,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function plant(
  dir: string,
  name: string,
  { file, find, replace }: Mutation["edits"][number],
): Promise<void> {
  const text = await Deno.readTextFile(`${dir}/${file}`);
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(
      `Mutation "${name}" does not apply: ${file} has its text ${parts.length - 1} times. ` +
        "Write it anew for what the code says now",
    );
  }
  await Deno.writeTextFile(`${dir}/${file}`, parts.join(replace));
}

/** Copies a file, or a folder without its worker builds and tests' own copies. */
async function copy(from: string, to: string): Promise<void> {
  const { isDirectory } = await Deno.stat(from);
  if (!isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isSymlink } of Deno.readDir(from)) {
    if (!isSymlink && name !== "node_modules") await copy(`${from}/${name}`, `${to}/${name}`);
  }
}
