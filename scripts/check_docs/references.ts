/** Whether what the operators' documents name is there: tasks, files, keys, commands, events. */
import { METERS } from "../../modules/metrics/mod.ts";
import { rowsOf } from "./log_events.ts";

/** What documents may name. */
export interface Known {
  tasks: ReadonlySet<string>;
  /** Commands of `quarry`. */
  commands: ReadonlySet<string>;
  /** Text of the script behind a command, in which its own commands must stand. */
  scripts: ReadonlyMap<string, string>;
  /** Configuration keys, as config/README.md spells them, and all their beginnings. */
  keys: ReadonlySet<string>;
  events: ReadonlySet<string>;
  units: ReadonlySet<string>;
  /** Whether a path is there, from the project's root. */
  exists(path: string): boolean;
  /** The text of a file from the project's root. */
  read(path: string): string;
}

/** Dotted words that are neither keys, events nor files of the project. */
const OTHER_WORDS = new Set([
  ...["config.json", "redis.conf", "payments.journal", "pool.json", "mining.json", "money.json"],
  ...["api.json", "payouts.json", "unlocker.json", "shares-0.journal", "rejected-0.jsonl"],
  ...["notify.full", "cert.pem", "key.pem", "appendonly.aof", "dump.rdb", "nodes.conf"],
  ...["mod.ts", "config.reloaded", "redis.pass", "sentinel.conf", "log.jsonl", "keystore.json"],
]);
/** Commands of the tools with words of their own behind CONFIG. */
const WITH_COMMANDS = ["payouts", "ledger", "migrate", "admin"];
const FOLDERS = /^(?:modules|config|docs|scripts|tests|native|frontend)\/[\w./*-]+$/;

/** Problems of one document, one line each. */
export function namesMissing(path: string, text: string, known: Known): string[] {
  const problems: string[] = [];
  const miss = (what: string) => problems.push(`${path}: ${what}`);
  for (const [, task] of text.matchAll(/deno task (?:--quiet )?([\w-]+)/g)) {
    if (!known.tasks.has(task!)) miss(`there is no "deno task ${task}"`);
  }
  for (
    const [, command] of text.matchAll(
      /(?:^|[`|\s])quarry ([a-z][\w-]+) (?:CONFIG|\/|\.|\w+\.json)/gm,
    )
  ) {
    if (!known.commands.has(command!)) miss(`there is no "quarry ${command}"`);
  }
  for (const tool of WITH_COMMANDS) {
    const call = new RegExp(`(?:deno task|quarry) ${tool} [^\\s\`]+ ((?:--)?[a-z][\\w-]+)`, "g");
    for (const [, word] of text.matchAll(call)) {
      if (!known.scripts.get(tool)!.includes(word!)) miss(`${tool} has no command "${word}"`);
    }
  }
  for (const [, unit] of text.matchAll(/\b(quarry(?:-[a-z]+)?)\.service\b/g)) {
    if (!known.units.has(`${unit}.service`)) miss(`there is no unit ${unit}.service`);
  }
  for (const [, unit] of text.matchAll(/systemctl (?:[a-z-]+ )+?(quarry[\w-]*)/g)) {
    if (!known.units.has(`${unit}.service`)) miss(`there is no unit ${unit}.service`);
  }
  for (const [, script] of text.matchAll(/(?:^|[\s`(])((?:\.\.\/)?scripts\/[\w/.-]*\w)/gm)) {
    if (!known.exists(script!.replace(/^\.\.\//, ""))) miss(`there is no ${script}`);
  }
  for (const [name] of text.matchAll(/\bquarry_[a-z_]+\b/g)) {
    const base = name.replace(/_(bucket|count|sum)$/, "");
    if (!(name in METERS) && !(base in METERS)) miss(`there is no metric ${name}`);
  }
  for (const [, span] of withoutBlocks(text).matchAll(/`([^`\n]+)`/g)) {
    if (FOLDERS.test(span!) && !span!.includes("*")) {
      if (!known.exists(span!)) miss(`there is no ${span}`);
    } else if (/^[a-z]\w*(?:\[\])?(?:\.\w[\w-]*(?:\[\])?)+$/.test(span!)) {
      const named = known.units.has(span!) || known.keys.has(span!) || known.events.has(span!) ||
        OTHER_WORDS.has(span!) ||
        known.exists(span!) || known.exists(`docs/${span}`);
      if (!named) miss(`${span} is no key, event or file`);
    }
  }
  for (const [, json] of text.matchAll(/^ *```json\n([\s\S]*?)^ *```$/gm)) {
    for (const key of keysIn(JSON.parse(json!))) {
      if (!known.keys.has(key)) miss(`there is no key ${key}`);
    }
  }
  for (const [, file, words] of text.matchAll(/`([\w./]+_test\.ts)` "([^"]+)"/g)) {
    if (!known.exists(file!)) miss(`there is no ${file}`);
    else if (!known.read(file!).includes(words!)) miss(`${file} has no test with "${words}"`);
  }
  return problems;
}

/** Problems of docs/*.md and README.md. */
export async function referenceProblems(root: string): Promise<string[]> {
  const known = await readKnown(root);
  const problems: string[] = [];
  const pages = ["README.md"];
  for await (const { name } of Deno.readDir(`${root}docs`)) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  for (const page of pages.toSorted()) {
    problems.push(...namesMissing(page, await Deno.readTextFile(root + page), known));
  }
  const index = await Deno.readTextFile(`${root}docs/README.md`);
  for (const page of pages) {
    const name = page.replace("docs/", "");
    if (page !== "README.md" && name !== "README.md" && !index.includes(`](${name}`)) {
      problems.push(`docs/README.md: does not lead to ${page}`);
    }
  }
  return problems;
}

async function readKnown(root: string): Promise<Known> {
  const read = (path: string) => Deno.readTextFile(root + path);
  const quarry = await read("scripts/quarry");
  const units = new Set<string>();
  for await (const { name } of Deno.readDir(`${root}config/systemd`)) units.add(name);
  const scripts = new Map<string, string>();
  for (const tool of WITH_COMMANDS) scripts.set(tool, await read(`scripts/${tool}.ts`));
  return {
    tasks: new Set(Object.keys((JSON.parse(await read("deno.json")) as Tasks).tasks)),
    commands: new Set(
      [...quarry.matchAll(/^ +(?:Usage: )?quarry ([a-z][\w-]+)/gm)].map((m) => m[1]!),
    ),
    keys: keysOf(await read("config/README.md")),
    events: new Set(rowsOf(await read("docs/events.md")).keys()),
    ...{ scripts, units },
    read: (path) => Deno.readTextFileSync(root + path),
    exists: (path) => isThere(root + path),
  };
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

interface Tasks {
  tasks: Record<string, string>;
}

/** Keys of the table, with every beginning of them. */
function keysOf(page: string): Set<string> {
  const keys = new Set<string>();
  for (const [, key] of page.matchAll(/^\| `([\w.[\]]+)`/gm)) {
    const parts = key!.split(".");
    for (let i = 1; i <= parts.length; i++) {
      const start = parts.slice(0, i).join(".");
      keys.add(start).add(start.replaceAll("[]", ""));
      // Documents name a key by its end where its beginning was just said: `keystore.file`.
      if (i < parts.length) keys.add(parts.slice(i).join("."));
    }
  }
  return keys;
}

/** Every key of a piece of configuration, as config/README.md spells it without brackets. */
function keysIn(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => keysIn(one, path));
  if (value === null || typeof value !== "object") return path === "" ? [] : [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    keysIn(inner, path === "" ? key : `${path}.${key}`)
  );
}

function withoutBlocks(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "");
}
