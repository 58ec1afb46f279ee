/** Strict readers of what a node answers: a missing or unreadable field is an error, never a zero. */
import { isAddress, isHash, isNonce, parseQuantity, type Wei } from "../base/mod.ts";
import type { GasSpent } from "./reward.ts";

/** A block or uncle header with what the pool needs; all hex is lower case. */
export interface Block {
  number: number;
  hash: string;
  parentHash: string;
  /** 0x and 16 digits. */
  nonce: string;
  mixHash: string;
  /** The coinbase that is rewarded. */
  miner: string;
  difficulty: bigint;
  /** Unix seconds. */
  timestamp: number;
  /** Base fee (wei per gas), absent where the chain has none. */
  baseFeePerGas?: Wei;
  /** Gas that all its transactions may use; absent where the node does not tell. */
  gasLimit?: bigint;
  /** Hashes of the included uncles. */
  uncles: string[];
  transactionHashes: string[];
  /** In full when asked for, otherwise empty. */
  transactions: Transaction[];
}

/** A transaction as a node knows it. */
export interface Transaction {
  hash: string;
  from: string;
  /** Absent when it creates a contract. */
  to?: string;
  nonce: number;
  valueWei: Wei;
  gasPrice?: Wei;
  /** Absent while pending. */
  blockHash?: string;
  blockNumber?: number;
}

/** A mined transaction's receipt. */
export interface Receipt extends GasSpent {
  transactionHash: string;
  blockHash: string;
  blockNumber: number;
  /** False when the transaction reverted; undefined before Byzantium (EIP-658). */
  succeeded?: boolean;
  /** What contracts said in it, in order. */
  logs: Log[];
}

/** One event of a contract. */
export interface Log {
  address: string;
  topics: string[];
  /** 0x hex. */
  data: string;
}

/** What a node gives to mine. */
export interface NodeWork {
  headerHash: string;
  seedHash: string;
  /** Largest result that makes a block. */
  target: bigint;
  /** Height of the block to be mined; absent when the node gives three elements. */
  height?: number;
}

/** A JSON-RPC quantity that counts something. @throws {TypeError} */
export function readNumber(value: unknown, name: string): number {
  const quantity = parseQuantity(value, name);
  if (quantity > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new TypeError(`Cannot read ${name}: current value is ${quantity}`);
  }
  return Number(quantity);
}

/** The elements of eth_getWork. @throws {TypeError} */
export function readWork(value: unknown): NodeWork {
  if (!Array.isArray(value) || value.length < 3) {
    throw new TypeError("Cannot read work: expected at least three elements");
  }
  const target = parseQuantity(value[2], "target");
  if (target === 0n) throw new TypeError("Cannot read work: current target is 0");
  return {
    headerHash: readHash(value[0], "header hash"),
    seedHash: readHash(value[1], "seed hash"),
    target,
    ...(value.length > 3 ? { height: readNumber(value[3], "height") } : {}),
  };
}

/** A block with a hash, or an uncle's header. @throws {TypeError} */
export function readBlock(value: unknown): Block {
  const block = objectOf(value, "block");
  const { nonce, mixHash } = readSeal(block);
  const transactions = listOf(block.transactions ?? [], "transactions");
  const full = transactions.filter((item) => typeof item !== "string").map(readTransaction);
  return {
    number: readNumber(block.number, "number"),
    hash: readHash(block.hash, "hash"),
    parentHash: readHash(block.parentHash, "parentHash"),
    nonce,
    mixHash,
    miner: readAddress(block.miner ?? block.author, "miner"),
    difficulty: parseQuantity(block.difficulty, "difficulty"),
    timestamp: readNumber(block.timestamp, "timestamp"),
    ...(block.baseFeePerGas === undefined || block.baseFeePerGas === null
      ? {}
      : { baseFeePerGas: parseQuantity(block.baseFeePerGas, "baseFeePerGas") }),
    ...(block.gasLimit === undefined || block.gasLimit === null
      ? {}
      : { gasLimit: parseQuantity(block.gasLimit, "gasLimit") }),
    uncles: listOf(block.uncles ?? [], "uncles").map((hash) => readHash(hash, "uncles")),
    transactionHashes: full.length > 0
      ? full.map((transaction) => transaction.hash)
      : transactions.map((hash) => readHash(hash, "transactions")),
    transactions: full,
  };
}

