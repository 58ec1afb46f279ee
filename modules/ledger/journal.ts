/**
 * An fsynced append-only file for what must survive a crash before Redis has answered for it.
 *
 * One JSON line per entry `{id, ...}` and one `{done: id}` when it is settled. A torn last line, as
 * a crash leaves it, is ignored; open entries are replayed at the next start.
 */
import { dirname } from "node:path";
import { PoolError } from "../base/mod.ts";

/** A journal of open entries. */
export interface Journal<Entry extends { id: string }> {
  /** Entries without a `done`, oldest first. */
  open(): Entry[];
  /** Adds an entry; resolves when it is on disk. */
  append(entry: Entry): Promise<void>;
  /** Settles an entry; not waited for by anyone, since a replay is idempotent. */
  done(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Rewrites the file at open once it has more settled lines than this. */
const COMPACT_LINES = 1_000;

/**
 * Opens a journal file, made when missing; bigint values survive as `{"$bigint": "..."}`.
 *
 * @throws {PoolError} when a line other than the last cannot be read.
 */
export async function openJournal<Entry extends { id: string }>(
  path: string,
  deps: { open: typeof Deno.open } = { open: Deno.open },
): Promise<Journal<Entry>> {
  const entries = new Map<string, Entry>();
  const { lines, validBytes } = await readLines(path);
  for (const [index, line] of lines.entries()) {
    const value = parseLine(line, path, index + 1);
    if (typeof value["done"] === "string") entries.delete(value["done"]);
    else entries.set(String(value["id"]), value as Entry);
  }
  if (lines.length > COMPACT_LINES) await rewrite(path, [...entries.values()]);
  else await truncate(path, validBytes);
  const file = await deps.open(path, { append: true, create: true });
  syncFolderOf(path);
  let tail = Promise.resolve();
  function write(value: unknown): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(value, writeBigInt) + "\n");
    const written = tail.then(() => appendAll(file, bytes));
    tail = written.catch(() => {});
    return written;
  }
  return {
    open: () => [...entries.values()],
    async append(entry) {
      entries.set(entry.id, entry);
      await write(entry);
    },
    async done(id) {
      if (entries.delete(id)) await write({ done: id });
    },
    async close() {
      await tail;
      file.close();
    },
  };
}

/** Writes and syncs; what was written of a line that failed is taken back. */
async function appendAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  const { size } = await file.stat();
  try {
    await writeAll(file, bytes);
  } catch (error) {
    await file.truncate(size);
    throw error;
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) offset += await file.write(bytes.subarray(offset));
  await file.syncData();
}

async function readLines(path: string): Promise<{ lines: string[]; validBytes: number }> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { lines: [], validBytes: 0 };
    throw new PoolError(`Cannot read the journal ${path}`, { cause: error });
  }
  const validBytes = bytes.lastIndexOf(10) + 1;
  const text = new TextDecoder().decode(bytes.subarray(0, validBytes));
  return { lines: text.split("\n").filter((line) => line !== ""), validBytes };
}

function parseLine(line: string, path: string, number: number): Record<string, unknown> {
  try {
    return JSON.parse(line, readBigInt);
  } catch (error) {
    throw new PoolError(`Cannot read line ${number} of the journal ${path}`, { cause: error });
  }
}

/** Makes a file's name in its folder as durable as its content; only then a power cut keeps it. */
export function syncFolderOf(path: string): void {
  const folder = Deno.openSync(dirname(path), { read: true });
  try {
    folder.syncSync();
  } finally {
    folder.close();
  }
}

async function truncate(path: string, bytes: number): Promise<void> {
  try {
    await Deno.truncate(path, bytes);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function rewrite(path: string, entries: unknown[]): Promise<void> {
  const file = await Deno.open(`${path}.new`, { write: true, create: true, truncate: true });
  try {
    const text = entries.map((entry) => JSON.stringify(entry, writeBigInt) + "\n").join("");
    await writeAll(file, new TextEncoder().encode(text));
  } finally {
    file.close();
  }
  await Deno.rename(`${path}.new`, path);
}

function writeBigInt(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? { $bigint: value.toString() } : value;
}

function readBigInt(_key: string, value: unknown): unknown {
  if (value !== null && typeof value === "object" && "$bigint" in value) {
    return BigInt(String(value.$bigint));
  }
  return value;
}
