/** A development chain behind its server: what tests import. */
import type { Hex } from "viem";
import { type Clock, errorText, type Logger, systemClock } from "../../modules/base/mod.ts";
import { networkOf } from "../../modules/chain/mod.ts";
import { ZERO_NONCE } from "./block.ts";
import { Chain, type PowCheck } from "./chain.ts";
import { createControls } from "./control.ts";
import { createMethods, type Method, type NodeFace, workOf } from "./methods.ts";
import { type RpcServer, serveRpc } from "./server.ts";

/** A head this far in the future is left alone (milliseconds). */
const AHEAD_MS = 2_000;

/** Settings of a development chain. */
export interface DevChainOptions {
  /** Address that eth_getWork rewards. */
  coinbase: string;
  /** Checks the solutions that are handed in. */
  pow: PowCheck;
  /** Loopback port. @default {0} any free one */
  port?: number;
  /** @default {1337} */
  chainId?: number;
  /** @default {20000n} */
  difficulty?: bigint;
  /**
   * Whether the difficulty rises until solved blocks come no faster than one a second: each has a
   * later second than its parent, so that faster ones run ahead of the clock. @default {false}
   */
  paced?: boolean;
  /** Reward of a block (coins). @default {"2"} */
  reward?: string;
  /** Whether the chain has a base fee, which is burnt (EIP-1559). @default {false} */
  baseFee?: boolean;
  /** Balances at block 0 (wei). */
  alloc?: Record<string, bigint>;
  /** A filler block of another miner as often as this (milliseconds). @default {0} never */
  blockTimeMs?: number;
  /** Addresses that new work is posted to, as geth's --miner.notify does. */
  notify?: string[];
  /** Distinguishes two chains. @default {"quarry"} */
  seed?: string;
  /** What net_peerCount says. @default {3} */
  peers?: number;
  /** Whether eth_getWork tells the height. @default {true} */
  workTellsHeight?: boolean;
  /** Whether receipts tell the effective price, and come by the block. @default {true} */
  modernReceipts?: boolean;
  clock?: Clock;
  log?: Logger;
}

/** A running development chain. */
export interface DevChain {
  url: string;
  chain: Chain;
  /** The server with its orderable trouble. */
  server: RpcServer;
  face: NodeFace;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a chain on loopback. */
export function startDevChain(options: DevChainOptions): Promise<DevChain> {
  const clock = options.clock ?? systemClock;
  const closing = new AbortController();
  const posts = new Set<Promise<void>>();
  const face: NodeFace = {
    peers: options.peers ?? 3,
    syncing: false,
    keys: [],
    tipWei: 1_000_000_000n,
    workTellsHeight: options.workTellsHeight ?? true,
    modernReceipts: options.modernReceipts ?? true,
  };
  const chain = new Chain({
    network: networkOf({
      chainId: options.chainId ?? 1337,
      algorithm: "ethash",
      rewards: [{ fromHeight: 0, reward: options.reward ?? "2" }],
      baseFee: options.baseFee ? "burn" : "none",
    }),
    clock,
    pow: options.pow,
    coinbase: options.coinbase.toLowerCase() as Hex,
    difficulty: options.difficulty ?? 20_000n,
    alloc: options.alloc ?? {},
    seed: options.seed ?? "quarry",
    onChange: () => {
      pace?.();
      notify();
    },
  });
  const pace = options.paced ? pacer(chain, clock) : undefined;
  function notify(): void {
    for (const url of options.notify ?? []) {
      const post = postWork(url, workOf(chain, face), closing.signal)
        .catch((error) => options.log?.warn("notify.failed", { url, error: errorText(error) }))
        .finally(() => posts.delete(post));
      posts.add(post);
    }
  }
  const methods: Record<string, Method> = createMethods(chain, face);
  const server = serveRpc(methods, { port: options.port ?? 0 });
  Object.assign(methods, createControls(chain, face, server));
  const filling = fill(chain, options.blockTimeMs ?? 0, clock, closing.signal);
  notify();
  return Promise.resolve({
    url: server.url,
    chain,
    server,
    face,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.all([filling, server.close(), ...posts]);
    },
  });
}

/** Raises the difficulty by half at each solved block that takes the chain further ahead. */
function pacer(chain: Chain, clock: Clock): () => void {
  let aheadMs = 0;
  return () => {
    const { header, nonce } = chain.head;
    const nowAheadMs = header.timestamp * 1000 - clock.now();
    // Fillers are ordered as fast as somebody likes: no difficulty slows them.
    if (nonce !== ZERO_NONCE && nowAheadMs > AHEAD_MS && nowAheadMs > aheadMs) {
      chain.difficulty += chain.difficulty / 2n;
    }
    aheadMs = nowAheadMs;
  };
}

async function postWork(url: string, work: string[], signal: AbortSignal): Promise<void> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, {
    method: "POST",
    headers,
    body: JSON.stringify(work),
    signal,
  });
  await response.body?.cancel();
}

async function fill(
  chain: Chain,
  blockTimeMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (blockTimeMs <= 0) return;
  while (!signal.aborted) {
    try {
      await clock.sleep(blockTimeMs, signal);
    } catch {
      return;
    }
    chain.mine(1);
  }
}
