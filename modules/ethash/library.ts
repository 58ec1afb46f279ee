/** The native library: the only Deno.dlopen, typed, with codes turned into errors. */
import { fileURLToPath } from "node:url";
import type { NativeAlgorithm } from "./epochs.ts";
import { statusError, VerifierError } from "./errors.ts";
import { type QueueCalls, queueCalls } from "./queue_calls.ts";
import { STATUS } from "./status.ts";
import { SYMBOLS } from "./symbols.ts";

/** The interface version this file speaks (QUARRY_ABI_VERSION). */
export const ABI_VERSION = 3;
/** Bytes of one record: header 32, nonce 8 little-endian. */
export const RECORD_BYTES = 40;
/** Bytes of one output: mix digest 32, result 32. */
export const OUTPUT_BYTES = 64;
/** Bytes of a search's answer: nonce 8, tried 8, mix digest 32, result 32. */
export const FOUND_BYTES = 80;
/** The most nonces of one search call. */
export const SEARCH_MAX = 1 << 24;
/** Flag: take pages from the attached dataset. */
export const USE_DATASET = 1;
/** Flag: take pages from the attached dataset if there is one. */
export const PREFER_DATASET = 2;
/** Algorithms by their numbers in the library. */
export const ALGORITHM_CODES: Record<NativeAlgorithm, number> = {
  ethash: 0,
  ubqhash: 1,
  frkhash: 2,
};

type Bytes = Uint8Array<ArrayBuffer>;

/** Facts of an open context. */
export interface ContextInfo {
  /** Items of 64 bytes in the light cache. */
  cacheItems: number;
  /** Items of 128 bytes in the dataset. */
  datasetItems: number;
  seedRounds: number;
  hasDataset: boolean;
}

/** What a library's context is opened for. */
export interface ContextKey {
  algorithm: NativeAlgorithm;
  epoch: number;
  seedRounds: number;
}

/** How far a dataset is. */
export interface DatasetProgress {
  phase: "idle" | "waiting" | "checking" | "generating";
  attached: boolean;
  /** Rows of 64 bytes done in this phase, and of how many. */
  done: number;
  total: number;
}

const PHASES = ["idle", "waiting", "checking", "generating"] as const;

/** The library's functions; those that return promises run off the event loop. */
export interface NativeLibrary extends QueueCalls {
  /** Seed hash after a number of rounds. */
  seedHash(seedRounds: number): Bytes;
  keccak256(message: Uint8Array): Bytes;
  /** Builds or shares the context of an epoch; returns its handle. */
  openContext(key: ContextKey): Promise<number>;
  /** The same with explicit item counts, for tests and nodes in test mode. */
  openSizedContext(
    cacheItems: number,
    datasetItems: number,
    rounds: number,
    algorithm?: NativeAlgorithm,
  ): Promise<number>;
  closeContext(handle: number): void;
  contextInfo(handle: number): ContextInfo;
  /** Hashes the records into `out`; both stay untouched until the promise settles. */
  verifyBatch(handle: number, flags: number, records: Bytes, out: Bytes): Promise<void>;
  /** Searches a range; true when `out` has a solution. */
  search(handle: number, flags: number, range: SearchRange, out: Bytes): Promise<boolean>;
  /** Attaches the whole dataset, generated unless it is there; undefined: in memory. */
  prepareDataset(handle: number, directory: string | undefined, threads: number): Promise<void>;
  datasetProgress(handle: number): DatasetProgress;
  detachDataset(handle: number): void;
  /** Removes unused dataset files of seeds below these rounds; returns how many. */
  pruneDatasets(directory: string, seedRounds: number): Promise<number>;
  writeDataset(handle: number, directory: string, threads: number): Promise<void>;
  writeDummyDataset(key: ContextKey, directory: string): Promise<void>;
  attachDataset(handle: number, path: string): Promise<void>;
  /** Closes every context and unloads the library; no call may be in flight. */
  close(): void;
}

/** What a search goes through. */
export interface SearchRange {
  headerHash: Uint8Array;
  startNonce: bigint;
  count: number;
  /** 32 bytes, big-endian. */
  target: Uint8Array;
}

/** The library's file name on this platform. */
export function libraryFileName(): string {
  return Deno.build.os === "darwin" ? "libquarry_ethash.dylib" : "libquarry_ethash.so";
}

