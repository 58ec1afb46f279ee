/** One node against a real HTTP server: strict reading, heights of work, receipts, honest errors. */
import assert from "node:assert/strict";
import { errorText, FakeClock } from "../base/mod.ts";
import { type Script, startRpcServer } from "../../tests/support/json_rpc.ts";
import { freePort } from "../../tests/support/process.ts";
import { createNode } from "./node.ts";
import { NodeError, type NodeErrorKind } from "./rpc.ts";

const HASH = "0x" + "ab".repeat(32), OTHER = "0x" + "cd".repeat(32);
const TX1 = "0x" + "01".repeat(32), TX2 = "0x" + "02".repeat(32);
const MINER = "0x" + "11".repeat(20);
const BLOCK = {
  number: "0x10",
  hash: HASH.toUpperCase().replace("0X", "0x"),
  parentHash: OTHER,
  nonce: "0x00000000000000FF",
  mixHash: OTHER,
  miner: MINER,
  difficulty: "0x20000",
  timestamp: "0x5",
  uncles: [OTHER],
  transactions: [TX1, TX2],
};
const receipt = (hash: string, blockHash = HASH) => ({
  transactionHash: hash,
  blockHash,
  blockNumber: "0x10",
  gasUsed: "0x5208",
  status: "0x1",
});

function nodeAt(url: string, clock = new FakeClock()) {
  return createNode({ name: "main", url, timeoutMs: 1_000 }, { clock });
}

async function fails(work: Promise<unknown>, kind: NodeErrorKind): Promise<NodeError> {
  const error = await work.then(() => undefined, (error) => error);
  assert.ok(error instanceof NodeError, `expected a NodeError, got ${error}`);
  assert.equal(error.kind, kind);
  assert.equal(error.retryable, kind !== "refused");
  return error;
}

Deno.test("getWork() takes the height from the fourth element", async () => {
  await using server = startRpcServer(() => ({ result: [HASH, OTHER, "0x0fff", "0x1a"] }));
  assert.deepEqual(await nodeAt(server.url).getWork(), {
    headerHash: HASH,
    seedHash: OTHER,
    target: 0xfffn,
    height: 26,
  });
  assert.deepEqual(server.calls, ["eth_getWork"]);
});

Deno.test("getWork() asks for the head before and after, and discards work when it changes", async () => {
  let head = 7;
  const script: Script = (method) => ({
    result: method === "eth_blockNumber" ? "0x" + head.toString(16) : [HASH, OTHER, "0xff"],
  });
  await using server = startRpcServer(script);
  const node = nodeAt(server.url);
  assert.equal((await node.getWork())?.height, 8);
  server.answer((method, params) => {
    if (method === "eth_getWork") head++;
    return script(method, params);
  });
  assert.equal(await node.getWork(), undefined);
});

Deno.test("Node refuses null and garbage instead of reading zeros", async () => {
  await using server = startRpcServer(() => ({ result: null }));
  const node = nodeAt(server.url);
  await fails(node.blockNumber(), "garbage");
  await fails(node.getWork(), "garbage");
  await fails(node.getBalance(MINER), "garbage");
  await fails(node.submitWork("0x00000000000000ff", HASH, HASH), "garbage");
  assert.equal(await node.getBlock(5), undefined);
  assert.equal(await node.getReceipt(TX1), undefined);
  for (const result of ["", "12", 12, {}, "0x", "0xzz", [], ["0x1"]]) {
    server.answer(() => ({ result }));
    await fails(node.blockNumber(), "garbage");
    await fails(node.getWork(), "garbage");
  }
});

