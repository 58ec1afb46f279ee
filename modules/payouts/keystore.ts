/** Keystore files: the private key of a Web3 Secret Storage file, version 3. */
import { createDecipheriv, pbkdf2Sync, scryptSync, timingSafeEqual } from "node:crypto";
import { type Hex, keccak256 } from "viem";
import { PoolError } from "../base/mod.ts";
import { hexKey } from "./key_sources.ts";

/** Memory for scrypt: geth's N = 262144, r = 8 needs 256 MiB. */
const SCRYPT_BYTES_MAX = 512 * 1024 * 1024;

/**
 * The private key of a Web3 Secret Storage file, version 3, as geth writes it.
 *
 * @throws {PoolError} for another form or a wrong passphrase
 */
export function decryptKeystore(text: string, passphrase: string): Hex {
  const crypto = cryptoOf(text);
  const { kdf, kdfparams, cipher, cipherparams, ciphertext, mac } = crypto;
  if (cipher !== "aes-128-ctr") throw badKeystore(`cipher ${cipher} is not aes-128-ctr`);
  const salt = bytesOf(kdfparams["salt"], "salt");
  const length = wholeOf(kdfparams["dklen"], "dklen");
  if (length < 32) throw badKeystore("dklen is below 32");
  let derived: Uint8Array;
  if (kdf === "scrypt") {
    const [N, r, p] = ["n", "r", "p"].map((name) => wholeOf(kdfparams[name], name));
    derived = scryptSync(passphrase, salt, length, { N, r, p, maxmem: SCRYPT_BYTES_MAX });
  } else if (kdf === "pbkdf2" && kdfparams["prf"] === "hmac-sha256") {
    derived = pbkdf2Sync(passphrase, salt, wholeOf(kdfparams["c"], "c"), length, "sha256");
  } else {
    throw badKeystore(`key derivation ${kdf} is not known`);
  }
  const sealed = bytesOf(ciphertext, "ciphertext");
  const sum = keccak256(new Uint8Array([...derived.subarray(16, 32), ...sealed]), "bytes");
  const expected = bytesOf(mac, "mac");
  if (expected.length !== sum.length || !timingSafeEqual(sum, expected)) {
    throw new PoolError("Cannot open the keystore: the passphrase is wrong");
  }
  const iv = bytesOf(cipherparams["iv"], "iv");
  const decipher = createDecipheriv("aes-128-ctr", derived.subarray(0, 16), iv);
  const key = new Uint8Array([...decipher.update(sealed), ...decipher.final()]);
  return hexKey(key.toHex(), "the keystore");
}

interface KeystoreCrypto {
  kdf: unknown;
  kdfparams: Record<string, unknown>;
  cipher: unknown;
  cipherparams: Record<string, unknown>;
  ciphertext: unknown;
  mac: unknown;
}

function cryptoOf(text: string): KeystoreCrypto {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch {
    throw badKeystore("it is no JSON");
  }
  const crypto = value?.["crypto"] ?? value?.["Crypto"];
  if (value?.["version"] !== 3 || crypto === null || typeof crypto !== "object") {
    throw badKeystore("it is not version 3");
  }
  const { kdfparams, cipherparams } = crypto as KeystoreCrypto;
  if (typeof kdfparams !== "object" || typeof cipherparams !== "object") {
    throw badKeystore("its parameters are missing");
  }
  return crypto as KeystoreCrypto;
}

function bytesOf(value: unknown, name: string): Uint8Array {
  if (typeof value !== "string" || !/^([0-9a-f]{2})+$/i.test(value)) {
    throw badKeystore(`${name} is no hex`);
  }
  const bytes = new Uint8Array(value.length / 2);
  bytes.setFromHex(value);
  return bytes;
}

function wholeOf(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
  throw badKeystore(`${name} is no number`);
}

function badKeystore(reason: string): PoolError {
  return new PoolError(`Cannot read the keystore: ${reason}`);
}
