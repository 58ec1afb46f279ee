/**
 * The native library out of a single binary: into a folder that is ours alone, checked by its hash.
 *
 * The system loads code from files only. A folder that others own, may enter or have put a link
 * for is refused: whoever can write there would run code as the pool.
 */
import { unpackedFileName } from "./library.ts";
import { VerifierError } from "./errors.ts";

/** What is unpacked, and where to. */
export interface UnpackOptions {
  bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 that the bytes had when they were packed (hex). */
  sha256: string;
  /** Where a folder of ours may be made: $XDG_RUNTIME_DIR, $RUNTIME_DIRECTORY or $TMPDIR. */
  parent: string;
  /** Our user's number. */
  uid: number;
}

/**
 * Writes the library unless it is there already; gives its path.
 *
 * @throws {VerifierError} when the bytes are not those that were packed, or the folder is not ours
 */
export async function unpackLibrary(options: UnpackOptions): Promise<string> {
  const { bytes, sha256, parent, uid } = options;
  if (await digest(bytes) !== sha256) {
    throw new VerifierError("Cannot use the verifier in this binary: it is damaged, get it anew");
  }
  const folder = `${parent}/quarry-${uid}`;
  await Deno.mkdir(folder, { mode: 0o700 }).catch((error) => {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw new VerifierError(
      `Cannot make ${folder} for the verifier: set TMPDIR to a folder that may be written`,
      { cause: error },
    );
  });
  await refuseForeign(folder, uid);
  const path = `${folder}/${unpackedFileName(sha256)}`;
  if (await isOurs(path, sha256, uid)) return path;
  const fresh = `${path}.${crypto.randomUUID()}`;
  await Deno.writeFile(fresh, bytes, { createNew: true, mode: 0o500 });
  await Deno.rename(fresh, path);
  if (await isOurs(path, sha256, uid)) return path;
  throw new VerifierError(`Cannot use ${path}: somebody else writes there, remove ${folder}`);
}

async function refuseForeign(folder: string, uid: number): Promise<void> {
  const info = await Deno.lstat(folder);
  const what = info.isSymlink
    ? "is a link"
    : !info.isDirectory
    ? "is no folder"
    : info.uid !== uid
    ? `belongs to user ${info.uid}`
    : ((info.mode ?? 0) & 0o077) !== 0
    ? "is open to others"
    : undefined;
  if (what === undefined) return;
  throw new VerifierError(
    `Cannot unpack the verifier: ${folder} ${what}; remove it, or set TMPDIR to another folder`,
  );
}

async function isOurs(path: string, sha256: string, uid: number): Promise<boolean> {
  try {
    const info = await Deno.lstat(path);
    return info.isFile && info.uid === uid && await digest(await Deno.readFile(path)) === sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
