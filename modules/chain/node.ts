/** One Ethereum node: typed calls over JSON-RPC, with strict reading of every answer. */
import { type Clock, parseQuantity, toQuantity, type Wei } from "../base/mod.ts";
import {
  type Block,
  type NodeWork,
  readAddress,
  readBlock,
  readBoolean,
  readHash,
  readNumber,
  readReceipt,
  readTransaction,
  readWork,
  type Receipt,
  type Transaction,
} from "./read.ts";
import { type LookOptions, lookReader, type NodeLook, readSyncing } from "./look.ts";
import { createRpc, NodeError, type NodeOptions, type Rpc } from "./rpc.ts";

/** Questions in one batch; nodes refuse larger ones (geth: 1,000 and 25 MB). */
const BATCH = 100;
const METHOD_NOT_FOUND = -32601;

/** Work whose height is known. */
export type Work = NodeWork & { height: number };

/** Which block is meant: a height, a hash or the head. */
export type BlockId = number | string | "latest";

/** One node; every method throws {@linkcode NodeError} when there is no usable answer. */
export interface Node {
  readonly name: string;
  /** Calls in a row that found no working node. */
  readonly failuresInRow: number;
  /** Work to mine; undefined when its height cannot be told because the head just changed. */
  getWork(): Promise<Work | undefined>;
  /** Head, chain and work in one question, for its health. */
  look(options: LookOptions): Promise<NodeLook>;
  /** Hands in a solution; the answer is the node's opinion, not the chain's. */
  submitWork(nonce: string, headerHash: string, mixHash: string): Promise<boolean>;
  blockNumber(): Promise<number>;
  chainId(): Promise<number>;
  /** The etherbase that eth_getWork rewards. */
  coinbase(): Promise<string>;
  /** Whether the node is still catching up. */
  syncing(): Promise<boolean>;
  peerCount(): Promise<number>;
  /** The block, or undefined when the node knows none such. */
  getBlock(id: BlockId, withTransactions?: boolean): Promise<Block | undefined>;
  /** The blocks of a range, a hundred a batch; undefined where there is none. */
  getBlocks(fromHeight: number, toHeight: number): Promise<(Block | undefined)[]>;
  /** An included uncle's header. */
  getUncle(including: number | string, index: number): Promise<Block | undefined>;
  /** The headers of all uncles that a block includes, in one batch; undefined where there is none. */
  getUncles(including: Pick<Block, "hash" | "uncles">): Promise<(Block | undefined)[]>;
  /** The receipts of a block, one for each of its transactions, in order. */
  getBlockReceipts(block: Pick<Block, "hash" | "transactionHashes">): Promise<Receipt[]>;
  getReceipt(transactionHash: string): Promise<Receipt | undefined>;
  getTransaction(transactionHash: string): Promise<Transaction | undefined>;
  /** What waits in the node's pool from its own accounts; undefined when it has no such method. */
  pendingTransactions(): Promise<Transaction[] | undefined>;
  getTransactionCount(address: string, tag: "latest" | "pending"): Promise<number>;
  /** At the head, or as it was after a block. */
  getBalance(address: string, height?: number): Promise<Wei>;
  /** A storage slot of a contract as it was after a block, as a number. */
  getStorage(address: string, slot: string, height: number): Promise<bigint>;
  gasPrice(): Promise<Wei>;
  /** The node's idea of a priority fee (wei per gas); undefined when it has no such method. */
  maxPriorityFeePerGas(): Promise<Wei | undefined>;
  /** Base fee of the head (wei per gas); undefined on a chain without one. */
  baseFee(): Promise<Wei | undefined>;
  /** @param call `data` is 0x hex; none for a plain transfer */
  estimateGas(
    call: { from: string; to: string; valueWei: Wei; data?: string },
  ): Promise<bigint>;
  /** Broadcasts signed bytes and gives the transaction's hash. */
  sendRawTransaction(raw: string): Promise<string>;
  /** Has the node sign and send from an unlocked account of its own. */
  sendTransaction(transaction: Record<string, string>): Promise<string>;
  /** Code of a contract, "0x" for none. */
  getCode(address: string): Promise<string>;
  clientVersion(): Promise<string>;
}

