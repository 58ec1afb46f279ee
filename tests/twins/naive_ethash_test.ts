/** The native library against the naive twin of the specification, on a small epoch. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { Batcher } from "../../modules/ethash/batcher.ts";
import { openLibrary } from "../../modules/ethash/library.ts";
import { keccak, naiveCache, naiveHashimoto, naiveSeedHash } from "./naive_ethash.ts";

Deno.test("naiveHashimoto() and the native verifier agree on tiny epochs", async () => {
  const library = openLibrary();
  const batcher = new Batcher(library, 256, 0);
  // Odd counts, powers of two, go-ethereum's test mode (16 and 256), a single item.
  for (const [cacheItems, datasetItems, rounds] of [[16, 256, 0], [61, 127, 3], [1, 1, 1]]) {
    const cache = naiveCache(cacheItems!, naiveSeedHash(rounds!));
    const handle = await library.openSizedContext(cacheItems!, datasetItems!, rounds!);
    for (let i = 0; i < 3; i++) {
      const headerHash = new Uint8Array(32).map((_, j) => 17 * i + 5 * j);
      const nonce = BigInt.asUintN(64, 0x9e3779b97f4a7c15n * BigInt(i * i * i));
      deepStrictEqual(
        await batcher.hash({ handle, flags: 0 }, headerHash, nonce, undefined),
        naiveHashimoto(cache, datasetItems!, headerHash, nonce),
      );
    }
    library.closeContext(handle);
  }
  await batcher.close();
  library.close();
});

Deno.test("keccak() and the native keccak-256 agree on messages around the block length", () => {
  const library = openLibrary();
  const message = fc.uint8Array({ minLength: 0, maxLength: 300 });
  fc.assert(
    fc.property(message, (bytes) => {
      strictEqual(library.keccak256(bytes).toHex(), keccak(bytes, 32).toHex());
    }),
    { examples: [[new Uint8Array(135)], [new Uint8Array(136)], [new Uint8Array(137)]] },
  );
  library.close();
});

Deno.test("naiveSeedHash() and the native seed agree", () => {
  const library = openLibrary();
  for (const rounds of [0, 1, 2, 50]) {
    strictEqual(library.seedHash(rounds).toHex(), naiveSeedHash(rounds).toHex());
  }
  library.close();
});
