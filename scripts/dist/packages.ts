/** Packages as they are shipped: a cache for Deno with what is reached, and a configuration for it. */
import { dirname } from "node:path";
import type { NpmPackage } from "./roots.ts";

/** What only editors and type checkers read. */
const NOT_RUN = /\.(d\.[cm]?ts|map|tsbuildinfo|flow)$/;

/** Folders at a package's top that it never loads from: its own tests and documents. */
const NOT_SHIPPED = ["test", "tests", "examples", "benchmarks", "docs", ".github"];

/** Copies the packages into `folder`, as Deno's own cache has them. */
export async function copyPackages(
  packages: readonly NpmPackage[],
  folder: string,
): Promise<void> {
  for (const { path } of packages) {
    const place = path.slice(path.lastIndexOf("/npm/") + 1);
    const keep = (name: string) => !NOT_RUN.test(name);
    await copyFolder(path, `${folder}/${place}`, keep, NOT_SHIPPED);
  }
}

/** deno.json with what programs need to run: no tasks, no imports of tests and tools. */
export function runtimeConfig(text: string, packages: readonly NpmPackage[]): string {
  const { version, nodeModulesDir, lock, unstable, imports } = JSON.parse(text);
  const kept = Object.entries<string>(imports).filter(([, specifier]) =>
    packages.some(({ name, version }) => specifier === `npm:${name}@${version}`)
  );
  const config = { version, nodeModulesDir, lock, unstable, imports: Object.fromEntries(kept) };
  return JSON.stringify(config, null, 2) + "\n";
}

interface Lock {
  version: string;
  specifiers: Record<string, string>;
  npm: Record<string, { integrity: string; dependencies?: string[] }>;
  workspace: { dependencies: string[] };
}

/** deno.lock with these packages alone: Deno asks for every one that a lock names. */
export function runtimeLock(text: string, packages: readonly NpmPackage[]): string {
  const lock: Lock = JSON.parse(text);
  const ids = new Set(packages.map(({ id }) => id));
  const named = new Set(packages.map(({ name, version }) => `npm:${name}@${version}`));
  const only = <T>(record: Record<string, T>, keep: (key: string, value: T) => boolean) =>
    Object.fromEntries(Object.entries(record).filter(([key, value]) => keep(key, value)));
  const kept = {
    version: lock.version,
    specifiers: only(lock.specifiers, (key) => named.has(key)),
    npm: only(lock.npm, (key) => ids.has(key)),
    workspace: { dependencies: lock.workspace.dependencies.filter((one) => named.has(one)) },
  };
  return JSON.stringify(kept, null, 2) + "\n";
}

/** Copies a folder, names sorted, links followed, without some folders at its top. */
export async function copyFolder(
  from: string,
  to: string,
  keep: (name: string) => boolean = () => true,
  without: readonly string[] = [],
): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  const entries = await Array.fromAsync(Deno.readDir(from));
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (isDirectory && without.includes(name)) continue;
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`, keep);
    else if (keep(name)) await copyTo(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Copies a file and makes the folder it goes to. */
export async function copyTo(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await Deno.copyFile(from, to);
}
