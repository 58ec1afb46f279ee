/** A signer elsewhere: three dialects, and nothing but what was asked is ever used. */
import assert from "node:assert/strict";
import { keccak256 } from "viem";
import { shannonToWei } from "../base/mod.ts";
import { NodeError } from "../chain/mod.ts";
import {
  minerAddress,
  openPayerWorld,
  PAYER_KEY,
  payerAccount,
} from "../../tests/support/payer_world.ts";
import { type RemoteSignerOptions, startRemoteSigner } from "../../tests/support/remote_signer.ts";
import { HaltError } from "./halt.ts";
import { openRemoteSigner } from "./remote_signer.ts";
import { readTransactionFields } from "./transactions.ts";

const ADDRESS = payerAccount.address.toLowerCase();
const COMMON = { chainId: 1337, nonce: 0, to: minerAddress(1), valueWei: 9n };
const LEGACY = { ...COMMON, fee: { type: "legacy" as const, gas: 21_000n, gasPrice: 5n } };
const DYNAMIC = {
  ...COMMON,
  nonce: 258,
  fee: {
    ...{ type: "eip1559" as const, gas: 30_000n },
    ...{ maxFeePerGas: 70n, maxPriorityFeePerGas: 0n },
  },
};

for (const like of ["web3signer", "node", "clef"] as const) {
  Deno.test(`openRemoteSigner() has a signer like ${like} sign, of either type`, async () => {
    await using server = startRemoteSigner({ key: PAYER_KEY, chainId: 1337, like });
    const signer = openRemoteSigner(server.url, ADDRESS, { timeoutMs: 5_000 });
    for (const payment of [LEGACY, DYNAMIC]) {
      const { raw, hash } = await signer.sign(payment);
      assert.equal(hash, keccak256(raw as `0x${string}`));
      assert.deepEqual(readTransactionFields(raw), { ...payment, data: "0x" });
    }
    // The first answer tells the method; it is not guessed again.
    assert.equal(server.calls.length, like === "clef" ? 3 : 2);
  });
}

Deno.test("openRemoteSigner() halts on every field that differs from what was asked", async () => {
  type Change = NonNullable<RemoteSignerOptions["change"]>;
  const changes: [Change, RegExp, typeof LEGACY | typeof DYNAMIC][] = [
    [(tx) => ({ ...tx, chainId: 1 }), /chain id 1, not 1337/, LEGACY],
    [(tx) => ({ ...tx, nonce: 4 }), /nonce 4, not 0/, LEGACY],
    [(tx) => ({ ...tx, to: payerAccount.address }), /payee 0x/, LEGACY],
    [(tx) => ({ ...tx, value: 10n }), /value 10, not 9/, LEGACY],
    [(tx) => ({ ...tx, data: "0x01" }), /data 0x01, not 0x/, LEGACY],
    [(tx) => ({ ...tx, gas: 22_000n }), /gas 22000, not 21000/, LEGACY],
    [(tx) => ({ ...tx, gasPrice: 6n } as typeof tx), /gas price 6, not 5/, LEGACY],
    [(tx) => ({ ...tx, maxFeePerGas: 71n } as typeof tx), /max fee 71, not 70/, DYNAMIC],
    [(tx) => ({ ...tx, maxPriorityFeePerGas: 1n } as typeof tx), /tip 1, not 0/, DYNAMIC],
  ];
  for (const [change, message, payment] of changes) {
    await using server = startRemoteSigner({
      ...{ key: PAYER_KEY, chainId: 1337, like: "web3signer", change },
    });
    const signer = openRemoteSigner(server.url, ADDRESS, { timeoutMs: 5_000 });
    await assert.rejects(signer.sign(payment), (error) => {
      assert.ok(error instanceof HaltError);
      assert.match(error.message, message);
      return true;
    });
  }
  await using other = startRemoteSigner({
    ...{ key: `0x${"08".repeat(32)}`, chainId: 1337, like: "node" },
  });
  const signer = openRemoteSigner(other.url, ADDRESS, { timeoutMs: 5_000 });
  await assert.rejects(signer.sign(LEGACY), /sender 0x[0-9a-f]{40}, not 0x/);
});

Deno.test("openRemoteSigner() halts on what is no transaction, and retries a refusal", async () => {
  await using server = startRemoteSigner({ key: PAYER_KEY, chainId: 1337, like: "node" });
  const signer = openRemoteSigner(server.url, ADDRESS, { timeoutMs: 5_000 });
  for (const result of [null, "0x", "0x1234", { raw: 5 }, "0xc0", {}]) {
    server.answer(() => ({ result }));
    await assert.rejects(signer.sign(LEGACY), (error) => error instanceof HaltError);
  }
  server.answer(() => ({ error: { code: -32000, message: "request denied" } }));
  await assert.rejects(
    signer.sign(LEGACY),
    (error) => error instanceof NodeError && /payouts.signer refused/.test(error.message),
  );
});

Deno.test("createRun() pays through a signer elsewhere, and nothing while it signs wrongly", async () => {
  let wrong = true;
  await using server = startRemoteSigner({
    ...{ key: PAYER_KEY, chainId: 1337, like: "web3signer" },
    change: (tx) => wrong ? { ...tx, to: payerAccount.address } : tx,
  });
  await using world = await openPayerWorld({
    signer: () => openRemoteSigner(server.url, ADDRESS, { timeoutMs: 5_000 }),
  });
  await world.credit(minerAddress(1), 5_000n);
  const life = world.start();
  await life.step(world.lease);
  for (let i = 0; i < 2; i++) await assert.rejects(life.step(world.lease), HaltError);
  const [payment] = await world.payments.open();
  assert.equal(payment!.state, "reserved");
  assert.deepEqual(life.payer.journal.entries(), []);
  assert.equal(world.dev.server.calls.includes("eth_sendRawTransaction"), false);
  wrong = false;
  await world.drive(life, world.isQuiet);
  life.close();
  assert.equal(await world.receivedWei(minerAddress(1)), shannonToWei(5_000n));
});
