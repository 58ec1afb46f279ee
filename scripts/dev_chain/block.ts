/** Blocks of the development chain: a real RLP header, its seal hash and its block hash. */
import type { DevLog } from "./multisend.ts";
import { type Hex, keccak256, toRlp } from "viem";
import type { PoolTransaction } from "./transaction.ts";
import type { Accounts } from "./state.ts";

/** A header; only the roots are stand-ins (commitments, not Merkle roots). */
export interface Header {
  parentHash: Hex;
  sha3Uncles: Hex;
  miner: Hex;
  stateRoot: Hex;
  transactionsRoot: Hex;
  receiptsRoot: Hex;
  difficulty: bigint;
  number: number;
  gasLimit: bigint;
  gasUsed: bigint;
  /** Unix seconds. */
  timestamp: number;
  extraData: Hex;
  /** Wei per gas; absent on a chain without base fee. */
  baseFeePerGas?: bigint;
}

/** What one transaction did in a block. */
export interface ReceiptRow {
  gasUsed: bigint;
  effectiveGasPrice: bigint;
  succeeded: boolean;
  logs: DevLog[];
}

/** A block without its seal. */
export interface UnsealedBlock {
  header: Header;
  transactions: PoolTransaction[];
  receipts: ReceiptRow[];
  uncles: Block[];
  /** Balances and nonces after this block. */
  state: Accounts;
}

/** A sealed block. */
export interface Block extends UnsealedBlock {
  hash: Hex;
  /** 0x and 16 digits. */
  nonce: Hex;
  mixHash: Hex;
  totalDifficulty: bigint;
  /** Whether later blocks may include it as an uncle. */
  mayBeUncle: boolean;
}

export const EMPTY_BLOOM: Hex = `0x${"00".repeat(256)}`;
export const ZERO_HASH: Hex = `0x${"00".repeat(32)}`;
export const ZERO_NONCE: Hex = "0x0000000000000000";
export const ZERO_ADDRESS: Hex = `0x${"00".repeat(20)}`;

/** What a miner hashes: keccak of the header's RLP without mix digest and nonce. */
export function sealHash(header: Header): Hex {
  return keccak256(toRlp([...fieldsOf(header), ...baseFeeOf(header)]));
}

/** The block's hash: keccak of the whole header's RLP. */
export function blockHash(header: Header, mixHash: Hex, nonce: Hex): Hex {
  return keccak256(toRlp([...fieldsOf(header), mixHash, nonce, ...baseFeeOf(header)]));
}

/** Keccak of the RLP of the uncles' headers, as in a real header. */
export function unclesHash(uncles: readonly Block[]): Hex {
  const rows = uncles.map(({ header, mixHash, nonce }) => [
    ...fieldsOf(header),
    mixHash,
    nonce,
    ...baseFeeOf(header),
  ]);
  return keccak256(toRlp(rows));
}

/** A stand-in for a Merkle root: keccak of the RLP of the parts. */
export function commitment(parts: readonly Hex[]): Hex {
  return keccak256(toRlp([...parts]));
}

/** An integer as RLP wants it: no leading zeros, nothing for zero. */
export function rlpInteger(value: bigint | number): Hex {
  if (BigInt(value) === 0n) return "0x";
  const digits = value.toString(16);
  return `0x${digits.length % 2 === 0 ? "" : "0"}${digits}`;
}

function fieldsOf(header: Header): Hex[] {
  return [
    header.parentHash,
    header.sha3Uncles,
    header.miner,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    EMPTY_BLOOM,
    rlpInteger(header.difficulty),
    rlpInteger(header.number),
    rlpInteger(header.gasLimit),
    rlpInteger(header.gasUsed),
    rlpInteger(header.timestamp),
    header.extraData,
  ];
}

function baseFeeOf(header: Header): Hex[] {
  return header.baseFeePerGas === undefined ? [] : [rlpInteger(header.baseFeePerGas)];
}
