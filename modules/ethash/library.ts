/** The native library: the only Deno.dlopen, typed, with codes turned into errors. */
import { fileURLToPath } from "node:url";
import { statusError, VerifierError } from "./errors.ts";
import { STATUS } from "./status.ts";

/** The interface version this file speaks (QUARRY_ABI_VERSION). */
export const ABI_VERSION = 1;
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
const ALGORITHM_ETHASH = 0;

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

/** The library's functions; those that return promises run off the event loop. */
export interface NativeLibrary {
  /** Seed hash after a number of rounds. */
  seedHash(seedRounds: number): Bytes;
  keccak256(message: Uint8Array): Bytes;
  /** Result of a claimed mix digest: two keccaks. */
  finalHash(headerHash: Uint8Array, nonce: bigint, mix: Uint8Array): Bytes;
  /** Builds or shares the context of an epoch; returns its handle. */
  openContext(epoch: number, seedRounds: number): Promise<number>;
  /** The same with explicit item counts, for tests and nodes in test mode. */
  openSizedContext(cacheItems: number, datasetItems: number, rounds: number): Promise<number>;
  closeContext(handle: number): void;
  contextInfo(handle: number): ContextInfo;
  /** Hashes the records into `out`; both stay untouched until the promise settles. */
  verifyBatch(handle: number, flags: number, records: Bytes, out: Bytes): Promise<void>;
  /** Searches a range; true when `out` has a solution. */
  search(handle: number, flags: number, range: SearchRange, out: Bytes): Promise<boolean>;
  writeDataset(handle: number, directory: string, threads: number): Promise<void>;
  writeDummyDataset(epoch: number, seedRounds: number, directory: string): Promise<void>;
  attachDataset(handle: number, path: string): Promise<void>;
  /** Unloads the library; no call may be in flight. */
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

/** Where `deno task native` puts the library. */
export function defaultLibraryPath(): string {
  return fileURLToPath(new URL(`../../native/build/${libraryFileName()}`, import.meta.url));
}

const PREFIX = "quarry_ethash_";

const SYMBOLS = {
  abiVersion: { name: `${PREFIX}abi_version`, parameters: [], result: "u32" },
  seedHash: { name: `${PREFIX}seed_hash`, parameters: ["u32", "buffer"], result: "i32" },
  keccak256: {
    name: `${PREFIX}keccak256`,
    parameters: ["buffer", "usize", "buffer"],
    result: "i32",
  },
  finalHash: {
    name: `${PREFIX}final_hash`,
    parameters: ["buffer", "u64", "buffer", "buffer"],
    result: "i32",
  },
  contextOpen: {
    name: `${PREFIX}context_open`,
    parameters: ["u32", "u32", "u32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  contextOpenSized: {
    name: `${PREFIX}context_open_sized`,
    parameters: ["u32", "u32", "u32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  contextClose: { name: `${PREFIX}context_close`, parameters: ["u32"], result: "i32" },
  contextInfo: { name: `${PREFIX}context_info`, parameters: ["u32", "buffer"], result: "i32" },
  verifyBatch: {
    name: `${PREFIX}verify_batch`,
    parameters: ["u32", "u32", "buffer", "usize", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  search: {
    name: `${PREFIX}search`,
    parameters: ["u32", "u32", "buffer", "u64", "u32", "buffer", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  datasetWrite: {
    name: `${PREFIX}dataset_write`,
    parameters: ["u32", "buffer", "usize", "u32"],
    result: "i32",
    nonblocking: true,
  },
  datasetWriteDummy: {
    name: `${PREFIX}dataset_write_dummy`,
    parameters: ["u32", "u32", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  datasetAttach: {
    name: `${PREFIX}dataset_attach`,
    parameters: ["u32", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

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
  return {
    ...quickCalls(library.symbols),
    ...slowCalls(library.symbols),
    close: () => library.close(),
  };
}

function load(path: string): Deno.DynamicLibrary<typeof SYMBOLS> {
  try {
    return Deno.dlopen(path, SYMBOLS);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new VerifierError(
      `Cannot load the native verifier from "${path}": run "deno task native"`,
      { cause, facts: { path } },
    );
  }
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
    finalHash(headerHash: Uint8Array, nonce: bigint, mix: Uint8Array): Bytes {
      const out = new Uint8Array(32);
      const header = exactly(headerHash, 32, "header hash");
      const code = symbols.finalHash(header, nonce, exactly(mix, 32, "mix digest"), out);
      check("compute a final hash", code);
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
  };
}

/** Calls of milliseconds to minutes, on a thread of the pool. */
function slowCalls(symbols: Symbols) {
  async function open(call: (out: Bytes) => Promise<number>): Promise<number> {
    const out = new Uint32Array(1);
    check("open a context", await call(new Uint8Array(out.buffer)));
    return out[0]!;
  }
  async function withText(action: string, text: string, call: TextCall): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    const code = await call(bytes, BigInt(bytes.length));
    // Named after the call, so that the bytes outlive it.
    check(`${action} "${text}"`, bytes.length === 0 ? STATUS.INVALID_LENGTH : code);
  }
  return {
    openContext(epoch: number, seedRounds: number): Promise<number> {
      return open((out) => symbols.contextOpen(ALGORITHM_ETHASH, epoch, seedRounds, out));
    },
    openSizedContext(cacheItems: number, datasetItems: number, rounds: number) {
      return open((out) => symbols.contextOpenSized(cacheItems, datasetItems, rounds, out));
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
    writeDataset(handle: number, directory: string, threads: number): Promise<void> {
      return withText(
        "write a dataset into",
        directory,
        (bytes, length) => symbols.datasetWrite(handle, bytes, length, threads),
      );
    },
    writeDummyDataset(epoch: number, seedRounds: number, directory: string): Promise<void> {
      return withText(
        "write a dummy dataset into",
        directory,
        (bytes, length) => symbols.datasetWriteDummy(epoch, seedRounds, bytes, length),
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

type TextCall = (bytes: Bytes, length: bigint) => Promise<number>;
