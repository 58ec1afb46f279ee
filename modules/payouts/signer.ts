/** What signs payments: a key that is opened here, inside the payer's worker, or a signer elsewhere. */
import { type Hex, keccak256 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { PoolError, type Wei } from "../base/mod.ts";
import type { SignerConfig } from "../config/mod.ts";
import type { Fee } from "./fees.ts";
import { hexKey, type KeyReader, nameOf, readPrivateFile, readSecret } from "./key_sources.ts";
import { decryptKeystore } from "./keystore.ts";
import { openNodeAccount } from "./node_account.ts";
import { openRemoteSigner } from "./remote_signer.ts";

/** A transaction to sign. */
export interface UnsignedPayment {
  chainId: number;
  nonce: number;
  to: string;
  valueWei: Wei;
  /** 0x hex; none for a plain transfer. */
  data?: Hex;
  fee: Fee;
}

/** Signs payments of one address. */
export interface Signer {
  /** Lower-case address. */
  readonly address: string;
  /** Set when the node itself signs and sends: what is signed here are the unsigned bytes. */
  readonly byNode?: true;
  sign(payment: UnsignedPayment): Promise<{ raw: string; hash: string }>;
}

/** What a signer is opened with besides its configuration. */
export interface SignerDeps {
  read: KeyReader;
  /** Longest wait for the answer of a signer elsewhere (milliseconds). */
  timeoutMs: number;
  fetch?: typeof fetch;
}

/**
 * Opens the signer that the configuration names.
 *
 * @throws {PoolError} when its key cannot be read or is not the key of the paying address
 */
export function openSigner(config: SignerConfig, address: string, deps: SignerDeps): Signer {
  if (config.kind === "remote") return openRemoteSigner(config.url, address.toLowerCase(), deps);
  if (config.kind === "node") return openNodeAccount(address.toLowerCase());
  return keySigner(keyOf(config, deps.read), address);
}

function keySigner(key: Hex, address: string): Signer {
  const account = privateKeyToAccount(key);
  const own = account.address.toLowerCase();
  if (own !== address.toLowerCase()) {
    throw new PoolError(
      `Cannot pay from ${address}: the key of payouts.signer belongs to ${own}, ` +
        "correct payouts.address or the key",
    );
  }
  return {
    address: own,
    async sign({ chainId, nonce, to, valueWei, data, fee }) {
      const common = { chainId, nonce, to: to as Hex, value: valueWei, data: data ?? "0x" as Hex };
      const raw = await account.signTransaction({ ...common, ...fee });
      return { raw, hash: keccak256(raw) };
    },
  };
}

function keyOf(config: Exclude<SignerConfig, { kind: "remote" | "node" }>, read: KeyReader): Hex {
  if (config.kind === "key") return hexKey(readSecret(config.key, read), nameOf(config.key));
  const passphrase = readSecret(config.passphrase, read).split("\n")[0]!.replace(/\r$/, "");
  return decryptKeystore(readPrivateFile(config.file, read), passphrase);
}
