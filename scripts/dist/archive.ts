/** Archives with the same bytes for the same files, and lists of checksums. */
import { basename } from "node:path";

/** Packs a folder under its own name: sorted, owned by root, every time the same. */
export async function tarball(tree: string, file: string, epoch: number): Promise<void> {
  const folder = tree.slice(0, tree.lastIndexOf("/"));
  await run("tar", [
    ...["--create", "--format=ustar", "--sort=name", `--mtime=@${epoch}`, "--owner=0", "--group=0"],
    ...["--numeric-owner", "--mode=u=rwX,go=rX", "--use-compress-program=gzip -n -6"],
    ...["--file", file, "--directory", folder, basename(tree)],
  ]);
}

/** SHA-256 of every file below a folder, as `sha256sum --check` reads it. */
export async function sumsOf(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const path of (await filesBelow(folder)).sort()) {
    lines.push(`${await sha256(`${folder}/${path}`)}  ${path}\n`);
  }
  return lines.join("");
}

/** Writes SHA256SUMS for some files beside them. */
export async function writeSums(folder: string, files: readonly string[]): Promise<void> {
  const lines = await Promise.all(
    files.map(async (file) => `${await sha256(file)}  ${basename(file)}\n`),
  );
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, lines.join(""));
}

/** Paths of all files below a folder. */
export async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (isDirectory) found.push(...await filesBelow(folder, `${prefix}${name}/`));
    else found.push(prefix + name);
  }
  return found;
}

/** Runs a program; an error has what it wrote. */
export async function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    ...{ args, env: { LC_ALL: "C", ...env }, stdout: "piped", stderr: "piped" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program} failed: ${text(stderr)}${text(stdout)}`.trim());
  return text(stdout);
}

async function sha256(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
