/** Every event that the code logs, read from its text, and whether docs/events.md has its row. */

/** One name with the levels it is logged at and the rooms that log it. */
export interface LogEvent {
  name: string;
  levels: Set<string>;
  rooms: Set<string>;
}

const LEVELS: readonly string[] = ["debug", "info", "warn", "error"];

/** A call that logs, or hands a name to something that logs: what is caught, and the level. */
const CALLS: readonly { pattern: RegExp; level?: string }[] = [
  { pattern: /\b(?:log|#log|logger)\??\.(debug|info|warn|error)\(\s*(?<name>"[^"]*"|[^,)\s]+)/g },
  { pattern: /\btally\.note\(\s*"(info|warn)",\s*(?<name>"[^"]*"|[^,)\s]+)/g },
  { pattern: /\bannounce\(\s*(?:deps,\s*)?(?<name>"[^"]*"|`[^`]*`)/g, level: "info" },
  { pattern: /\bnew Complaint\(\s*(?<name>"[^"]*")/g, level: "warn" },
  { pattern: /#answer\([^;]*,\s*(?<name>"[^"]*")\);/g, level: "info" },
  { pattern: /\bcontext\.event\(\s*(?<name>"[^"]*")/g, level: "info" },
  { pattern: /\blog\[(?<picked>[^\]]*)\]\(\s*(?<name>"[^"]*")/g },
  // const level = good ? log.info : log.error; level("block.submitted", ...)
  { pattern: /\? log\.(\w+) : log\.\w+;\s*level\(\s*(?<name>"[^"]*")/g },
  { pattern: /\? log\.\w+ : log\.(\w+);\s*level\(\s*(?<name>"[^"]*")/g },
];
/** A level that is taken without being called: one of the last three above must know it. */
const TAKEN = /\blog\.(?:debug|info|warn|error)\b(?!\?*\s*\()|\blog\[/g;

/** Names that are put together, and names that a wrapper above passes on. */
const PUT_TOGETHER: Readonly<Record<string, readonly string[]>> = {
  "`block.${kind}`": ["block.returned", "block.unknown"],
};
const PASSED_ON: Readonly<Record<string, readonly string[]>> = {
  "modules/unlocker/unlock.ts": ["name"],
  "modules/stratum/notify_door.ts": ["this.event"],
  "modules/stratum/net/arrival.ts": ["event"],
  "modules/stratum/net/tally.ts": ["event"],
};

/** Files that log at a level which they are given; their callers are caught above. */
const LEVEL_TAKERS = ["modules/stratum/net/tally.ts"];

/**
 * The events of one file.
 *
 * @param path from the project's root; its folder below modules/ is the room
 * @param problems is told of names that cannot be read
 */
export function eventsIn(path: string, text: string, problems: string[]): LogEvent[] {
  const room = /^modules\/(\w+)\//.exec(path)?.[1] ?? path.replace(/\.ts$/, "");
  const found: LogEvent[] = [];
  const code = text.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  for (const { pattern, level } of CALLS) {
    for (const match of code.matchAll(pattern)) {
      const spelt = match.groups!.name!;
      const names = spelt.startsWith('"') ? [spelt.slice(1, -1)] : PUT_TOGETHER[spelt];
      if (names === undefined) {
        if (PASSED_ON[path]?.includes(spelt)) continue;
        problems.push(`${path}: logs ${spelt}: spell the event's name where it is logged`);
        continue;
      }
      const picked = [...(match.groups!.picked ?? "").matchAll(/"(\w+)"/g)]
        .map((word) => word[1]!).filter((word) => LEVELS.includes(word));
      const levels = level !== undefined ? [level] : picked.length > 0 ? picked : [match[1]!];
      for (const name of names) {
        found.push({ name, levels: new Set(levels), rooms: new Set([room]) });
      }
    }
  }
  const taken = [...code.matchAll(TAKEN)].length;
  const read = [...code.matchAll(/\? log\.\w+ : log\.\w+;\s*level\("|\blog\[[^\]]*"\]\("/g)].length;
  if (taken > 0 && read === 0 && !LEVEL_TAKERS.includes(path)) {
    problems.push(`${path}: takes a log level in a way that scripts/check_docs cannot read`);
  }
  return found;
}

/** Events of many files put together, by name. */
export function mergeEvents(events: Iterable<LogEvent>): Map<string, LogEvent> {
  const merged = new Map<string, LogEvent>();
  for (const { name, levels, rooms } of events) {
    const known = merged.get(name);
    if (known === undefined) merged.set(name, { name, levels, rooms });
    else {
      levels.forEach((level) => known.levels.add(level));
      rooms.forEach((room) => known.rooms.add(room));
    }
  }
  return merged;
}

/** The rows of docs/events.md: `| event | levels | rooms | sentence |`. */
export function rowsOf(page: string): Map<string, { levels: string; rooms: string; says: string }> {
  const rows = new Map<string, { levels: string; rooms: string; says: string }>();
  for (const line of page.split("\n")) {
    const cells = /^\| `([\w.]+)`\s*\|([^|]*)\|([^|]*)\|(.*)\|$/.exec(line);
    if (cells === null) continue;
    const [levels, rooms, says] = cells.slice(2).map((cell) => cell.trim());
    rows.set(cells[1]!, { levels: levels!, rooms: rooms!, says: says! });
  }
  return rows;
}

/** What the page lacks or has too much, one line each. */
export function compareEvents(events: ReadonlyMap<string, LogEvent>, page: string): string[] {
  const rows = rowsOf(page);
  const problems: string[] = [];
  for (const { name, levels, rooms } of events.values()) {
    const row = rows.get(name);
    if (row === undefined) {
      problems.push(`docs/events.md: no row for ${name} (${list(levels)}; ${list(rooms)})`);
      continue;
    }
    if (row.levels !== list(levels)) {
      problems.push(`docs/events.md: ${name} is ${list(levels)}, the row says ${row.levels}`);
    }
    if (row.rooms !== list(rooms)) {
      problems.push(`docs/events.md: ${name} is said by ${list(rooms)}, the row says ${row.rooms}`);
    }
    if (row.says.length < 10) problems.push(`docs/events.md: ${name} has no sentence`);
  }
  for (const name of rows.keys()) {
    if (!events.has(name)) problems.push(`docs/events.md: nothing logs ${name}: remove its row`);
  }
  return problems;
}

function list(words: ReadonlySet<string>): string {
  return [...words].toSorted().join(", ");
}

/** The page with its table renewed: rows that are missing come without a sentence. */
export function renewEvents(events: ReadonlyMap<string, LogEvent>, page: string): string {
  const rows = rowsOf(page);
  const lines = [...events.values()].toSorted((a, b) => a.name < b.name ? -1 : 1).map((event) =>
    `| \`${event.name}\` | ${list(event.levels)} | ${list(event.rooms)} | ${
      rows.get(event.name)?.says ?? ""
    } |`
  );
  const [before, after] = cut(page);
  const head =
    "| event | level | room | what it means, and what to do |\n| --- | --- | --- | --- |";
  return `${before}\n\n${head}\n${lines.join("\n")}\n\n${after}`;
}

function cut(page: string): [string, string] {
  const start = page.indexOf("<!-- events -->"), end = page.indexOf("<!-- end of events -->");
  if (start < 0 || end < start) throw new Error("docs/events.md has lost its two marks");
  return [page.slice(0, start + "<!-- events -->".length), page.slice(end)];
}
