/** Matching against scripted chains: blocks, uncles, orphans, gaps, and blocks that only look ours. */
import assert from "node:assert/strict";
import type { Block } from "../chain/mod.ts";
import { agreesOnOrphan, matchBlock, type Sought } from "./match.ts";

const OURS = "0x" + "11".repeat(20), OTHER = "0x" + "22".repeat(20);
const NONCE = "0x00000000000000aa", MIX = "0x" + "bb".repeat(32);
const COINBASES = new Set([OURS]);
const hashAt = (number: number) => "0x" + number.toString(16).padStart(64, "0");

function blockAt(number: number, more: Partial<Block> = {}): Block {
  return {
    number,
    hash: hashAt(number),
    parentHash: hashAt(number - 1),
    nonce: "0x0000000000000000",
    mixHash: "0x" + "00".repeat(32),
    miner: OTHER,
    difficulty: 1n,
    timestamp: number,
    uncles: [],
    transactionHashes: [],
    transactions: [],
    ...more,
  };
}

/** A chain up to `head`, with some blocks replaced and uncles by the including block's height. */
function chain(
  head: number,
  blocks: Record<number, Partial<Block> | null> = {},
  uncles: Record<number, (Block | undefined)[]> = {},
) {
  const read: number[] = [];
  return {
    read,
    name: "test",
    blockNumber: () => Promise.resolve(head),
    getBlocks(from: number, to: number) {
      const heights = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
      return Promise.resolve(heights.map((number) => {
        const change = blocks[number];
        read.push(number);
        if (number > head || change === null) return undefined;
        const hashes = (uncles[number] ?? []).map((uncle) => uncle?.hash ?? hashAt(999));
        return blockAt(number, { uncles: hashes, ...change });
      }));
    },
    getUncles: ({ hash }: { hash: string }) => Promise.resolve(uncles[Number(hash)] ?? []),
  };
}

const sought: Sought = { height: 100, nonce: NONCE, mixHash: MIX };
const ours = { nonce: NONCE, mixHash: MIX, miner: OURS };

Deno.test("matchBlock() finds a block at its recorded height", async () => {
  const match = await matchBlock(chain(130, { 100: ours }), sought, 130, COINBASES);
  assert.ok(match.kind === "block" && match.block.number === 100);
});

Deno.test("matchBlock() finds an uncle in the blocks that follow", async () => {
  const uncle = blockAt(100, { ...ours, hash: hashAt(555) });
  for (const height of [101, 106, 107]) {
    const node = chain(130, {}, { [height]: [blockAt(99, { hash: hashAt(7) }), uncle] });
    const match = await matchBlock(node, sought, 130, COINBASES);
    assert.ok(match.kind === "uncle" && match.including.number === height);
    assert.equal(match.uncle.hash, hashAt(555));
  }
});

Deno.test("matchBlock() searches the whole window before it says orphan", async () => {
  for (const height of [84, 115]) {
    const match = await matchBlock(chain(130, { [height]: ours }), sought, 130, COINBASES);
    assert.ok(match.kind === "block" && match.block.number === height);
  }
  const node = chain(130, { 83: ours, 116: ours });
  assert.deepEqual(await matchBlock(node, sought, 130, COINBASES), { kind: "orphan" });
  assert.equal(Math.min(...node.read), 84);
  assert.equal(Math.max(...node.read), 115);
});

Deno.test("matchBlock() is undecided while blocks are missing, few or changing", async () => {
  const undecided = async (node: ReturnType<typeof chain>, head: number) => {
    const match = await matchBlock(node, sought, head, COINBASES);
    assert.equal(match.kind, "undecided");
  };
  await undecided(chain(99), 99);
  await undecided(chain(106), 106);
  await undecided(chain(130, { 104: null }), 130);
  await undecided(chain(130, { 90: null }), 130);
  await undecided(chain(130, { 104: { parentHash: hashAt(3) } }), 130);
  await undecided(chain(130, { 100: { parentHash: hashAt(3) } }), 130);
  await undecided(chain(130, {}, { 103: [undefined] }), 130);
  assert.equal((await matchBlock(chain(107), sought, 107, COINBASES)).kind, "orphan");
});

Deno.test("matchBlock() wants mix digest and coinbase beside the nonce, or the hash alone", async () => {
  const otherMix = chain(130, { 100: { ...ours, mixHash: hashAt(1) } });
  assert.equal((await matchBlock(otherMix, sought, 130, COINBASES)).kind, "orphan");
  const otherMiner = chain(130, { 100: { ...ours, miner: OTHER } });
  assert.deepEqual(await matchBlock(otherMiner, sought, 130, COINBASES), {
    kind: "foreign",
    miner: OTHER,
    height: 100,
  });
  assert.equal((await matchBlock(otherMiner, sought, 130, new Set())).kind, "block");
  const { mixHash: _mix, ...nonceOnly } = sought;
  assert.equal((await matchBlock(otherMiner, nonceOnly, 130, COINBASES)).kind, "orphan");
  const byHash = { ...sought, hash: hashAt(100) };
  assert.equal((await matchBlock(chain(130), byHash, 130, COINBASES)).kind, "block");
  const elsewhere = { ...sought, hash: hashAt(777) };
  assert.equal(
    (await matchBlock(chain(130, { 100: ours }), elsewhere, 130, COINBASES)).kind,
    "orphan",
  );
  const unknown = { ...sought, hash: "0x0", nonce: NONCE.toUpperCase().replace("0X", "0x") };
  assert.equal(
    (await matchBlock(chain(130, { 100: ours }), unknown, 130, COINBASES)).kind,
    "block",
  );
});

Deno.test("agreesOnOrphan() agrees only when the second node says so itself", async () => {
  assert.equal((await agreesOnOrphan(chain(130), sought, COINBASES)).agrees, true);
  assert.equal((await agreesOnOrphan(chain(130, { 100: ours }), sought, COINBASES)).agrees, false);
  assert.equal((await agreesOnOrphan(chain(101), sought, COINBASES)).agrees, false);
  const down = { ...chain(130), getBlocks: () => Promise.reject(new Error("down")) };
  assert.deepEqual(await agreesOnOrphan(down, sought, COINBASES), {
    agrees: false,
    reason: "down",
  });
});

Deno.test("matchBlock() waits for an uncle that rewards an address which is not known yet", async () => {
  const uncle = blockAt(100, { nonce: NONCE, mixHash: MIX, miner: OTHER, hash: hashAt(555) });
  const match = await matchBlock(chain(130, {}, { 102: [uncle] }), sought, 130, COINBASES);
  assert.deepEqual(match, { kind: "foreign", miner: OTHER, height: 100 });
  const byNonce: Sought = { height: 100, nonce: NONCE };
  const other = await matchBlock(chain(130, {}, { 102: [uncle] }), byNonce, 130, COINBASES);
  assert.equal(other.kind, "orphan");
});
