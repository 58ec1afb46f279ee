/**
 * The whole ledger as JSON Lines: to back it up, to move it, to put it under another prefix.
 *
 * A header, one line per key (large ones in parts), and an end with the number of lines and their
 * SHA-256, so that a file that was cut is noticed before anything is written.
 */
import { createHash } from "node:crypto";
import { PoolError } from "../base/mod.ts";
import { stateOf } from "./audit_books.ts";
import type { LedgerDeps } from "./leases.ts";
import { listOf, recordOf, type Store } from "./redis.ts";
import { literal, scanKeys } from "./scan.ts";

/** Elements of one key in a line. */
const PART = 2_000;
/** Of the lines; a reader refuses others. */
const FORMAT = 1;

/** One key, or a part of one; the key is without the prefix. */
export interface ExportedKey {
  key: string;
  type: "string" | "hash" | "zset" | "set" | "list";
  /** A string, field–value or member–score pairs in a row, or members. */
  value: string | string[];
  /** Life that was left (milliseconds), when it had one. */
  lifeMs?: number;
}

/** What an export wrote. */
export interface ExportResult {
  keys: number;
  lines: number;
  /** False when money moved meanwhile: the file says so and is no backup. */
  consistent: boolean;
}

/**
 * Writes every key of the pool, leases aside, line by line.
 *
 * Shares may go on; they come as they are when their key is read. When the unlocker or the payer
 * acts meanwhile the file says that it is not consistent, and import refuses it.
 *
 * @throws {StoreError} {@link PoolError} for a key of a type that no pool writes
 */
export async function exportLedger(
  deps: LedgerDeps,
  nowMs: number,
  write: (line: string) => Promise<void>,
  progress: (done: number, total: number) => void = () => {},
): Promise<ExportResult> {
  const { keys, store } = deps;
  const hash = createHash("sha256");
  let lines = 0;
  async function put(value: unknown): Promise<void> {
    const line = JSON.stringify(value);
    hash.update(line + "\n");
    lines++;
    await write(line);
  }
  const before = await stateOf(deps);
  await put({ quarry: "ledger", format: FORMAT, prefix: keys.prefix, atMs: nowMs });
  const names = await keysOf(store, keys.prefix);
  for (const [i, name] of names.entries()) {
    const key = name.slice(keys.prefix.length + 1);
    progress(i, names.length);
    if (name === keys.own.lease("unlocker") || name === keys.own.lease("payer")) continue;
    for (const part of await partsOf(store, name)) await put({ key, ...part });
  }
  const consistent = await stateOf(deps) === before;
  await write(JSON.stringify({ end: true, lines, consistent, sha256: hash.digest("hex") }));
  return { keys: names.length, lines, consistent };
}

/**
 * Checks a file from end to end, and gives its header.
 *
 * @throws {PoolError} when it is no export, was cut, was changed, or is not consistent
 */
export async function checkExport(lines: AsyncIterable<string>): Promise<{ prefix: string }> {
  const hash = createHash("sha256");
  let count = 0;
  let header: { quarry?: string; format?: number; prefix?: string } | undefined;
  let end: { lines?: number; sha256?: string; consistent?: boolean } | undefined;
  for await (const line of lines) {
    if (end !== undefined) throw refused("has lines after its end");
    const value = parsed(line);
    header ??= value;
    if ("end" in value) {
      end = value;
      continue;
    }
    hash.update(line + "\n");
    count++;
  }
  if (header?.quarry !== "ledger" || header.format !== FORMAT || header.prefix === undefined) {
    throw refused("is no export of a ledger in a format that this version knows");
  }
  if (end === undefined) throw refused("has no end: it was cut");
  if (end.lines !== count || end.sha256 !== hash.digest("hex")) {
    throw refused("was changed after it was written");
  }
  if (end.consistent !== true) {
    throw refused("was written while money moved: export again while unlocker and payer rest");
  }
  return { prefix: header.prefix };
}

