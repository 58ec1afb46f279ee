/**
 * An fsynced append-only file of every signed payment, written before its first broadcast.
 *
 * Redis may lose its last second; this file tells which payments may be on the chain nevertheless.
 * Nothing is ever taken out: the newest entries are kept in memory, the file is archived by length.
 */
import { dirname } from "node:path";
import { PoolError, type Shannon } from "../base/mod.ts";
import { type BatchPlace, syncFolderOf } from "../ledger/mod.ts";

/** A signed payment as the journal has it. */
export interface JournalEntry {
  id: string;
  login: string;
  amountShannon: Shannon;
  from: string;
  nonce: number;
  raw: string;
  hash: string;
  /** Its place in a transaction that pays many. */
  batch?: BatchPlace;
}

/** Which chain and pool an entry belongs to; entries of others are passed over. */
export interface JournalScope {
  /** Prefix of the Redis keys. */
  coin: string;
  chainId: number;
  /** Hash of block 0: two private chains may share a chain id. */
  genesis: string;
}

/** The journal of signed payments. */
export interface PaymentJournal {
  /** The newest entries of this pool and chain, oldest first. */
  entries(): readonly JournalEntry[];
  /** Adds an entry unless its hash is there already; resolves when it is on disk. */
  add(entry: JournalEntry): Promise<void>;
  /** The same for all payments of one transaction, in one line: a crash leaves all or none. */
  addTogether(entries: readonly JournalEntry[]): Promise<void>;
  close(): void;
}

/** Entries kept in memory and in the current file after an archiving. */
const ENTRIES_KEPT = 5_000;
/** Lines after which the file is archived at the next start. */
const LINES_MAX = 20_000;

/**
 * Opens the journal, made when missing; a torn last line, as a crash leaves it, is cut off.
 *
 * @throws {PoolError} when any other line cannot be read
 */
export function openPaymentJournal(path: string, scope: JournalScope): PaymentJournal {
  Deno.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lines = readLines(path);
  const entries = lines.map((line, i) => parseLine(line, i + 1, path))
    .filter(({ scope: other }) => sameScope(other, scope))
    .slice(-ENTRIES_KEPT).flatMap(({ entries }) => entries);
  if (lines.length > LINES_MAX) archive(path, entries, scope);
  const hashes = new Set(entries.map(({ hash }) => hash));
  const file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
  syncFolderOf(path);
  async function addTogether(together: readonly JournalEntry[]): Promise<void> {
    const [first] = together;
    if (first === undefined || hashes.has(first.hash)) return;
    await append(file, new TextEncoder().encode(lineOf(together, scope)));
    hashes.add(first.hash);
    entries.push(...together);
  }
  return {
    entries: () => entries,
    add: (entry) => addTogether([entry]),
    addTogether,
    close: () => file.close(),
  };
}

/** Writes and syncs; what was written of a line that failed is taken back. */
async function append(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  const { size } = await file.stat();
  try {
    for (let sent = 0; sent < bytes.length;) sent += await file.write(bytes.subarray(sent));
    await file.sync();
  } catch (error) {
    await file.truncate(size);
    throw new PoolError("Cannot write the payments journal", { cause: error });
  }
}

/** One transaction; of a batch the bytes are written once, and each payment in `payments`. */
function lineOf(together: readonly JournalEntry[], scope: JournalScope): string {
  const [first, ...more] = together.map((one) => ({
    ...one,
    amountShannon: String(one.amountShannon),
  }));
  const rest = more.map(({ id, login, amountShannon, batch }) => ({
    ...{ id, login, amountShannon, batch },
  }));
  return JSON.stringify({ scope, ...first, ...(rest.length === 0 ? {} : { rest }) }) + "\n";
}

/** Entries by their transactions, oldest first. */
function byTransaction(entries: readonly JournalEntry[]): JournalEntry[][] {
  const groups = new Map<string, JournalEntry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.hash);
    if (group === undefined) groups.set(entry.hash, [entry]);
    else group.push(entry);
  }
  return [...groups.values()];
}

function sameScope(a: JournalScope, b: JournalScope): boolean {
  return a.coin === b.coin && a.chainId === b.chainId && a.genesis === b.genesis;
}

function readLines(path: string): string[] {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new PoolError(`Cannot read the payments journal ${path}`, { cause: error });
  }
  const whole = bytes.lastIndexOf(10) + 1;
  if (whole < bytes.length) Deno.truncateSync(path, whole);
  return new TextDecoder().decode(bytes.subarray(0, whole)).split("\n").slice(0, -1);
}

function parseLine(
  line: string,
  number: number,
  path: string,
): { entries: JournalEntry[]; scope: JournalScope } {
  try {
    const { scope, amountShannon, rest = [], ...own } = JSON.parse(line);
    const entry = { ...own, amountShannon: BigInt(amountShannon) } as JournalEntry;
    const texts = [entry.id, entry.login, entry.from, entry.raw, entry.hash, scope.genesis];
    if (!texts.every((text) => typeof text === "string" && text !== "")) {
      throw new TypeError("a field is missing");
    }
    if (!Number.isSafeInteger(entry.nonce)) throw new TypeError("the nonce is no number");
    const others = rest.map((one: JournalEntry) => ({
      ...{ ...entry, ...one, amountShannon: BigInt(one.amountShannon) },
    }));
    return { entries: [entry, ...others], scope };
  } catch (error) {
    throw new PoolError(`Cannot read line ${number} of the payments journal ${path}`, {
      cause: error,
    });
  }
}

/** Moves the full file aside and begins a new one with the newest entries. */
function archive(path: string, entries: readonly JournalEntry[], scope: JournalScope): void {
  const fresh = `${path}.new`;
  const file = Deno.openSync(fresh, { write: true, create: true, truncate: true, mode: 0o600 });
  const bytes = new TextEncoder().encode(
    byTransaction(entries).map((together) => lineOf(together, scope)).join(""),
  );
  for (let sent = 0; sent < bytes.length;) sent += file.writeSync(bytes.subarray(sent));
  file.syncSync();
  file.close();
  // A copy first: between two renames there would be a moment without a journal.
  Deno.copyFileSync(path, `${path}.until-${entries.at(-1)?.nonce ?? 0}`);
  Deno.renameSync(fresh, path);
  syncFolderOf(path);
}
