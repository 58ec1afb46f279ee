/** The paying key: opened here, inside the payer's worker, and never handed out. */
import { createDecipheriv, pbkdf2Sync, scryptSync, timingSafeEqual } from "node:crypto";
import { type Hex, keccak256 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { PoolError, type Wei } from "../base/mod.ts";
import type { SignerConfig } from "../config/mod.ts";
import type { Fee } from "./fees.ts";

/** A transaction to sign. */
export interface UnsignedPayment {
  chainId: number;
  nonce: number;
  to: string;
  valueWei: Wei;
  fee: Fee;
}

/** Signs payments of one address. */
export interface Signer {
  /** Lower-case address. */
  readonly address: string;
  sign(payment: UnsignedPayment): Promise<{ raw: string; hash: string }>;
}

/** How key material is read; the payer's worker gives files and environment. */
export interface KeyReader {
  file(path: string): string;
  env(name: string): string | undefined;
}

/** Memory for scrypt: geth's N = 262144, r = 8 needs 256 MiB. */
const SCRYPT_BYTES_MAX = 512 * 1024 * 1024;

/**
 * Opens the key that the configuration names.
 *
 * @throws {PoolError} when it cannot be read or is not the key of the paying address
 */
export function openSigner(config: SignerConfig, address: string, read: KeyReader): Signer {
  const account = privateKeyToAccount(keyOf(config, read));
  const own = account.address.toLowerCase();
  if (own !== address.toLowerCase()) {
    throw new PoolError(
      `Cannot pay from ${address}: the key of payouts.signer belongs to ${own}, ` +
        "correct payouts.address or the key",
    );
  }
  return {
    address: own,
    async sign({ chainId, nonce, to, valueWei, fee }) {
      const common = { chainId, nonce, to: to as Hex, value: valueWei };
      const raw = await account.signTransaction({ ...common, ...fee });
      return { raw, hash: keccak256(raw) };
    },
  };
}

function keyOf(config: SignerConfig, read: KeyReader): Hex {
  switch (config.kind) {
    case "keystore": {
      const passphrase = read.file(config.passphraseFile).split("\n")[0]!.replace(/\r$/, "");
      return decryptKeystore(read.file(config.file), passphrase);
    }
    case "keyFile":
      return hexKey(read.file(config.file), `the file ${config.file}`);
    case "privateKeyEnv": {
      const text = read.env(config.variable);
      if (text === undefined) {
        throw new PoolError(`Cannot read the paying key: set ${config.variable}`);
      }
      return hexKey(text, config.variable);
    }
  }
}

function hexKey(text: string, where: string): Hex {
  const digits = text.trim().replace(/^0x/i, "");
  if (!/^[0-9a-f]{64}$/i.test(digits)) {
    throw new PoolError(`Cannot read the paying key: ${where} must hold 64 hex digits`);
  }
  return `0x${digits.toLowerCase()}`;
}

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
