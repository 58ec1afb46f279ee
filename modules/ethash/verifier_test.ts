/** The verifier over the native library: vectors, batches, epochs, back-pressure and shutdown. */
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import {
  createLogger,
  difficultyOf,
  hexToBytes,
  type LogRecord,
  silentLogger,
  targetOf,
  toHash,
} from "../base/mod.ts";
import { type EpochRule } from "./epochs.ts";
import { VerifierBusyError, VerifierClosedError, VerifierError } from "./errors.ts";
import { openLibrary } from "./library.ts";
import type { Verifier } from "./types.ts";
import { datasetFileName, openVerifier } from "./verifier.ts";

const ETHASH: EpochRule = { algorithm: "ethash" };
const CLASSIC: EpochRule = { algorithm: "etchash", ecip1099Height: 11_700_000 };

interface Vector {
  height: number;
  header: string;
  nonce: string;
  mix: string;
  result?: string;
}

async function readVectors(name: string) {
  const url = new URL(`../../tests/vectors/${name}.json`, import.meta.url);
  return JSON.parse(await Deno.readTextFile(url));
}

async function check(verifier: Verifier, vector: Vector): Promise<bigint> {
  const header = hexToBytes(vector.header);
  const nonce = BigInt(vector.nonce);
  const { mix, result } = await verifier.hash(vector.height, header, nonce);
  strictEqual("0x" + mix.toHex(), vector.mix, `mix at height ${vector.height}`);
  if (vector.result) strictEqual(result, BigInt(vector.result), `result at ${vector.height}`);
  // The claim of the same digest passes up to its own result, and not below.
  const claim = { mix, target: hexToBytes(toHash(result)) };
  deepStrictEqual(await verifier.hashClaim(vector.height, header, nonce, claim), { mix, result });
  const lower = { mix, target: hexToBytes(toHash(result - 1n)) };
  strictEqual(await verifier.hashClaim(vector.height, header, nonce, lower), undefined);
  return result;
}

/** Closes the verifier whatever happens. */
async function withVerifier(rule: EpochRule, work: (verifier: Verifier) => Promise<void>) {
  const verifier = openVerifier({ rule, log: silentLogger });
  try {
    await work(verifier);
  } finally {
    await verifier.close();
  }
}

Deno.test("hash() reproduces the Ethash vectors of epochs 0, 1, 2, 29 and 390", async () => {
  const { hashes } = await readVectors("ethash");
  await withVerifier(ETHASH, async (verifier) => {
    for (const epoch of [0, 1, 2, 29, 390]) {
      const some: Vector[] = hashes.filter((h: { epoch: number }) => h.epoch === epoch);
      strictEqual(some.length, 16);
      await verifier.prepare(some[0]!.height);
      await Promise.all(some.map((vector) => check(verifier, vector)));
    }
  });
});

Deno.test("hash() reproduces the Etchash vectors on both sides of ECIP-1099", async () => {
  const { hashes }: { hashes: Vector[] } = await readVectors("etchash");
  await withVerifier(CLASSIC, async (verifier) => {
    for (const height of [11_699_999, 11_700_000, 11_759_999, 11_760_000, 25_000_001]) {
      const some = hashes.filter((vector) => vector.height === height);
      strictEqual(some.length, 8);
      await verifier.prepare(height);
      await Promise.all(some.map((vector) => check(verifier, vector)));
    }
  });
});

Deno.test("hash() reproduces the Ubqhash vectors on both sides of UIP-1", async () => {
  const ubiq: EpochRule = { algorithm: "ubqhash", uip1Height: 660_000 };
  const old: Vector[] = (await readVectors("ubqhash")).hashes;
  const { hashes }: { hashes: Vector[] } = await readVectors("ubqhash_uip1");
  const some = [...old.filter((vector) => vector.height < 660_000), ...hashes];
  await withVerifier(ubiq, async (verifier) => {
    for (const height of [0, 659_999, 660_000, 2_500_000]) {
      await verifier.prepare(height);
      const here = some.filter((vector) => vector.height === height);
      ok(here.length >= 4);
      await Promise.all(here.map((vector) => check(verifier, vector)));
    }
  });
});

Deno.test("hash() reproduces the Frkhash vectors after a network changed to it", async () => {
  const { hashes }: { hashes: Vector[] } = await readVectors("frkhash");
  const expanse: EpochRule = {
    algorithm: "ethash",
    next: { fromHeight: 8_500_000, rule: { algorithm: "frkhash" } },
  };
  strictEqual(hashes.length, 32);
  await withVerifier(expanse, async (verifier) => {
    await verifier.prepare(8_500_000);
    await Promise.all(hashes.map((vector) => check(verifier, vector)));
    const [{ header, nonce, mix }] = hashes as [Vector];
    // Frkhash knows the right digest without hashing more than the filter does.
    const claim = { mix: hexToBytes(mix), target: hexToBytes(toHash(2n ** 256n - 2n)) };
    const claimed = () => verifier.hashClaim(8_500_000, hexToBytes(header), BigInt(nonce), claim);
    ok(await claimed());
    claim.mix[0]! ^= 1;
    strictEqual(await claimed(), undefined);
  });
});

