/**
 * Enforces the floors: a room imports only rooms on lower floors, and only through their mod.ts.
 *
 * Deno workers are reached by URL, not by import, so every worker.ts is a root of its own.
 */

/** Rooms by floor, lowest first. */
const FLOORS = [
  ["base", "metrics"],
  ["config", "http", "workers"],
  ["ethash", "chain", "policy"],
  ["work"],
  ["share"],
  ["ledger"],
  ["intake", "unlocker", "payouts", "stats", "alerts"],
  ["stratum", "api", "permissions"],
];

/** Packages that only some rooms may import. */
const PACKAGES: Record<string, string[]> = {
  redis: ["ledger"],
  viem: ["chain", "payouts"],
  hono: ["api"],
  "@hono": ["api"],
  zod: ["config", "api"],
  nodemailer: ["alerts"],
  "prom-client": ["metrics"],
  "@opentelemetry": ["metrics"],
  pino: [],
};

interface ModuleInfo {
  specifier: string;
  dependencies?: {
    specifier: string;
    code?: { specifier?: string };
    type?: { specifier?: string };
  }[];
}

/** Where a module lies: its room and its path inside the room. */
function roomOf(url: string): { room: string; path: string } | undefined {
  const match = /\/modules\/([a-z_]+)\/(.+)$/.exec(url);
  return match === null ? undefined : { room: match[1]!, path: match[2]! };
}

function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** What is wrong with one import, or undefined. */
export function judgeImport(from: string, to: string, specifier: string): string | undefined {
  const source = roomOf(from);
  if (source === undefined) return undefined;
  const name = /^(@?[a-z-]+)/.exec(specifier.replace(/^npm:\/?/, ""))?.[1];
  const allowed = name === undefined || specifier.startsWith(".") ? undefined : PACKAGES[name];
  if (allowed !== undefined && !allowed.includes(source.room)) {
    return `${source.room}/${source.path} imports ${name}: only ${
      allowed.join(", ") || "main.ts"
    } may`;
  }
  const target = roomOf(to);
  if (target === undefined || target.room === source.room) return undefined;
  const here = `${source.room}/${source.path} imports ${target.room}/${target.path}`;
  if (floorOf(source.room) === -1) return `${here}: ${source.room} is on no floor`;
  if (floorOf(target.room) >= floorOf(source.room)) {
    return `${here}: a room may only import rooms below it`;
  }
  return target.path === "mod.ts" ? undefined : `${here}: enter a room by its mod.ts`;
}

async function graphOf(root: string): Promise<ModuleInfo[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", root],
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout)).modules;
}

async function roots(): Promise<string[]> {
  const found = ["main.ts"];
  for (const room of FLOORS.flat()) {
    for (const file of ["worker.ts", "mod.ts"]) {
      try {
        await Deno.stat(`modules/${room}/${file}`);
        found.push(`modules/${room}/${file}`);
      } catch { /* not every room has one */ }
    }
  }
  return found;
}

if (import.meta.main) {
  const problems = new Set<string>();
  for (const root of await roots()) {
    for (const module of await graphOf(root)) {
      for (const dependency of module.dependencies ?? []) {
        const to = dependency.code?.specifier ?? dependency.type?.specifier ?? "";
        const problem = judgeImport(module.specifier, to, dependency.specifier);
        if (problem !== undefined) problems.add(problem);
      }
    }
  }
  const text = [...problems].sort().map((problem) => problem + "\n").join("");
  await Deno.stdout.write(new TextEncoder().encode(text));
  Deno.exit(problems.size === 0 ? 0 : 1);
}
