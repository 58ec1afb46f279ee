/** Solo by login beside a common round: the finder gets its block less the fee, nobody else's round moves. */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes } from "../../modules/base/mod.ts";
import { createKeys, recordOf } from "../../modules/ledger/mod.ts";
import { LineClient } from "../support/line_client.ts";
import { until } from "../support/process.ts";
import { openWholePool, quickUnlocker } from "../support/whole_pool.ts";

const SOLO = "0x" + "11".repeat(20), PROP = "0x" + "22".repeat(20);
const DIFFICULTY = 64n;
const keys = createKeys("t");

Deno.test("a miner that logs in solo gets its block, and the others keep their round", async () => {
  await using stack = new AsyncDisposableStack();
  const { pow: verifier, chain, ports, store } = await openWholePool(stack, {
    difficulty: DIFFICULTY,
    config: (node) => ({ threads: 2, unlocker: quickUnlocker(node) }),
  });
  const hash = async (key: string) => recordOf(await store.command("HGETALL", key));

  /** A nonce under some digits that solves the header's block, or does not. */
  async function search(header: string, digits: string, wins: boolean) {
    for (let n = 1;; n++) {
      const nonce = digits + n.toString(16).padStart(16 - digits.length, "0");
      const { result, mix } = await verifier.hash(1, hexToBytes(header), BigInt("0x" + nonce));
      if (result * DIFFICULTY < 1n << 256n === wins) return { nonce, mix: bytesToHex(mix) };
    }
  }
  const solo = await LineClient.stratum1(ports.stratum, `solo:${SOLO}.rig`);
  const proxy = await LineClient.ethProxy(ports.stratum, PROP);
  stack.defer(() => [solo, proxy].forEach((client) => client.close()));

  // The header that was there before the login counts by the pool's scheme.
  const early = await search(solo.headerHash, solo.extranonce, false);
  assert.equal(await solo.submitPart(early.nonce.slice(4)), "true");
  assert.deepEqual(await hash(keys.roundCurrent()), { [SOLO]: "1" });
  const before = solo.headerHash;
  chain.chain.mine(2, { transactions: false, uncles: false });
  await until("the new height's job", async () => {
    await solo.ask("mining.noop", []);
    const { result } = await proxy.ask("eth_getWork", []);
    return solo.headerHash !== before && (result as string[])[0] === solo.headerHash;
  });
  const header = solo.headerHash;

  const share = await search(header, solo.extranonce, false);
  assert.equal(await solo.submitPart(share.nonce.slice(4)), "true");
  const other = await search(header, "00000000c", false);
  assert.equal(await proxy.submitWhole("0x" + other.nonce, header, other.mix), "true");
  // Work done under the solo extranonce cannot be put into the round by another door.
  const strays = await search(header, solo.extranonce + "ff", false);
  assert.equal(await proxy.submitWhole("0x" + strays.nonce, header, strays.mix), "true");
  const round = { [SOLO]: "1", [PROP]: "1" };
  assert.deepEqual(await hash(keys.roundCurrent()), round);
  assert.deepEqual(await hash(keys.own.solo()), { [SOLO]: "1", [PROP]: "1" });

  const block = await search(header, solo.extranonce, true);
  assert.equal(await solo.submitPart(block.nonce.slice(4)), "true");
  assert.deepEqual(await hash(keys.round(3, "0x" + block.nonce)), { [SOLO]: "2" });
  assert.deepEqual(await hash(keys.roundCurrent()), round);
  assert.deepEqual(await hash(keys.own.solo()), { [PROP]: "1" });

  await until("the block in the chain", () => chain.chain.head.header.number >= 3);
  chain.chain.mine(33, { transactions: false, uncles: false });
  await until("the block's credit", async () => {
    return (await hash(keys.miner(SOLO))).balance !== undefined;
  });
  // 2 coins less 1 %, in Shannon.
  assert.equal((await hash(keys.miner(SOLO))).balance, "1980000000");
  assert.equal((await hash(keys.miner(PROP))).balance, undefined);
  assert.deepEqual(await hash(keys.roundCurrent()), round);
});