/** The file name under which a single binary unpacks the library of this hash (hex). */
export function unpackedFileName(sha256: string): string {
  return `${sha256.slice(0, 16)}-${libraryFileName()}`;
}

const UNPACKED = /\/[0-9a-f]{16}-libquarry_ethash\.\w+$/;

let chosenPath: string | undefined;

/** From now on this thread opens another file, as a single binary does that unpacked it. */
export function chooseLibrary(path: string): void {
  chosenPath = path;
}

/** Where `deno task native` puts the library, unless another one was chosen. */
export function defaultLibraryPath(): string {
  return chosenPath ??
    fileURLToPath(new URL(`../../native/build/${libraryFileName()}`, import.meta.url));
}

type Symbols = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/**
 * Loads the library.
 *
 * @throws {VerifierError} when the file is missing or of another interface version.
 */
export function openLibrary(path: string = defaultLibraryPath()): NativeLibrary {
  const library = load(path);
  const version = library.symbols.abiVersion();
  if (version !== ABI_VERSION) {
    library.close();
    throw new VerifierError(
      `Cannot use the native verifier of version ${version}: run "deno task native"`,
      { facts: { path, version, expected: ABI_VERSION } },
    );
  }
  // Handles end with this thread at the latest: a worker that is terminated closes nothing itself.
  const owner = new Uint32Array(1);
  check("own contexts", library.symbols.ownerBegin(new Uint8Array(owner.buffer)));
  return {
    ...quickCalls(library.symbols),
    ...slowCalls(library.symbols, owner[0]!),
    ...datasetCalls(library.symbols),
    ...queueCalls(library.symbols, owner[0]!),
    close: () => {
      check("close all contexts", library.symbols.ownerEnd(owner[0]!));
      library.close();
    },
  };
}

function load(path: string): Deno.DynamicLibrary<typeof SYMBOLS> {
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new VerifierError(
      `Cannot load the native verifier from "${path}": ${loadMend(path, String(cause))}`,
      { cause, facts: { path } },
    );
  }
}

/** What helps against a library that does not open; the reason is the dynamic linker's text. */
function loadMend(path: string, reason: string): string {
  const isUnpacked = UNPACKED.test(path);
  // What it says of a file system that is mounted noexec (dlopen(3), mmap(2) with PROT_EXEC).
  if (/failed to map segment|Operation not permitted/.test(reason)) {
    return isUnpacked
      ? "programs may not run there, set TMPDIR or XDG_RUNTIME_DIR to a folder where they may"
      : "programs may not run there, move quarry to a file system that is not mounted noexec";
  }
  return isUnpacked ? "get the binary that is made for this system" : 'run "deno task native"';
}

function check(action: string, code: number): number {
  if (code < 0) throw statusError(action, code);
  return code;
}

/** A fixed-length argument; the library reads that many bytes whatever the view's length is. */
function exactly(bytes: Uint8Array, length: number, name: string): Bytes {
  if (bytes.length !== length) {
    throw new RangeError(`Cannot use ${name}: expected ${length} bytes, got ${bytes.length}`);
  }
  return bytes as Bytes;
}

/** Calls of microseconds, on the event loop. */
function quickCalls(symbols: Symbols) {
  return {
    seedHash(seedRounds: number): Bytes {
      const out = new Uint8Array(32);
      check("compute a seed hash", symbols.seedHash(seedRounds, out));
      return out;
    },
    keccak256(message: Uint8Array): Bytes {
      const out = new Uint8Array(32);
      // An empty view has no address, and the library refuses null.
      const some = (message.length === 0 ? new Uint8Array(1) : message) as Bytes;
      check("compute keccak-256", symbols.keccak256(some, BigInt(message.length), out));
      return out;
    },
    closeContext(handle: number): void {
      check("close a context", symbols.contextClose(handle));
    },
    contextInfo(handle: number): ContextInfo {
      const out = new Uint32Array(4);
      check("read a context", symbols.contextInfo(handle, new Uint8Array(out.buffer)));
      const [cacheItems = 0, datasetItems = 0, seedRounds = 0, hasDataset = 0] = out;
      return { cacheItems, datasetItems, seedRounds, hasDataset: hasDataset === 1 };
    },
    datasetProgress(handle: number): DatasetProgress {
      const view = new DataView(new ArrayBuffer(24));
      check(
        "read a dataset's progress",
        symbols.datasetProgress(handle, new Uint8Array(view.buffer)),
      );
      return {
        phase: PHASES[view.getUint32(0, true)] ?? "idle",
        attached: view.getUint32(4, true) === 1,
        done: Number(view.getBigUint64(8, true)),
        total: Number(view.getBigUint64(16, true)),
      };
    },
    detachDataset(handle: number): void {
      check("detach a dataset", symbols.datasetDetach(handle));
    },
  };
}

