/** The paying key: keystores of the Web3 Secret Storage definition, key files, and refusals. */
import assert from "node:assert/strict";
import { keccak256, recoverTransactionAddress } from "viem";
import type { SignerConfig } from "../config/mod.ts";
import { keyRights } from "./key_sources.ts";
import { decryptKeystore } from "./keystore.ts";
import { openSigner } from "./signer.ts";

// The PBKDF2 vector of the Web3 Secret Storage definition, version 3. Its scrypt vector has r = 1,
// which RFC 7914 rules out; SCRYPT has the same key under geth's light parameters, made with
// hashlib.scrypt and openssl.
const PASSPHRASE = "testpassword";
const KEY = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const ADDRESS = "0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b";
const CIPHER = {
  cipher: "aes-128-ctr",
  cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
  ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
  kdf: "pbkdf2",
  kdfparams: {
    c: 262144,
    dklen: 32,
    prf: "hmac-sha256",
    salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
  },
  mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
};
const SCRYPT = {
  cipher: "aes-128-ctr",
  cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
  ciphertext: "584f4eb2783472ec149b334c22d77ddbf118a0783ea24e66ca8a7883cd2b4bf5",
  kdf: "scrypt",
  kdfparams: {
    dklen: 32,
    n: 4096,
    r: 8,
    p: 6,
    salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
  },
  mac: "860ad3ce9642f99d709abc696e25ede7cd35daf6a6041e975d14c53dae118886",
};

function keystore(crypto: unknown): string {
  return JSON.stringify({ crypto, id: "3198bc9c-6672-5ab3-d995-4942343ae5b6", version: 3 });
}

function reader(files: Record<string, string>, env: Record<string, string> = {}, mode = 0o600) {
  const read = { file: (path: string) => files[path]!, env: (name: string) => env[name] };
  return { read: { ...read, mode: () => mode }, timeoutMs: 1_000 };
}

Deno.test("decryptKeystore() opens what PBKDF2 and scrypt have sealed", () => {
  assert.equal(decryptKeystore(keystore(CIPHER), PASSPHRASE), KEY);
  assert.equal(decryptKeystore(keystore(SCRYPT), PASSPHRASE), KEY);
});

Deno.test("decryptKeystore() tells a wrong passphrase from a wrong file", () => {
  assert.throws(() => decryptKeystore(keystore(CIPHER), "wrong"), /passphrase is wrong/);
  assert.throws(() => decryptKeystore("{", PASSPHRASE), /no JSON/);
  assert.throws(() => decryptKeystore('{"version": 1, "crypto": {}}', PASSPHRASE), /version 3/);
  const odd: [unknown, RegExp][] = [
    [{ ...CIPHER, cipher: "aes-256-gcm" }, /aes-128-ctr/],
    [{ ...CIPHER, kdf: "md5" }, /md5/],
    [{ ...CIPHER, mac: "zz" }, /mac/],
    [{ ...CIPHER, kdfparams: { ...CIPHER.kdfparams, dklen: 16 } }, /dklen/],
  ];
  for (const [crypto, message] of odd) {
    assert.throws(() => decryptKeystore(keystore(crypto), PASSPHRASE), message);
  }
});

Deno.test("openSigner() signs with the key that the configuration names", async () => {
  const files = { "key.json": keystore(CIPHER), pass: `${PASSPHRASE}\n`, raw: `${KEY}\n` };
  const read = reader(files, { KEY: KEY.slice(2) });
  const signers = [
    openSigner({ kind: "keystore", file: "key.json", passphrase: { file: "pass" } }, ADDRESS, read),
    openSigner(
      { kind: "key", key: { file: "raw" } },
      ADDRESS.toUpperCase().replace("X", "x"),
      read,
    ),
    openSigner({ kind: "key", key: { variable: "KEY" } }, ADDRESS, read),
  ];
  const fee = { type: "legacy" as const, gas: 21_000n, gasPrice: 5n };
  for (const signer of signers) {
    assert.equal(signer.address, ADDRESS);
    const { raw, hash } = await signer.sign({
      chainId: 2,
      nonce: 3,
      to: ADDRESS,
      valueWei: 9n,
      fee,
    });
    assert.equal(hash, keccak256(raw as `0x${string}`));
    const from = await recoverTransactionAddress({
      serializedTransaction: raw as Parameters<
        typeof recoverTransactionAddress
      >[0]["serializedTransaction"],
    });
    assert.equal(from.toLowerCase(), ADDRESS);
  }
});