Deno.test("hash() proves two real Ethereum Classic blocks at their published difficulty", async () => {
  const { blocks } = await readVectors("ethash");
  strictEqual(blocks.length, 2);
  await withVerifier(CLASSIC, async (verifier) => {
    for (const block of blocks) {
      await verifier.prepare(block.number);
      const result = await check(verifier, { ...block, height: block.number });
      ok(result <= targetOf(BigInt(block.difficulty)));
      ok(difficultyOf(result) >= BigInt(block.difficulty));
      // One bit of the nonce, and nothing is left of it.
      const nonce = BigInt(block.nonce) ^ 1n;
      const wrong = await verifier.hash(block.number, hexToBytes(block.header), nonce);
      ok(wrong.result > targetOf(BigInt(block.difficulty)));
      ok("0x" + wrong.mix.toHex() !== block.mix);
    }
  });
});

Deno.test("hash() gathers what comes in one turn into few batches", async () => {
  const { hashes } = await readVectors("ethash");
  const library = openLibrary();
  const before = library.poolInfo();
  const verifier = openVerifier({ rule: ETHASH, log: silentLogger });
  await verifier.prepare(0);
  const some: Vector[] = hashes.filter((h: { epoch: number }) => h.epoch === 0);
  const many = Array.from({ length: 640 }, (_, i) => some[i % some.length]!);
  await Promise.all(many.map(async ({ height, header, nonce, mix }) => {
    const hash = await verifier.hash(height, hexToBytes(header), BigInt(nonce));
    strictEqual("0x" + hash.mix.toHex(), mix);
  }));
  deepStrictEqual(verifier.stats(), { underWay: 0, hashed: 640, busy: 0 });
  const after = library.poolInfo();
  strictEqual(after.hashed - before.hashed, 640);
  // 64 at a time, and smaller ones at the end only, when threads would be idle.
  const batches = after.batches - before.batches;
  ok(batches >= 10 && batches < 10 + 4 * after.threads, `${batches} batches`);
  ok(after.threads >= navigator.hardwareConcurrency);
  await verifier.close();
  library.close();
});

Deno.test("hash() and hashClaim() wait for an epoch that is not built yet", async () => {
  const { hashes } = await readVectors("ethash");
  const { height, header, nonce, mix }: Vector = hashes.find((h: { epoch: number }) =>
    h.epoch === 1
  );
  await withVerifier(ETHASH, async (verifier) => {
    const args = [height, hexToBytes(header), BigInt(nonce)] as const;
    const claim = { mix: hexToBytes(mix), target: new Uint8Array(32).fill(255) };
    const [hash, claimed] = await Promise.all([
      verifier.hash(...args),
      verifier.hashClaim(...args, claim),
    ]);
    strictEqual("0x" + hash.mix.toHex(), mix);
    deepStrictEqual(claimed, hash);
    await rejects(verifier.hashClaim(...args, { ...claim, mix: new Uint8Array(31) }), RangeError);
  });
});

Deno.test("hash() refuses shares beyond its bound as busy", async () => {
  const verifier = openVerifier({ rule: ETHASH, log: silentLogger, maxQueued: 10 });
  await verifier.prepare(0);
  const calls = Array.from(
    { length: 15 },
    (_, i) => verifier.hash(0, new Uint8Array(32), BigInt(i)),
  );
  const settled = await Promise.allSettled(calls);
  const refused = settled.filter((call) => call.status === "rejected");
  strictEqual(refused.length, 5);
  for (const call of refused) ok(call.reason instanceof VerifierBusyError);
  strictEqual(verifier.stats().busy, 5);
  // Room again.
  await verifier.hash(0, new Uint8Array(32), 0n);
  await verifier.close();
});

Deno.test("hash() refuses heights far from the prepared one and malformed arguments", async () => {
  await withVerifier(ETHASH, async (verifier) => {
    const header = new Uint8Array(32);
    await verifier.prepare(15_000);
    await rejects(verifier.hash(60_000, header, 0n), /not next to the prepared one/);
    await rejects(verifier.hash(-1, header, 0n), RangeError);
    await rejects(verifier.hash(0, new Uint8Array(31), 0n), RangeError);
    await rejects(verifier.hash(0, header, 1n << 64n), RangeError);
    await rejects(verifier.hash(0, header, -1n), RangeError);
  });
});