/** A transaction, mined or pending. @throws {TypeError} */
export function readTransaction(value: unknown): Transaction {
  const tx = objectOf(value, "transaction");
  return {
    hash: readHash(tx.hash, "transaction hash"),
    from: readAddress(tx.from, "from"),
    ...(isSet(tx.to) ? { to: readAddress(tx.to, "to") } : {}),
    nonce: readNumber(tx.nonce, "nonce"),
    valueWei: parseQuantity(tx.value, "value"),
    ...(isSet(tx.gasPrice) ? { gasPrice: parseQuantity(tx.gasPrice, "gasPrice") } : {}),
    ...(isSet(tx.blockHash) ? { blockHash: readHash(tx.blockHash, "blockHash") } : {}),
    ...(isSet(tx.blockNumber) ? { blockNumber: readNumber(tx.blockNumber, "blockNumber") } : {}),
  };
}

/** A receipt. @throws {TypeError} */
export function readReceipt(value: unknown): Receipt {
  const receipt = objectOf(value, "receipt");
  return {
    transactionHash: readHash(receipt.transactionHash, "transactionHash"),
    blockHash: readHash(receipt.blockHash, "blockHash"),
    blockNumber: readNumber(receipt.blockNumber, "blockNumber"),
    gasUsed: parseQuantity(receipt.gasUsed, "gasUsed"),
    ...(isSet(receipt.effectiveGasPrice)
      ? { effectiveGasPrice: parseQuantity(receipt.effectiveGasPrice, "effectiveGasPrice") }
      : {}),
    logs: listOf(receipt.logs ?? [], "logs").map(readLog),
    ...(isSet(receipt.status) ? { succeeded: readNumber(receipt.status, "status") === 1 } : {}),
  };
}

function readLog(value: unknown): Log {
  const log = objectOf(value, "log");
  const { data } = log;
  if (typeof data !== "string" || !/^0x([0-9a-f]{2})*$/i.test(data)) {
    throw wrong(data, "data of a log", "hex bytes");
  }
  return {
    address: readAddress(log.address, "address of a log"),
    topics: listOf(log.topics ?? [], "topics").map((topic) => readHash(topic, "topic")),
    data: data.toLowerCase(),
  };
}

/** A 32-byte hash in lower case. @throws {TypeError} */
export function readHash(value: unknown, name: string): string {
  if (!isHash(value)) throw wrong(value, name, "0x and 64 hex digits");
  return value.toLowerCase();
}

/** An address in lower case. @throws {TypeError} */
export function readAddress(value: unknown, name: string): string {
  if (!isAddress(value)) throw wrong(value, name, "0x and 40 hex digits");
  return value.toLowerCase();
}

/** A boolean. @throws {TypeError} */
export function readBoolean(value: unknown, name: string): boolean {
  if (typeof value !== "boolean") throw wrong(value, name, "true or false");
  return value;
}

/** Parity gives the seal as `sealFields` in RLP: mix digest first, nonce second. */
function readSeal(block: Record<string, unknown>): { nonce: string; mixHash: string } {
  const fields = Array.isArray(block.sealFields) ? block.sealFields : [];
  const nonce = block.nonce ?? unprefix(fields[1], "0x88");
  const mixHash = block.mixHash ?? unprefix(fields[0], "0xa0");
  if (!isNonce(nonce)) throw wrong(nonce, "nonce", "0x and 16 hex digits");
  return { nonce: nonce.toLowerCase(), mixHash: readHash(mixHash, "mixHash") };
}

function unprefix(value: unknown, prefix: string): unknown {
  return typeof value === "string" && value.startsWith(prefix)
    ? "0x" + value.slice(prefix.length)
    : value;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function objectOf(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(value, name, "an object");
  }
  return value as Record<string, unknown>;
}

function listOf(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw wrong(value, name, "a list");
  return value;
}

function wrong(value: unknown, name: string, expected: string): TypeError {
  const text = JSON.stringify(value) ?? "undefined";
  return new TypeError(
    `Cannot read ${name}: expected ${expected}, current value is ${text.slice(0, 80)}`,
  );
}