Deno.test("openSigner() refuses a key of another address, and no key, without naming it", () => {
  const env = { kind: "key" as const, key: { variable: "KEY" } };
  const other = "0x" + "1".repeat(40);
  assert.throws(() => openSigner(env, other, reader({}, { KEY })), (error) => {
    assert.match((error as Error).message, new RegExp(`belongs to ${ADDRESS}`));
    assert.ok(!(error as Error).message.includes(KEY.slice(2)));
    return true;
  });
  assert.throws(() => openSigner(env, ADDRESS, reader({})), /set KEY/);
  assert.throws(() => openSigner(env, ADDRESS, reader({}, { KEY: "0x12" })), /64 hex digits/);
});

Deno.test("openSigner() takes passphrase and key from the environment and from credentials", () => {
  const files = { k: keystore(CIPHER), "/run/c/pass": PASSPHRASE, "/run/c/raw": KEY };
  const env = { PASS: PASSPHRASE, CREDENTIALS_DIRECTORY: "/run/c" };
  const configs: SignerConfig[] = [
    { kind: "keystore", file: "k", passphrase: { variable: "PASS" } },
    { kind: "keystore", file: "k", passphrase: { credential: "pass" } },
    { kind: "key", key: { credential: "raw" } },
  ];
  for (const config of configs) {
    assert.equal(openSigner(config, ADDRESS, reader(files, env)).address, ADDRESS);
  }
  assert.throws(
    () => openSigner(configs[2]!, ADDRESS, reader(files)),
    /CREDENTIALS_DIRECTORY is not set, add LoadCredential=raw:PATH/,
  );
});

Deno.test("openSigner() refuses files that others may read, except systemd's credentials", () => {
  const files = { k: keystore(CIPHER), pass: PASSPHRASE, raw: KEY, "/run/c/raw": KEY };
  const configs: [SignerConfig, RegExp][] = [
    [{ kind: "key", key: { file: "raw" } }, /raw .*mode 640\), run chmod 600 raw/],
    [{ kind: "keystore", file: "k", passphrase: { file: "pass" } }, /chmod 600 pass/],
    [{ kind: "keystore", file: "k", passphrase: { variable: "PASS" } }, /chmod 600 k/],
  ];
  const open = (config: SignerConfig) =>
    openSigner(
      config,
      ADDRESS,
      reader(files, { PASS: PASSPHRASE, CREDENTIALS_DIRECTORY: "/run/c" }, 0o640),
    );
  for (const [config, message] of configs) assert.throws(() => open(config), message);
  assert.equal(open({ kind: "key", key: { credential: "raw" } }).address, ADDRESS);
  assert.equal(open({ kind: "key", key: { file: "/run/c/raw" } }).address, ADDRESS);
});

Deno.test("keyRights() names what a signer reads and no more", () => {
  const env = () => "/run/c";
  assert.deepEqual(keyRights(undefined, env), { files: [], variables: [] });
  assert.deepEqual(keyRights({ kind: "remote", url: "http://a" }, env), {
    files: [],
    variables: [],
  });
  assert.deepEqual(
    keyRights({ kind: "keystore", file: "/k", passphrase: { credential: "p" } }, env),
    { files: ["/k", "/run/c/p"], variables: ["CREDENTIALS_DIRECTORY"] },
  );
  assert.deepEqual(keyRights({ kind: "key", key: { variable: "A" } }, env), {
    files: [],
    variables: ["CREDENTIALS_DIRECTORY", "A"],
  });
});