Deno.test("prepare() builds the next epoch near the end only, and closes far ones", async () => {
  const records: LogRecord[] = [];
  const log = createLogger((record) => records.push(record), "ethash", "debug");
  const verifier = openVerifier({ rule: ETHASH, log });
  await verifier.prepare(29_399);
  strictEqual(verifier.isReady(0), true);
  // 601 blocks are left: not yet.
  strictEqual(records.filter((record) => record.event === "epoch.ready").length, 1);
  await verifier.prepare(29_400);
  await verifier.hash(30_000, new Uint8Array(32), 0n);
  strictEqual(verifier.isReady(30_000), true);
  await verifier.prepare(30_000);
  strictEqual(verifier.isReady(29_999), true, "the last epoch stays for late shares");
  await verifier.prepare(60_000);
  strictEqual(verifier.isReady(29_999), false);
  const closed = records.filter((record) => record.event === "epoch.closed");
  deepStrictEqual(closed.map((record) => record.facts.epoch), [0]);
  await verifier.close();
});

Deno.test("prepare() leaves the event loop free while a cache is built", async () => {
  await withVerifier(ETHASH, async (verifier) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await verifier.prepare(100 * 30_000);
    clearInterval(timer);
    ok(ticks >= 10, `the timer ran ${ticks} times`);
  });
});

Deno.test("close() rejects what waits and lets what runs end", async () => {
  const verifier = openVerifier({ rule: ETHASH, log: silentLogger, threads: 1 });
  await verifier.prepare(0);
  const header = new Uint8Array(32);
  const running = verifier.hash(0, header, 1n);
  // The next tick's requests wait behind the first.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const waiting = Array.from({ length: 200 }, (_, i) => verifier.hash(0, header, BigInt(i)));
  const search = verifier.search({
    height: 0,
    headerHash: header,
    target: 0n,
    startNonce: 0n,
    count: 1 << 24,
  });
  const settled = Promise.allSettled([running, search, ...waiting]);
  await verifier.close();
  const [first, ...others] = await settled;
  strictEqual(first.status, "fulfilled");
  for (const call of others) {
    ok(call.status === "rejected" && call.reason instanceof VerifierClosedError);
  }
  await rejects(verifier.hash(0, header, 0n), VerifierClosedError);
  await rejects(verifier.prepare(0), VerifierClosedError);
  throws(() => verifier.seedHash(0), VerifierClosedError);
  await verifier.close();
});

Deno.test("close() waits for a cache that is being built", async () => {
  const verifier = openVerifier({ rule: ETHASH, log: silentLogger });
  const prepared = verifier.prepare(5 * 30_000);
  const waiting = verifier.hash(5 * 30_000, new Uint8Array(32), 0n);
  const outcome = Promise.allSettled([prepared, waiting]);
  await verifier.close();
  const [, hash] = await outcome;
  strictEqual(hash.status, "rejected");
  ok((hash as PromiseRejectedResult).reason instanceof VerifierClosedError);
});

Deno.test("search() finds a nonce that hash() confirms", async () => {
  await withVerifier(ETHASH, async (verifier) => {
    const headerHash = new Uint8Array(32).fill(9);
    const target = targetOf(50n);
    const startNonce = 0xffff_ffff_ffff_ff00n;
    const options = { height: 0, headerHash, target, startNonce, count: 5000 };
    const { solution, tried } = await verifier.search(options);
    ok(solution);
    strictEqual(BigInt.asUintN(64, solution.nonce - startNonce), BigInt(tried - 1));
    ok(solution.result <= target);
    const { mix, result } = await verifier.hash(0, headerHash, solution.nonce);
    deepStrictEqual([mix, result], [solution.mix, solution.result]);
    deepStrictEqual(await verifier.search({ ...options, target: 0n, count: 70 }), { tried: 70 });
    await rejects(verifier.search({ ...options, count: 0 }), RangeError);
  });
});

Deno.test("seedHash() is the one that nodes show, and names the dataset file", async () => {
  await withVerifier(CLASSIC, (verifier) => {
    strictEqual(verifier.seedHash(0).toHex(), "00".repeat(32));
    strictEqual(datasetFileName(verifier.seedHash(30_000)), "full-R23-290decd9548b62a8");
    // Epoch 195 comes twice on Ethereum Classic, with different seeds.
    ok(verifier.seedHash(5_850_000).toHex() !== verifier.seedHash(11_700_000).toHex());
    return Promise.resolve();
  });
});

Deno.test("attachDataset() refuses the dummy that is written for nodes", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await withVerifier(ETHASH, async (verifier) => {
      await verifier.writeDummyDataset(30_000, directory);
      const path = `${directory}/full-R23-290decd9548b62a8`;
      strictEqual((await Deno.stat(path)).size, 1_082_130_312);
      await rejects(verifier.attachDataset(30_000, path), /not that of this epoch/);
      await rejects(verifier.attachDataset(30_000, `${directory}/absent`), VerifierError);
      deepStrictEqual((await verifier.info(30_000)).hasDataset, false);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
