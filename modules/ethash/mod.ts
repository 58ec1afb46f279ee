/**
 * The native Ethash verifier: epochs, contexts and batches.
 * Heights, header hashes and nonces come in; mix digests, results and seeds go out.
 * This room never judges a share, never blocks the event loop and never takes a height from a miner.
 */
export * from "./epochs.ts";
export * from "./errors.ts";
export { chooseLibrary, type ContextInfo, defaultLibraryPath, libraryFileName } from "./library.ts";
export * from "./verifier.ts";
export * from "./types.ts";
export { unpackLibrary, type UnpackOptions } from "./unpack.ts";
