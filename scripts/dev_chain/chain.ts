/** The chain itself: blocks by hash, the heaviest head, uncles, work to mine and reorganizations. */
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { type Clock, targetOf } from "../../modules/base/mod.ts";
import type { Network } from "../../modules/chain/mod.ts";
import {
  type Block,
  blockHash,
  commitment,
  sealHash,
  unclesHash,
  type UnsealedBlock,
  ZERO_ADDRESS,
  ZERO_HASH,
  ZERO_NONCE,
} from "./block.ts";
import { createMempool, type Mempool } from "./mempool.ts";
import { type Accounts, execute } from "./state.ts";
import type { PoolTransaction } from "./transaction.ts";

/** Checks a solution as a node does. */
export interface PowCheck {
  hash(
    height: number,
    headerHash: Uint8Array,
    nonce: bigint,
  ): Promise<{ mix: Uint8Array; result: bigint }>;
}

/** Blocks behind the head from which on a solution is refused (geth's staleThreshold). */
const STALE_BLOCKS = 7;
/** States older than this many blocks are forgotten, and with them deeper reorganizations. */
const STATES_KEPT = 1_024;
const UNCLES_MAX = 2;
const UNCLE_DISTANCE_MAX = 6;
const GAS_LIMIT = 30_000_000n;
const INITIAL_BASE_FEE = 1_000_000_000n;

/** How a filler block is made. */
export interface FillerOptions {
  miner?: Hex;
  /** Whether it takes waiting transactions. */
  transactions: boolean;
  /** Whether it takes waiting uncles. */
  uncles: boolean;
}

/** Settings of a chain. */
export interface ChainOptions {
  network: Network;
  clock: Clock;
  pow: PowCheck;
  coinbase: Hex;
  difficulty: bigint;
  /** Balances at block 0 (wei). */
  alloc: Record<string, bigint>;
  /** Distinguishes the hashes of one chain from another's. */
  seed: string;
  /** Called after the head or the work changed. */
  onChange?: () => void;
}