/** A node at an address. Nothing is sent before the first call. */
export function createNode(
  options: NodeOptions,
  deps: { clock?: Clock; fetch?: typeof fetch } = {},
): Node {
  const rpc = createRpc(options, deps);

  async function ask<T>(
    method: string,
    params: unknown[],
    read: (result: unknown) => T,
  ): Promise<T> {
    return readAs(rpc, method, await rpc.call(method, params), read);
  }
  const askNumber = (method: string, params: unknown[] = []) =>
    ask(method, params, (result) => readNumber(result, method));
  const askWei = (method: string, params: unknown[] = []) =>
    ask(method, params, (result) => parseQuantity(result, method));
  const orUndefined = <T>(read: (result: unknown) => T) => (result: unknown) =>
    result === null ? undefined : read(result);

  return {
    name: options.name,
    get failuresInRow() {
      return rpc.failuresInRow;
    },
    getWork: workReader(rpc),
    look: lookReader(rpc),
    submitWork: (nonce, headerHash, mixHash) =>
      ask("eth_submitWork", [nonce, headerHash, mixHash], (r) => readBoolean(r, "eth_submitWork")),
    blockNumber: () => askNumber("eth_blockNumber"),
    chainId: () => askNumber("eth_chainId"),
    coinbase: () => ask("eth_coinbase", [], (result) => readAddress(result, "eth_coinbase")),
    syncing: () => ask("eth_syncing", [], readSyncing),
    peerCount: () => askNumber("net_peerCount"),
    getBlock(id, withTransactions = false) {
      const [method, which] = typeof id === "string" && id !== "latest"
        ? ["eth_getBlockByHash", id]
        : ["eth_getBlockByNumber", typeof id === "number" ? toQuantity(id) : id];
      return ask(method, [which, withTransactions], orUndefined(readBlock));
    },
    getUncle(including, index) {
      const [method, which] = typeof including === "string"
        ? ["eth_getUncleByBlockHashAndIndex", including]
        : ["eth_getUncleByBlockNumberAndIndex", toQuantity(including)];
      return ask(method, [which, toQuantity(index)], orUndefined(readBlock));
    },
    async getBlocks(fromHeight, toHeight) {
      const heights = Array.from(
        { length: Math.max(0, toHeight - fromHeight + 1) },
        (_, i) => [toQuantity(fromHeight + i), false],
      );
      return await askMany(rpc, "eth_getBlockByNumber", heights, orUndefined(readBlock));
    },
    async getUncles({ hash, uncles }) {
      const indexes = uncles.map((_, index) => [hash, toQuantity(index)]);
      return await askMany(rpc, "eth_getUncleByBlockHashAndIndex", indexes, orUndefined(readBlock));
    },
    getBlockReceipts: receiptsReader(rpc),
    getReceipt: (hash) => ask("eth_getTransactionReceipt", [hash], orUndefined(readReceipt)),
    getTransaction: (hash) => ask("eth_getTransactionByHash", [hash], orUndefined(readTransaction)),
    pendingTransactions: () => ifKnown(ask("eth_pendingTransactions", [], readTransactions)),
    getTransactionCount: (address, tag) => askNumber("eth_getTransactionCount", [address, tag]),
    getBalance: (address, height) =>
      askWei("eth_getBalance", [address, height === undefined ? "latest" : toQuantity(height)]),
    getStorage: (address, slot, height) =>
      ask("eth_getStorageAt", [address, slot, toQuantity(height)], readSlot),
    gasPrice: () => askWei("eth_gasPrice"),
    maxPriorityFeePerGas: () => ifKnown(askWei("eth_maxPriorityFeePerGas")),
    baseFee: async () => {
      const head = await ask("eth_getBlockByNumber", ["latest", false], orUndefined(readBlock));
      if (head === undefined) throw garbage(rpc, "eth_getBlockByNumber", "no latest block");
      return head.baseFeePerGas;
    },
    estimateGas: ({ from, to, valueWei, data }) =>
      askWei("eth_estimateGas", [
        { from, to, value: toQuantity(valueWei), ...(data === undefined ? {} : { data }) },
      ]),
    sendRawTransaction: (raw) =>
      ask("eth_sendRawTransaction", [raw], (r) => readHash(r, "transaction hash")),
    sendTransaction: (transaction) =>
      ask("eth_sendTransaction", [transaction], (r) => readHash(r, "transaction hash")),
    getCode: (address) => ask("eth_getCode", [address, "latest"], readCode),
    clientVersion: () => ask("web3_clientVersion", [], (result) => String(result)),
  };
}

/**
 * Reads eth_getWork. Where the node gives three elements the head is asked for before and after
 * in one batch: a change between them would tell a wrong height, so that work is discarded.
 */
