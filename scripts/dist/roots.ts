/** What of the project goes to operators: the modules that its commands reach, and files beside them. */
import { fileURLToPath } from "node:url";

/** The project's folder, without a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** What `scripts/quarry` runs, and the Deno workers, which are reached by URL and not by import. */
export const ROOTS: readonly string[] = [
  "main.ts",
  ...["alerts", "payouts", "stats", "stratum", "unlocker"].map((room) =>
    `modules/${room}/worker.ts`
  ),
  ...[
    "admin",
    "audit",
    "dag",
    "doctor",
    "ledger",
    "migrate",
    "payouts",
    "process_rights",
    "verify_share",
  ]
    .map(
      (name) => `scripts/${name}.ts`,
    ),
  ...["scripts/ready.ts", "scripts/version.ts"],
];

/** Folders that are shipped as they are, if they are there. */
export const FOLDERS: readonly string[] = ["config", "docs", "frontend/dist"];
/** Files that are shipped as they are. */
export const FILES: readonly string[] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE"];

/** One package from npm, as Deno's own cache holds it. */
export interface NpmPackage {
  /** As deno.lock names it, with its peers. */
  id: string;
  name: string;
  version: string;
  /** Ids. */
  dependencies: string[];
  /** Its folder. */
  path: string;
}

/** Modules (paths below the project) and packages that some roots reach. */
export interface Reached {
  modules: string[];
  packages: NpmPackage[];
}

interface Info {
  modules: { specifier: string; error?: string }[];
  npmPackages: Record<
    string,
    { name: string; version: string; dependencies: string[]; localPath: string }
  >;
}

/** Asks Deno what the roots reach. */
export async function reach(roots: readonly string[] = ROOTS): Promise<Reached> {
  const modules = new Set<string>();
  const wanted = new Set<string>();
  let known: Info["npmPackages"] = {};
  for (const root of roots) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", root],
      ...{ cwd: ROOT, stdout: "piped", stderr: "piped" },
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const info: Info = JSON.parse(new TextDecoder().decode(stdout));
    known = { ...known, ...info.npmPackages };
    for (const { specifier, error } of info.modules) {
      if (error !== undefined) throw new Error(`${root}: ${error}`);
      const path = specifier.startsWith("file:") ? fileURLToPath(specifier) : undefined;
      if (path?.startsWith(`${ROOT}/`)) modules.add(path.slice(ROOT.length + 1));
      const name = /^npm:\/?((?:@[^/]+\/)?[^/@]+@[^/]+)/.exec(specifier)?.[1];
      if (name !== undefined) wanted.add(name);
    }
  }
  return { modules: [...modules].sort(), packages: closure(wanted, known) };
}

function closure(wanted: Set<string>, known: Info["npmPackages"]): NpmPackage[] {
  const found = new Map<string, NpmPackage>();
  const open = Object.keys(known).filter((id) => {
    const { name, version } = known[id]!;
    return wanted.has(`${name}@${version}`) || wanted.has(id);
  });
  while (open.length > 0) {
    const id = open.pop()!;
    if (found.has(id)) continue;
    const { name, version, dependencies, localPath } = known[id]!;
    found.set(id, { id, name, version, dependencies, path: localPath });
    open.push(...dependencies);
  }
  return [...found.values()].sort((a, b) => a.id < b.id ? -1 : 1);
}
