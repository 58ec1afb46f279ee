/** The JSON-RPC methods of a node, over the chain; words and nulls as geth gives them. */
import { type Hex, keccak256 } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import {
  isAddress,
  isHash,
  isNonce,
  isQuantity,
  targetOf,
  toHash,
  toQuantity,
} from "../../modules/base/mod.ts";
import { MULTISEND_RUNTIME } from "../../modules/payouts/mod.ts";
import type { Block } from "./block.ts";
import { ZERO_HASH } from "./block.ts";
import type { Chain } from "./chain.ts";
import { RpcFault } from "./fault.ts";
import { MULTISEND, multisendGas } from "./multisend.ts";
import { accountOf } from "./state.ts";
import { decodeTransaction, intrinsicGas } from "./transaction.ts";
import { blockView, pendingView, receiptView, transactionView } from "./views.ts";

/** Answers the parameters of one method. */
export type Method = (params: unknown[]) => unknown;

/** What a method table needs beside the chain. */
export interface NodeFace {
  /** What net_peerCount says. */
  peers: number;
  /** Private keys of the node's own unlocked accounts. */
  keys: Hex[];
  /** What eth_syncing says. */
  syncing: boolean;
  /** Whether eth_getWork carries the height as its fourth element. */
  workTellsHeight: boolean;
  /** The priority fee that the node suggests (wei per gas). */
  tipWei: bigint;
  /** Whether receipts carry effectiveGasPrice and eth_getBlockReceipts exists. */
  modernReceipts: boolean;
}

/** The table of methods. */
export function createMethods(chain: Chain, face: NodeFace): Record<string, Method> {
  return {
    ...miningMethods(chain, face),
    ...blockMethods(chain, face),
    ...accountMethods(chain),
    ...ownAccountMethods(chain, face),
    ...feeMethods(chain, face),
    eth_chainId: () => toQuantity(chain.network.chainId),
    net_version: () => String(chain.network.chainId),
    net_peerCount: () => toQuantity(face.peers),
    net_listening: () => true,
    eth_syncing: () =>
      face.syncing ? { startingBlock: "0x0", currentBlock: "0x1", highestBlock: "0xffff" } : false,
    web3_clientVersion: () => "DevChain/v1/quarry",
  };
}

function miningMethods(chain: Chain, face: NodeFace): Record<string, Method> {
  return {
    eth_getWork: () => workOf(chain, face),
    eth_submitWork([nonce, header, mix]) {
      if (!isNonce(nonce) || !isHash(header) || !isHash(mix)) {
        throw new RpcFault(-32602, "invalid argument: nonce, header hash and mix digest expected");
      }
      const [n, h, m] = [nonce, header, mix].map((text) => text.toLowerCase() as Hex);
      return chain.submit(n!, h!, m!);
    },
    eth_submitHashrate: () => true,
    eth_coinbase: () => chain.coinbase,
    eth_mining: () => true,
    eth_hashrate: () => "0x0",
  };
}

function blockMethods(chain: Chain, face: NodeFace): Record<string, Method> {
  const uncle = (block: Block | undefined, index: unknown) => {
    const found = block?.uncles[Number(quantity(index))];
    if (found === undefined) return null;
    const { transactions: _transactions, ...header } = blockView(found, false);
    return { ...header, uncles: [] };
  };
  const receipt = (block: Block, index: number) => {
    const view = receiptView(block, index);
    if (!face.modernReceipts) delete view.effectiveGasPrice;
    return view;
  };
  return {
    eth_blockNumber: () => toQuantity(chain.head.header.number),
    eth_getBlockByNumber([tag, full]) {
      if (tag === "pending") return pendingView(chain.pending().template, full === true);
      const block = byTag(chain, tag);
      return block === undefined ? null : blockView(block, full === true);
    },
    eth_getBlockByHash([hash, full]) {
      const block = chain.byHash(String(hash));
      return block === undefined ? null : blockView(block, full === true);
    },
    eth_getUncleByBlockNumberAndIndex: ([tag, index]) => uncle(byTag(chain, tag), index),
    eth_getUncleByBlockHashAndIndex: ([hash, index]) => uncle(chain.byHash(String(hash)), index),
    eth_getUncleCountByBlockNumber: ([tag]) => count(byTag(chain, tag)?.uncles),
    eth_getUncleCountByBlockHash: ([hash]) => count(chain.byHash(String(hash))?.uncles),
    eth_getTransactionReceipt([hash]) {
      const place = chain.find(String(hash).toLowerCase());
      return place === undefined ? null : receipt(place.block, place.index);
    },
    ...(face.modernReceipts
      ? {
        eth_getBlockReceipts([id]: unknown[]) {
          const block = isHash(id) ? chain.byHash(id) : byTag(chain, id);
          return block?.transactions.map((_, index) => receipt(block, index)) ?? null;
        },
      }
      : {}),
    eth_getTransactionByHash([hash]) {
      const text = String(hash).toLowerCase();
      const place = chain.find(text);
      if (place !== undefined) {
        return transactionView(place.block.transactions[place.index]!, place);
      }
      const waiting = chain.mempool.get(text);
      return waiting === undefined ? null : transactionView(waiting);
    },
  };
}