function workReader(rpc: Rpc): () => Promise<Work | undefined> {
  let tellsHeight = true;
  return async () => {
    if (tellsHeight) {
      const work = readAs(rpc, "eth_getWork", await rpc.call("eth_getWork"), readWork);
      if (work.height !== undefined) return { ...work, height: work.height };
      tellsHeight = false;
    }
    const head = { method: "eth_blockNumber", params: [] };
    const answers = await rpc.batch([head, { method: "eth_getWork", params: [] }, head]);
    const [before, given, after] = answers.map((answer) => {
      if (!answer.ok) throw answer.error;
      return answer.result;
    });
    const work = readAs(rpc, "eth_getWork", given, readWork);
    if (work.height !== undefined) {
      tellsHeight = true;
      return { ...work, height: work.height };
    }
    const read = (value: unknown) => readNumber(value, "eth_blockNumber");
    const heightBefore = readAs(rpc, "eth_blockNumber", before, read);
    const heightAfter = readAs(rpc, "eth_blockNumber", after, read);
    return heightBefore === heightAfter ? { ...work, height: heightAfter + 1 } : undefined;
  };
}

function receiptsReader(rpc: Rpc): Node["getBlockReceipts"] {
  let atOnce = true;
  return async (block) => {
    if (block.transactionHashes.length === 0) return [];
    let receipts: Receipt[] | undefined;
    if (atOnce) {
      try {
        const reply = await rpc.call("eth_getBlockReceipts", [block.hash]);
        if (Array.isArray(reply)) {
          receipts = reply.map((item) => readAs(rpc, "eth_getBlockReceipts", item, readReceipt));
        }
      } catch (error) {
        if (!(error instanceof NodeError) || error.kind !== "refused") throw error;
        atOnce = error.code !== METHOD_NOT_FOUND;
      }
    }
    receipts ??= await receiptsOneByOne(rpc, block.transactionHashes);
    checkReceipts(rpc, block, receipts);
    return receipts;
  };
}

async function receiptsOneByOne(rpc: Rpc, hashes: string[]): Promise<Receipt[]> {
  const params = hashes.map((hash) => [hash]);
  return await askMany(rpc, "eth_getTransactionReceipt", params, readReceipt);
}

/** One method many times, in batches; the first answer that cannot be used is thrown. */
async function askMany<T>(
  rpc: Rpc,
  method: string,
  params: unknown[][],
  read: (result: unknown) => T,
): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < params.length; start += BATCH) {
    const chunk = params.slice(start, start + BATCH);
    for (const answer of await rpc.batch(chunk.map((params) => ({ method, params })))) {
      if (!answer.ok) throw answer.error;
      results.push(readAs(rpc, method, answer.result, read));
    }
  }
  return results;
}

/** A receipt of another block, or one too few, would change the fees: then there is no answer. */
function checkReceipts(
  rpc: Rpc,
  block: Pick<Block, "hash" | "transactionHashes">,
  receipts: Receipt[],
): void {
  const fits = receipts.length === block.transactionHashes.length &&
    receipts.every((receipt, i) =>
      receipt.transactionHash === block.transactionHashes[i] && receipt.blockHash === block.hash
    );
  if (!fits) throw garbage(rpc, "eth_getBlockReceipts", "receipts do not fit the block");
}

/** A result, or undefined from a node that has no such method. */
async function ifKnown<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof NodeError && error.code === METHOD_NOT_FOUND) return undefined;
    throw error;
  }
}

function readTransactions(result: unknown): Transaction[] {
  if (Array.isArray(result)) return result.map(readTransaction);
  throw new TypeError("Cannot read transactions: expected a list");
}

function readSlot(result: unknown): bigint {
  if (typeof result === "string" && /^0x[0-9a-f]{1,64}$/i.test(result)) return BigInt(result);
  throw new TypeError("Cannot read storage: expected hex");
}

function readCode(result: unknown): string {
  if (typeof result === "string" && /^0x([0-9a-f]{2})*$/i.test(result)) return result;
  throw new TypeError("Cannot read code: expected hex");
}

function readAs<T>(rpc: Rpc, method: string, result: unknown, read: (result: unknown) => T): T {
  try {
    return read(result);
  } catch (error) {
    throw new NodeError({ node: rpc.node, method }, "garbage", "the result is unreadable", {
      cause: error,
    });
  }
}

function garbage(rpc: Rpc, method: string, reason: string): NodeError {
  return new NodeError({ node: rpc.node, method }, "garbage", reason);
}
