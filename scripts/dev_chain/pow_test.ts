/** The development chain with real Ethash: a searched nonce is a block, its neighbours are not. */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes, nonceToHex, silentLogger } from "../../modules/base/mod.ts";
import { createNode } from "../../modules/chain/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { openPow } from "./pow.ts";
import { startDevChain } from "./start.ts";

Deno.test("startDevChain() accepts a real solution and refuses it with one bit changed", async () => {
  const pow = openPow(silentLogger);
  {
    await using dev = await startDevChain({
      coinbase: "0x" + "ab".repeat(20),
      pow,
      difficulty: 64n,
    });
    const node = createNode({ name: "dev", url: dev.url, timeoutMs: 60_000 });
    const work = await node.getWork();
    const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
    await verifier.prepare(work!.height);
    const { solution } = await verifier.search({
      height: work!.height,
      headerHash: hexToBytes(work!.headerHash),
      target: work!.target,
      startNonce: 0n,
      count: 4_096,
    });
    await verifier.close();
    assert.ok(solution !== undefined);
    const mix = bytesToHex(solution.mix);
    const wrongMix = bytesToHex(solution.mix.map((byte, i) => i === 31 ? byte ^ 1 : byte));
    const nonce = nonceToHex(solution.nonce);
    const submit = (n: string, m: string) => node.submitWork(n, work!.headerHash, m);
    assert.equal(await submit(nonceToHex(solution.nonce ^ 1n), mix), false);
    assert.equal(await submit(nonce, wrongMix), false);
    assert.equal(await node.blockNumber(), 0);
    assert.equal(await submit(nonce, mix), true);
    assert.equal((await node.getBlock(1))?.mixHash, mix);
  }
  await pow.close();
});