/** A development chain in memory. */
export class Chain {
  readonly mempool: Mempool = createMempool();
  /** Addresses whose receipt of money fails. */
  readonly reverts = new Set<string>();
  coinbase: Hex;
  difficulty: bigint;
  /** The next accepted solution finds another block in its place and becomes its sibling. */
  nextIsUncle = false;
  readonly #options: ChainOptions;
  readonly #blocks = new Map<string, Block>();
  readonly #byNumber: Block[][] = [];
  readonly #byTransaction = new Map<string, Block[]>();
  readonly #canonical: Block[] = [];
  readonly #templates = new Map<string, UnsealedBlock>();
  #work: { key: string; sealHash: Hex; template: UnsealedBlock } | undefined;
  #fillers = 0;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.coinbase = options.coinbase;
    this.difficulty = options.difficulty;
    const genesis = this.#genesis();
    this.#blocks.set(genesis.hash, genesis);
    this.#canonical.push(genesis);
  }

  get network(): Network {
    return this.#options.network;
  }

  get head(): Block {
    return this.#canonical.at(-1)!;
  }

  /** The block of the heaviest chain at a height. */
  at(number: number): Block | undefined {
    return this.#canonical[number];
  }

  /** Any block, side blocks included. */
  byHash(hash: string): Block | undefined {
    return this.#blocks.get(hash.toLowerCase());
  }

  /** Where a transaction is in the heaviest chain. */
  find(hash: string): { block: Block; index: number } | undefined {
    const block = (this.#byTransaction.get(hash) ?? [])
      .find((block) => this.at(block.header.number) === block);
    if (block === undefined) return undefined;
    return { block, index: block.transactions.findIndex((tx) => tx.hash === hash) };
  }

  /** The block that is being mined, rebuilt when the head or the waiting transactions change. */
  pending(): { sealHash: Hex; template: UnsealedBlock } {
    const key = [this.head.hash, this.mempool.version, this.difficulty, this.coinbase].join();
    if (this.#work?.key === key) return this.#work;
    const template = this.#build(this.head, this.coinbase, "0x", {
      transactions: this.mempool.ready(this.head.state),
      uncles: this.#unclesFor(this.head),
    });
    this.#work = { key, sealHash: sealHash(template.header), template };
    this.#templates.set(this.#work.sealHash, template);
    return this.#work;
  }

  /** Judges a solution as geth does: true for a block, or for one that is already known. */
  async submit(nonce: Hex, header: Hex, mixHash: Hex): Promise<boolean> {
    const template = this.#templates.get(header);
    if (template === undefined || this.#isStale(template)) return false;
    const { mix, result } = await this.#options.pow.hash(
      template.header.number,
      hexToBytes(header),
      BigInt(nonce),
    );
    if (bytesToHex(mix) !== mixHash || result > targetOf(template.header.difficulty)) return false;
    if (this.nextIsUncle && template.header.parentHash === this.head.hash) {
      this.nextIsUncle = false;
      this.mine(1, { transactions: false, uncles: false });
    }
    this.#import(template, mixHash, nonce);
    return true;
  }

  /** Adds filler blocks of another miner, without proof of work. */
  mine(count: number, options: FillerOptions = { transactions: true, uncles: true }): Block[] {
    return Array.from({ length: count }, () => this.#filler(this.head, options));
  }

  /**
   * Replaces the last `depth` blocks by fillers, one more so that they win. Transactions go back
   * to waiting; the replaced blocks become uncles later only if `uncles` says so.
   */
  reorganize(depth: number, options: FillerOptions & { replacedMayBeUncles?: boolean }): Block[] {
    const from = this.at(this.head.header.number - depth);
    if (depth < 1 || from === undefined) throw new RangeError(`Cannot reorganize ${depth} blocks`);
    for (const block of this.#canonical.slice(from.header.number + 1)) {
      block.mayBeUncle = options.replacedMayBeUncles ?? false;
    }
    return this.extend(from.hash, options);
  }

  /** Adds fillers on top of any block until it is part of the heaviest chain. */
  extend(hash: string, options: FillerOptions): Block[] {
    let tip = this.byHash(hash);
    if (tip === undefined) throw new RangeError(`Cannot extend ${hash}: no such block`);
    const added: Block[] = [];
    const before = this.head;
    while (this.head === before || this.at(tip.header.number) !== tip) {
      tip = this.#filler(tip, options);
      added.push(tip);
    }
    return added;
  }

  #filler(parent: Block, options: FillerOptions): Block {
    const onHead = parent === this.head;
    const miner: Hex = options.miner ?? "0x00000000000000000000000000000000000f111e";
    const extra = `0x${(++this.#fillers).toString(16).padStart(8, "0")}` as const;
    const template = this.#build(parent, miner, extra, {
      transactions: options.transactions && onHead ? this.mempool.ready(parent.state) : [],
      uncles: options.uncles ? this.#unclesFor(parent) : [],
    });
    return this.#import(template, ZERO_HASH, ZERO_NONCE);
  }

  #build(
    parent: Block,
    miner: Hex,
    extraData: Hex,
    content: { transactions: PoolTransaction[]; uncles: Block[] },
  ): UnsealedBlock {
    const number = parent.header.number + 1;
    const baseFeePerGas = this.#nextBaseFee(parent);
    const baseFee = baseFeePerGas === undefined ? {} : { baseFeePerGas };
    const plan = { number, miner, gasLimit: GAS_LIMIT, ...baseFee, ...content };
    const done = execute(parent.state, plan, { network: this.network, reverts: this.reverts });
    const hashes = done.transactions.map((tx) => tx.hash);
    const { state, transactions, receipts } = done;
    const header = {
      parentHash: parent.hash,
      sha3Uncles: unclesHash(content.uncles),
      miner,
      stateRoot: commitment([parent.header.stateRoot, miner, ...hashes]),
      transactionsRoot: commitment(hashes),
      receiptsRoot: commitment([ZERO_HASH, ...hashes]),
      difficulty: this.difficulty,
      number,
      gasLimit: GAS_LIMIT,
      gasUsed: done.gasUsed,
      timestamp: Math.max(
        parent.header.timestamp + 1,
        Math.floor(this.#options.clock.now() / 1000),
      ),
      extraData,
      ...baseFee,
    };
    return { header, transactions, receipts, uncles: content.uncles, state };
  }

  #import(template: UnsealedBlock, mixHash: Hex, nonce: Hex): Block {
    const hash = blockHash(template.header, mixHash, nonce);
    const known = this.#blocks.get(hash);
    if (known !== undefined) return known;
    const parent = this.#blocks.get(template.header.parentHash)!;
    const block: Block = {
      ...template,
      hash,
      nonce,
      mixHash,
      totalDifficulty: parent.totalDifficulty + template.header.difficulty,
      mayBeUncle: true,
    };
    this.#blocks.set(hash, block);
    (this.#byNumber[block.header.number] ??= []).push(block);
    for (const tx of block.transactions) {
      this.#byTransaction.set(tx.hash, [...this.#byTransaction.get(tx.hash) ?? [], block]);
    }
    if (block.totalDifficulty > this.head.totalDifficulty) this.#setHead(block);
    this.#options.onChange?.();
    return block;
  }

  #setHead(block: Block): void {
    const branch: Block[] = [];
    let walk: Block = block;
    while (this.at(walk.header.number) !== walk) {
      branch.unshift(walk);
      walk = this.#blocks.get(walk.header.parentHash)!;
    }
    const replaced = this.#canonical.splice(walk.header.number + 1);
    this.#canonical.push(...branch);
    this.mempool.headChanged(replaced.flatMap((old) => old.transactions), block.state);
    for (const [hash, template] of this.#templates) {
      if (this.#isStale(template)) this.#templates.delete(hash);
    }
    const forgotten = this.at(block.header.number - STATES_KEPT);
    if (forgotten !== undefined && forgotten.header.number > 0) forgotten.state = new Map();
  }

  #isStale(template: UnsealedBlock): boolean {
    return template.header.number + STALE_BLOCKS <= this.head.header.number + 1;
  }

  #unclesFor(parent: Block): Block[] {
    const number = parent.header.number + 1;
    const ancestors = new Map<string, Block>();
    let walk: Block | undefined = parent;
    for (let i = 0; i <= UNCLE_DISTANCE_MAX && walk !== undefined; i++) {
      ancestors.set(walk.hash, walk);
      walk = this.#blocks.get(walk.header.parentHash);
    }
    const taken = new Set([...ancestors.values()].flatMap((b) => b.uncles.map((u) => u.hash)));
    const first = Math.max(1, number - UNCLE_DISTANCE_MAX);
    return this.#byNumber.slice(first, number).flat().filter((block) =>
      block.mayBeUncle && !ancestors.has(block.hash) && !taken.has(block.hash) &&
      ancestors.has(block.header.parentHash)
    ).slice(0, UNCLES_MAX);
  }

  /** EIP-1559: moves by at most an eighth towards half-full blocks. */
  #nextBaseFee(parent: Block): bigint | undefined {
    if (this.network.baseFee.length === 0) return undefined;
    const { baseFeePerGas: fee, gasUsed, gasLimit } = parent.header;
    if (fee === undefined) return INITIAL_BASE_FEE;
    const target = gasLimit / 2n;
    if (gasUsed > target) return fee + (fee * (gasUsed - target) / target / 8n || 1n);
    return fee - fee * (target - gasUsed) / target / 8n;
  }

  #genesis(): Block {
    const state: Accounts = new Map(
      Object.entries(this.#options.alloc).map(([address, balanceWei]) => [
        address.toLowerCase(),
        { balanceWei, nonce: 0 },
      ]),
    );
    const seed = bytesToHex(new TextEncoder().encode(this.#options.seed));
    const burns = this.network.baseFee.length > 0;
    const header = {
      parentHash: ZERO_HASH,
      sha3Uncles: unclesHash([]),
      miner: ZERO_ADDRESS,
      stateRoot: commitment([seed, ...state.keys() as MapIterator<Hex>]),
      transactionsRoot: commitment([]),
      receiptsRoot: commitment([]),
      difficulty: this.difficulty,
      number: 0,
      gasLimit: GAS_LIMIT,
      gasUsed: 0n,
      timestamp: Math.floor(this.#options.clock.now() / 1000) - 1,
      extraData: seed,
      ...(burns ? { baseFeePerGas: INITIAL_BASE_FEE } : {}),
    };
    return {
      header,
      transactions: [],
      receipts: [],
      uncles: [],
      state,
      hash: blockHash(header, ZERO_HASH, ZERO_NONCE),
      nonce: ZERO_NONCE,
      mixHash: ZERO_HASH,
      totalDifficulty: this.difficulty,
      mayBeUncle: false,
    };
  }
}