function accountMethods(chain: Chain): Record<string, Method> {
  const stateAt = (tag: unknown) => {
    const block = byTag(chain, tag ?? "latest");
    if (block === undefined) throw new RpcFault(-32000, "header not found");
    return block.state;
  };
  return {
    eth_getBalance: ([account, tag]) =>
      toQuantity(accountOf(stateAt(tag), address(account)).balanceWei),
    eth_getTransactionCount: ([account, tag]) =>
      toQuantity(
        tag === "pending"
          ? chain.mempool.pendingNonce(address(account), chain.head.state)
          : accountOf(stateAt(tag), address(account)).nonce,
      ),
    eth_getCode: ([account]) =>
      address(account) === MULTISEND
        ? MULTISEND_RUNTIME
        : chain.reverts.has(address(account))
        ? "0xfd"
        : "0x",
    async eth_sendRawTransaction([raw]) {
      const tx = await decodeTransaction(raw, chain.network.chainId);
      chain.mempool.add(tx, chain.head.state);
      return tx.hash;
    },
  };
}

/** The node's own accounts: unlocked, as geth's --unlock leaves them. */
function ownAccountMethods(chain: Chain, face: NodeFace): Record<string, Method> {
  const accounts = () => face.keys.map((key) => privateKeyToAccount(key));
  const own = (address: string) =>
    accounts().find((one) => one.address.toLowerCase() === address.toLowerCase());
  return {
    eth_accounts: () => accounts().map((one) => one.address.toLowerCase()),
    async eth_sendTransaction([given]) {
      const call = given as Record<string, Hex | undefined>;
      const account = own(address(call["from"]));
      if (account === undefined) throw new RpcFault(-32000, "unknown account");
      const common = {
        chainId: chain.network.chainId,
        nonce: Number(quantity(call["nonce"])),
        to: address(call["to"]) as Hex,
        gas: quantity(call["gas"]),
        value: quantity(call["value"]),
      };
      const raw = await account.signTransaction(
        call["gasPrice"] === undefined
          ? {
            ...{ ...common, type: "eip1559" as const },
            maxFeePerGas: quantity(call["maxFeePerGas"]),
            maxPriorityFeePerGas: quantity(call["maxPriorityFeePerGas"]),
          }
          : { ...common, type: "legacy" as const, gasPrice: quantity(call["gasPrice"]) },
      );
      const tx = await decodeTransaction(raw, chain.network.chainId);
      chain.mempool.add(tx, chain.head.state);
      return tx.hash;
    },
    eth_pendingTransactions: () =>
      chain.mempool.all().filter((tx) => own(tx.from) !== undefined)
        .map((tx) => transactionView(tx)),
  };
}

function feeMethods(chain: Chain, face: NodeFace): Record<string, Method> {
  return {
    eth_gasPrice: () =>
      toQuantity(face.tipWei + (chain.pending().template.header.baseFeePerGas ?? 0n)),
    eth_maxPriorityFeePerGas: () => toQuantity(face.tipWei),
    eth_estimateGas([call]) {
      const { to, data, input } = call as Record<string, Hex | undefined>;
      if (to !== undefined && chain.reverts.has(to.toLowerCase())) {
        throw new RpcFault(3, "execution reverted");
      }
      const bytes = data ?? input ?? "0x";
      const called = to?.toLowerCase() === MULTISEND && bytes !== "0x";
      return toQuantity(
        intrinsicGas(bytes, to === undefined) + (called ? multisendGas(bytes) : 0n),
      );
    },
  };
}

/** What eth_getWork answers now. */
export function workOf(chain: Chain, face: NodeFace): string[] {
  const { sealHash, template } = chain.pending();
  const { number, difficulty } = template.header;
  const work = [sealHash, seedOf(number), toHash(targetOf(difficulty))];
  return face.workTellsHeight ? [...work, toQuantity(number)] : work;
}

/** The seed of a height: keccak as often as there were 30,000-block epochs. */
function seedOf(height: number): Hex {
  let seed = ZERO_HASH;
  for (let epoch = Math.floor(height / 30_000); epoch > 0; epoch--) seed = keccak256(seed);
  return seed;
}

function byTag(chain: Chain, tag: unknown): Block | undefined {
  if (tag === "latest" || tag === "pending") return chain.head;
  if (tag === "earliest") return chain.at(0);
  return chain.at(Number(quantity(tag)));
}

function quantity(value: unknown): bigint {
  if (!isQuantity(value)) throw new RpcFault(-32602, "invalid argument: hex quantity expected");
  return BigInt(value);
}

function address(value: unknown): string {
  if (!isAddress(value)) throw new RpcFault(-32602, "invalid argument 0: address expected");
  return value.toLowerCase();
}

function count(list: unknown[] | undefined): string | null {
  return list === undefined ? null : toQuantity(list.length);
}
