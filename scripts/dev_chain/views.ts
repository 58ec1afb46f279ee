/** The chain's blocks, transactions and receipts as JSON-RPC shows them. */
import { toQuantity } from "../../modules/base/mod.ts";
import { type Block, EMPTY_BLOOM, type Header, type UnsealedBlock, ZERO_HASH } from "./block.ts";
import { effectivePrice, type PoolTransaction } from "./transaction.ts";

/** A mined block or an uncle. */
export function blockView(block: Block, full: boolean): Record<string, unknown> {
  return {
    ...headerView(block.header),
    hash: block.hash,
    nonce: block.nonce,
    mixHash: block.mixHash,
    totalDifficulty: toQuantity(block.totalDifficulty),
    uncles: block.uncles.map((uncle) => uncle.hash),
    transactions: block.transactions.map((tx, index) =>
      full ? transactionView(tx, { block, index }) : tx.hash
    ),
  };
}

/** The block that is being mined: hash, nonce and miner are null, as geth gives them. */
export function pendingView(block: UnsealedBlock, full: boolean): Record<string, unknown> {
  return {
    ...headerView(block.header),
    hash: null,
    nonce: null,
    miner: null,
    mixHash: ZERO_HASH,
    uncles: block.uncles.map((uncle) => uncle.hash),
    transactions: block.transactions.map((tx) => full ? transactionView(tx) : tx.hash),
  };
}

/** A transaction, waiting when no place is given. */
export function transactionView(
  tx: PoolTransaction,
  place?: { block: Block; index: number },
): Record<string, unknown> {
  const price = place === undefined
    ? tx.maxFeePerGas
    : effectivePrice(tx, place.block.header.baseFeePerGas ?? 0n);
  return {
    hash: tx.hash,
    type: toQuantity(tx.type),
    from: tx.from,
    to: tx.to ?? null,
    nonce: toQuantity(tx.nonce),
    value: toQuantity(tx.valueWei),
    gas: toQuantity(tx.gas),
    input: tx.data,
    gasPrice: toQuantity(price),
    ...(tx.type === 0 ? {} : {
      maxFeePerGas: toQuantity(tx.maxFeePerGas),
      maxPriorityFeePerGas: toQuantity(tx.maxPriorityFeePerGas),
    }),
    blockHash: place?.block.hash ?? null,
    blockNumber: place === undefined ? null : toQuantity(place.block.header.number),
    transactionIndex: place === undefined ? null : toQuantity(place.index),
  };
}

/** The receipt of a mined transaction. */
export function receiptView(block: Block, index: number): Record<string, unknown> {
  const tx = block.transactions[index]!, receipt = block.receipts[index]!;
  const gasBefore = block.receipts.slice(0, index).reduce((sum, row) => sum + row.gasUsed, 0n);
  return {
    transactionHash: tx.hash,
    transactionIndex: toQuantity(index),
    blockHash: block.hash,
    blockNumber: toQuantity(block.header.number),
    from: tx.from,
    to: tx.to ?? null,
    type: toQuantity(tx.type),
    gasUsed: toQuantity(receipt.gasUsed),
    cumulativeGasUsed: toQuantity(gasBefore + receipt.gasUsed),
    effectiveGasPrice: toQuantity(receipt.effectiveGasPrice),
    status: receipt.succeeded ? "0x1" : "0x0",
    contractAddress: null,
    logs: receipt.logs,
    logsBloom: EMPTY_BLOOM,
  };
}

function headerView(header: Header): Record<string, unknown> {
  const { baseFeePerGas, ...rest } = header;
  return {
    parentHash: rest.parentHash,
    sha3Uncles: rest.sha3Uncles,
    miner: rest.miner,
    stateRoot: rest.stateRoot,
    transactionsRoot: rest.transactionsRoot,
    receiptsRoot: rest.receiptsRoot,
    logsBloom: EMPTY_BLOOM,
    difficulty: toQuantity(rest.difficulty),
    number: toQuantity(rest.number),
    gasLimit: toQuantity(rest.gasLimit),
    gasUsed: toQuantity(rest.gasUsed),
    timestamp: toQuantity(rest.timestamp),
    extraData: rest.extraData,
    size: "0x220",
    ...(baseFeePerGas === undefined ? {} : { baseFeePerGas: toQuantity(baseFeePerGas) }),
  };
}