/** Calls of milliseconds to minutes, on a thread of the pool. */
function slowCalls(symbols: Symbols, owner: number) {
  async function open(call: (out: Bytes) => Promise<number>): Promise<number> {
    const out = new Uint32Array(1);
    check("open a context", await call(new Uint8Array(out.buffer)));
    return out[0]!;
  }
  return {
    openContext({ algorithm, epoch, seedRounds }: ContextKey): Promise<number> {
      const code = ALGORITHM_CODES[algorithm];
      return open((out) => symbols.contextOpen(owner, code, epoch, seedRounds, out));
    },
    openSizedContext(
      cacheItems: number,
      datasetItems: number,
      rounds: number,
      algorithm: NativeAlgorithm = "ethash",
    ): Promise<number> {
      const code = ALGORITHM_CODES[algorithm];
      return open((out) =>
        symbols.contextOpenSized(owner, code, cacheItems, datasetItems, rounds, out)
      );
    },
    async verifyBatch(handle: number, flags: number, records: Bytes, out: Bytes): Promise<void> {
      const lengths = [BigInt(records.length), BigInt(out.length)] as const;
      const code = await symbols.verifyBatch(handle, flags, records, lengths[0], out, lengths[1]);
      check(`verify ${records.length / RECORD_BYTES} shares`, code);
    },
    async search(handle: number, flags: number, range: SearchRange, out: Bytes): Promise<boolean> {
      // Copies that stay alive and unchanged until the call is over.
      const header = exactly(range.headerHash, 32, "header hash").slice();
      const target = exactly(range.target, 32, "target").slice();
      const { startNonce, count } = range;
      const length = BigInt(out.length);
      const code = await symbols.search(
        handle,
        flags,
        header,
        startNonce,
        count,
        target,
        out,
        length,
      );
      return check(`search from ${startNonce} below ${target.toHex()}`, code) === STATUS.OK;
    },
  };
}

type TextCall = (bytes: Bytes, length: bigint) => Promise<number>;

async function withText(action: string, text: string, call: TextCall): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const code = await call(bytes, BigInt(bytes.length));
  // Named after the call, so that the bytes outlive it.
  check(`${action} "${text}"`, bytes.length === 0 ? STATUS.INVALID_LENGTH : code);
}

/** Calls about datasets, of seconds to minutes, on a thread of the pool. */
function datasetCalls(symbols: Symbols) {
  return {
    async prepareDataset(handle: number, directory: string | undefined, threads: number) {
      if (directory === undefined) {
        const code = await symbols.datasetPrepare(handle, null, 0n, threads);
        check("generate a dataset in memory", code);
        return;
      }
      await withText(
        "prepare the dataset in",
        directory,
        (bytes, length) => symbols.datasetPrepare(handle, bytes, length, threads),
      );
    },
    async pruneDatasets(directory: string, seedRounds: number): Promise<number> {
      const out = new Uint32Array(1);
      await withText(
        "remove old datasets in",
        directory,
        (bytes, length) =>
          symbols.datasetPrune(bytes, length, seedRounds, new Uint8Array(out.buffer)),
      );
      return out[0]!;
    },
    writeDataset(handle: number, directory: string, threads: number): Promise<void> {
      return withText(
        "write a dataset into",
        directory,
        (bytes, length) => symbols.datasetWrite(handle, bytes, length, threads),
      );
    },
    writeDummyDataset(key: ContextKey, directory: string): Promise<void> {
      const { algorithm, epoch, seedRounds } = key;
      const code = ALGORITHM_CODES[algorithm];
      return withText(
        "write a dummy dataset into",
        directory,
        (bytes, length) => symbols.datasetWriteDummy(code, epoch, seedRounds, bytes, length),
      );
    },
    attachDataset(handle: number, path: string): Promise<void> {
      return withText(
        "attach the dataset",
        path,
        (bytes, length) => symbols.datasetAttach(handle, bytes, length),
      );
    },
  };
}