Deno.test("Node tells apart refusals, HTTP trouble, garbage and a node that is not there", async () => {
  await using server = startRpcServer(() => ({
    error: { code: -32000, message: "nonce too low" },
  }));
  const node = nodeAt(server.url);
  const refused = await fails(node.sendRawTransaction("0x00"), "refused");
  assert.equal(refused.reason, "nonce too low");
  assert.equal(refused.code, -32000);
  assert.equal(node.failuresInRow, 0);
  server.answer(() => ({ response: new Response("<html>down</html>", { status: 503 }) }));
  assert.equal((await fails(node.blockNumber(), "status")).code, 503);
  server.answer(() => ({ response: new Response("<html>hello</html>") }));
  await fails(node.blockNumber(), "garbage");
  server.answer(() => ({ response: new Response("") }));
  await fails(node.blockNumber(), "garbage");
  assert.equal(node.failuresInRow, 3);
  await fails(nodeAt("http://127.0.0.1:1/").blockNumber(), "unreachable");
  const away = `127.0.0.1:${freePort()}`;
  const secret = nodeAt(`http://me:hunter2@${away}/v3/key?token=abc)d`).blockNumber();
  const text = await secret.then(String, errorText);
  assert.match(text, /the connection failed: .*(refused|connect)/i);
  assert.doesNotMatch(text, /hunter2|v3|key|token|abc/);
});

Deno.test("Node gives up on a node that hangs when its time is over", async () => {
  const asked = Promise.withResolvers<void>();
  await using server = startRpcServer(() => {
    asked.resolve();
    return { hang: true };
  });
  const clock = new FakeClock();
  const late = fails(nodeAt(server.url, clock).blockNumber(), "timeout");
  await asked.promise;
  await clock.advance(1_000);
  assert.match((await late).message, /1000 ms/);
});

Deno.test("getBlock() normalizes blocks, with seal fields where a node gives those", async () => {
  await using server = startRpcServer(() => ({ result: BLOCK }));
  const node = nodeAt(server.url);
  const block = await node.getBlock(16);
  assert.equal(block?.hash, HASH);
  assert.equal(block?.nonce, "0x00000000000000ff");
  assert.deepEqual(block?.transactionHashes, [TX1, TX2]);
  assert.equal(block?.baseFeePerGas, undefined);
  const { nonce: _nonce, mixHash: _mix, ...rest } = BLOCK;
  server.answer(() => ({
    result: { ...rest, sealFields: ["0xa0" + OTHER.slice(2), "0x8800000000000000ff"] },
  }));
  const sealed = await node.getBlock("latest");
  assert.equal(sealed?.nonce, "0x00000000000000ff");
  assert.equal(sealed?.mixHash, OTHER);
  server.answer(() => ({ result: { ...BLOCK, hash: null } }));
  await fails(node.getBlock("latest"), "garbage");
  server.answer(() => ({ result: { ...BLOCK, baseFeePerGas: "0x7" } }));
  assert.equal(await node.baseFee(), 7n);
});

Deno.test("getBlockReceipts() asks one by one where the node has no such method", async () => {
  await using server = startRpcServer((method, params) =>
    method === "eth_getBlockReceipts"
      ? { error: { code: -32601, message: "the method does not exist" } }
      : { result: receipt(String(params[0])) }
  );
  const node = nodeAt(server.url);
  const block = { hash: HASH, transactionHashes: [TX1, TX2] };
  for (let round = 0; round < 2; round++) {
    const receipts = await node.getBlockReceipts(block);
    assert.deepEqual(receipts.map((row) => row.transactionHash), [TX1, TX2]);
    assert.equal(receipts[0]?.gasUsed, 21_000n);
  }
  assert.equal(server.calls.filter((method) => method === "eth_getBlockReceipts").length, 1);
});

Deno.test("getBlockReceipts() refuses receipts that are missing or of another block", async () => {
  const block = { hash: HASH, transactionHashes: [TX1, TX2] };
  for (
    const result of [[receipt(TX1)], [receipt(TX1), receipt(TX2, OTHER)], [receipt(TX1), null]]
  ) {
    await using server = startRpcServer(() => ({ result }));
    await fails(nodeAt(server.url).getBlockReceipts(block), "garbage");
  }
});

Deno.test("createNode() sends a user and password of the address as basic authentication", async () => {
  const seen: (string | null)[] = [];
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen: () => {} },
    (request) => {
      seen.push(request.headers.get("authorization"));
      return Response.json({ jsonrpc: "2.0", id: 1, result: "0x1" });
    },
  );
  const url = `http://pool:p%40ss@127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  assert.equal(await nodeAt(url).chainId(), 1);
  assert.deepEqual(seen, [`Basic ${btoa("pool:p@ss")}`]);
  stop.abort();
  await server.finished;
});