/**
 * Writes a checked file into a database that has nothing under the prefix; all of it, or nothing:
 * keys are put aside first and come to their place in one transaction.
 *
 * @returns the number of keys
 * @throws {PoolError} when something is there already
 */
export async function importLedger(
  { store, keys }: LedgerDeps,
  lines: AsyncIterable<string>,
  progress: (done: number) => void = () => {},
): Promise<number> {
  const aside = `${keys.prefix}-import`;
  for (const name of await keysOf(store, aside)) await store.command("DEL", name);
  if ((await keysOf(store, keys.prefix)).length > 0) {
    throw new PoolError(
      `There are keys under "${keys.prefix}:" already: import into an empty database, or set coin ` +
        "to another prefix",
    );
  }
  const names = new Set<string>(), lives = new Map<string, number>();
  for await (const line of lines) {
    const { key, type, value, lifeMs } = parsed(line) as unknown as ExportedKey;
    if (key === undefined) continue;
    names.add(key);
    progress(names.size);
    if (lifeMs !== undefined) lives.set(key, lifeMs);
    for (const command of commandsOf(`${aside}:${key}`, type, value)) {
      await store.command(...command);
    }
  }
  if (names.size === 0) return 0;
  const renames = [...names].map((key) => ["RENAMENX", `${aside}:${key}`, `${keys.prefix}:${key}`]);
  const expiries = [...lives].map(([key, ms]) => ["PEXPIRE", `${keys.prefix}:${key}`, String(ms)]);
  await store.multi([...renames, ...expiries]);
  return names.size;
}

/** Every key under a prefix, sorted. */
export async function keysOf(store: Store, prefix: string): Promise<string[]> {
  const names = await Array.fromAsync(scanKeys(store, `${literal(prefix)}:*`));
  return names.flat().sort();
}

async function partsOf(store: Store, name: string): Promise<Omit<ExportedKey, "key">[]> {
  const [type, life] = await store.multi([["TYPE", name], ["PTTL", name]]);
  const lifeMs = Number(life) > 0 ? { lifeMs: Number(life) } : {};
  switch (type) {
    case "none":
      return [];
    case "string":
      return [{ type, value: String(await store.command("GET", name)), ...lifeMs }];
    case "hash":
    case "zset": {
      const pairs = type === "hash"
        ? Object.entries(recordOf(await store.command("HGETALL", name))).sort(byName).flat()
        : listOf(await store.command("ZRANGE", name, "0", "-1", "WITHSCORES"));
      return chunks(pairs, PART * 2).map((value) => ({ type, value, ...lifeMs }));
    }
    case "set":
    case "list": {
      const read = type === "set" ? ["SMEMBERS", name] : ["LRANGE", name, "0", "-1"];
      const found = listOf(await store.command(...read));
      const members = type === "set" ? found.sort() : found;
      return chunks(members, PART).map((value) => ({ type, value, ...lifeMs }));
    }
    default:
      throw new PoolError(`Cannot export ${name}: no pool writes a ${type}`);
  }
}

function commandsOf(name: string, type: ExportedKey["type"], value: string | string[]): string[][] {
  if (typeof value === "string") return [["SET", name, value]];
  switch (type) {
    case "hash":
      return [["HSET", name, ...value]];
    case "set":
      return [["SADD", name, ...value]];
    case "list":
      return [["RPUSH", name, ...value]];
    default:
      return [[
        ...["ZADD", name],
        ...value.map((_, i) => i % 2 === 0 ? value[i + 1]! : value[i - 1]!),
      ]];
  }
}

/** The same books make the same lines. */
function byName([one]: [string, string], [other]: [string, string]): number {
  return one < other ? -1 : 1;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}

function parsed(line: string): Record<string, unknown> {
  try {
    const value = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Said below.
  }
  throw refused("has a line that is no JSON object");
}

function refused(why: string): PoolError {
  return new PoolError(`Cannot import: the file ${why}`);
}
