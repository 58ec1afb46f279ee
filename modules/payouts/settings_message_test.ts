/** Signed settings: what counts, and every way in which a signature does not. */
import assert from "node:assert/strict";
import { privateKeyToAccount } from "viem/accounts";
import { type SettingsMessage, settingsRefusal, typedDataOf } from "./settings_message.ts";

const MINER = privateKeyToAccount(`0x${"11".repeat(32)}`);
const OTHER = privateKeyToAccount(`0x${"22".repeat(32)}`);
const POOL = { chainId: 61, address: "0x" + "ab".repeat(20) };
const BOUNDS = { thresholdMin: 100n, thresholdMax: 10_000n };
const NOW = 1_700_000_000;
const MESSAGE: SettingsMessage = {
  miner: MINER.address.toLowerCase(),
  thresholdShannon: 500n,
  feeCeilingWei: 0n,
  notify: "rig@example.org",
  silentAfterSeconds: 0,
  nonce: 7,
  expiry: NOW + 600,
};

/** Signs as a wallet does: over the typed data with its decimal text. */
async function sign(message: SettingsMessage, account = MINER, pool = POOL): Promise<string> {
  const { domain, types, primaryType, message: values } = typedDataOf(message, pool);
  return await account.signTypedData({ domain, types, primaryType, message: values } as never);
}

const refusal = (message: SettingsMessage, signature: string, pool = POOL) =>
  settingsRefusal(message, signature, pool, BOUNDS, NOW);

Deno.test("settingsRefusal() takes what the miner's own key signed", async () => {
  assert.equal(await refusal(MESSAGE, await sign(MESSAGE)), undefined);
  const plain = { ...MESSAGE, thresholdShannon: 0n, notify: "" };
  assert.equal(await refusal(plain, await sign(plain)), undefined);
});

Deno.test("settingsRefusal() refuses another key, other values, another chain, another pool", async () => {
  const signature = await sign(MESSAGE);
  assert.match((await refusal(MESSAGE, await sign(MESSAGE, OTHER)))!, /it is of 0x1563915e/);
  for (
    const change of [{ thresholdShannon: 501n }, { nonce: 8 }, { notify: "" }, { expiry: NOW + 1 }]
  ) {
    assert.match((await refusal({ ...MESSAGE, ...change }, signature))!, /^signature: it is of/);
  }
  for (const pool of [{ ...POOL, chainId: 63 }, { ...POOL, address: "0x" + "cd".repeat(20) }]) {
    assert.match((await refusal(MESSAGE, signature, pool))!, /^signature: it is of/);
  }
  for (const text of ["", "0x", signature + "00", "0x" + "00".repeat(65)]) {
    assert.match((await refusal(MESSAGE, text))!, /no EIP-712 signature/);
  }
});

Deno.test("settingsRefusal() keeps values in bounds, and names the field", async () => {
  const cases: [Partial<SettingsMessage>, RegExp][] = [
    [{ miner: MINER.address }, /^miner: give a lower-case/],
    [{ thresholdShannon: 99n }, /^thresholdShannon: the least is 100/],
    [{ thresholdShannon: -1n }, /^thresholdShannon: the least/],
    [{ thresholdShannon: 10_001n }, /^thresholdShannon: the most is 10000/],
    [{ feeCeilingWei: -1n }, /^feeCeilingWei/],
    [{ notify: "http://example.org" }, /^notify/],
    [{ notify: "https://user:pass@example.org" }, /^notify/],
    [{ notify: "a b@example.org" }, /^notify/],
    [{ notify: "javascript:alert(1)" }, /^notify/],
    [{ silentAfterSeconds: 299 }, /^silentAfterSeconds/],
    [{ silentAfterSeconds: 86_401 }, /^silentAfterSeconds/],
    [{ nonce: 0 }, /^nonce/],
    [{ nonce: 1.5 }, /^nonce/],
    [{ expiry: NOW }, /^expiry: the message has expired/],
    [{ expiry: NOW + 90_000 }, /^expiry: at most a day/],
  ];
  for (const [change, expected] of cases) {
    const message = { ...MESSAGE, ...change };
    assert.match((await refusal(message, "0x")) ?? "", expected);
  }
});
