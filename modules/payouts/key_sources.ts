/** Where the signer's secrets come from: files that nobody else may read, environment, credentials. */
import type { Hex } from "viem";
import { PoolError } from "../base/mod.ts";
import type { SecretSource, SignerConfig } from "../config/mod.ts";

/** How key material is read; the payer's worker gives files and environment. */
export interface KeyReader {
  file(path: string): string;
  /** Permission bits of a file; null where the system has none. */
  mode(path: string): number | null;
  env(name: string): string | undefined;
}

/** The variable in which systemd names the folder of a service's credentials. */
const CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY";

/**
 * A secret's text.
 *
 * @throws {PoolError} when it cannot be read, or others than its owner can read its file
 */
export function readSecret(source: SecretSource, read: KeyReader): string {
  if ("variable" in source) {
    const text = read.env(source.variable);
    if (text === undefined) {
      throw new PoolError(`Cannot read the secret of payouts.signer: set ${source.variable}`);
    }
    return text;
  }
  // systemd's folder belongs to the service alone, whatever the modes in it are.
  if ("credential" in source) return read.file(credentialPath(source.credential, read));
  return readPrivateFile(source.file, read);
}

/** The text of a file that only its owner may read. @throws {PoolError} */
export function readPrivateFile(path: string, read: KeyReader): string {
  const credentials = read.env(CREDENTIALS_DIRECTORY);
  if (credentials !== undefined && path.startsWith(`${credentials}/`)) return read.file(path);
  const mode = read.mode(path);
  if (mode !== null && (mode & 0o077) !== 0) {
    throw new PoolError(
      `Cannot use ${path} of payouts.signer: others may read it (mode ` +
        `${(mode & 0o777).toString(8).padStart(3, "0")}), run chmod 600 ${path}`,
    );
  }
  return read.file(path);
}

/** The files and variables that a signer's secrets need, for the payer's rights. */
export function keyRights(
  config: SignerConfig | undefined,
  env: (name: string) => string | undefined,
): { files: string[]; variables: string[] } {
  const rights = { files: [] as string[], variables: [] as string[] };
  if (config === undefined || config.kind === "remote" || config.kind === "node") return rights;
  rights.variables.push(CREDENTIALS_DIRECTORY);
  const add = (source: SecretSource) => {
    if ("file" in source) rights.files.push(source.file);
    else if ("variable" in source) rights.variables.push(source.variable);
    else {
      const folder = env(CREDENTIALS_DIRECTORY);
      if (folder !== undefined) rights.files.push(`${folder}/${source.credential}`);
    }
  };
  if (config.kind === "keystore") rights.files.push(config.file);
  add(config.kind === "key" ? config.key : config.passphrase);
  return rights;
}

/** A private key from 64 hex digits. @throws {PoolError} that does not repeat them */
export function hexKey(text: string, where: string): Hex {
  const digits = text.trim().replace(/^0x/i, "");
  if (!/^[0-9a-f]{64}$/i.test(digits)) {
    throw new PoolError(`Cannot read the paying key: ${where} must hold 64 hex digits`);
  }
  return `0x${digits.toLowerCase()}`;
}

/** How a message names a source. */
export function nameOf(source: SecretSource): string {
  if ("file" in source) return `the file ${source.file}`;
  return "variable" in source ? source.variable : `the credential ${source.credential}`;
}

function credentialPath(name: string, read: KeyReader): string {
  const folder = read.env(CREDENTIALS_DIRECTORY);
  if (folder !== undefined) return `${folder}/${name}`;
  throw new PoolError(
    `Cannot read the credential ${name} of payouts.signer: ${CREDENTIALS_DIRECTORY} is not set, ` +
      `add LoadCredential=${name}:PATH to the systemd unit`,
  );
}
