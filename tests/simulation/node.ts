/** A node of the simulation: the real client over a development chain in the same process, with lies. */
import { createNode, type Node } from "../../modules/chain/mod.ts";
import type { Block } from "../../scripts/dev_chain/block.ts";
import type { Chain } from "../../scripts/dev_chain/chain.ts";
import { RpcFault } from "../../scripts/dev_chain/fault.ts";
import { createMethods, type Method, type NodeFace } from "../../scripts/dev_chain/methods.ts";
import { decodeTransaction } from "../../scripts/dev_chain/transaction.ts";
import type { PoolTransaction } from "../../scripts/dev_chain/transaction.ts";
import type { Random } from "./random.ts";

/** A node, and what the world can do to it. */
export interface SimulatedNode {
  node: Node;
  face: NodeFace;
  /** Shows the chain that ends in this block, whatever the others see; undefined: the real head. */
  freeze(tip: Block | undefined): void;
  readonly frozen: boolean;
  /** Probability that a request goes wrong. */
  trouble: number;
  /** Heights whose blocks it does not have. */
  missing: { from: number; to: number } | undefined;
}

/** What a node is made over. */
export interface NodeDeps {
  name: string;
  chain: Chain;
  random: Random;
  trace(line: string): void;
  /** Sees every transaction before the node takes it. */
  onSend(tx: PoolTransaction): Promise<void>;
}

/** What can go wrong with a request; `lost` after it took effect, `null` for a block it has. */
type Failure = "refused" | "null" | "http" | "broken" | "lost";

const NULLABLE =
  /^eth_get(BlockBy|Uncle|TransactionReceipt|TransactionByHash|BlockReceipts|TransactionCount)/;
const never = { now: () => 0, sleep: () => new Promise<void>(() => {}) };
const encoder = new TextEncoder();
/** Recovering a sender costs a millisecond; the same bytes are sent many times. */
const decoded = new Map<string, PoolTransaction>();

/** Opens a node over the chain. */
export function simulateNode(deps: NodeDeps): SimulatedNode {
  const { chain, random } = deps;
  const face: NodeFace = {
    ...{ peers: 3, syncing: false, keys: [], tipWei: 1_000_000_000n },
    ...{ workTellsHeight: true, modernReceipts: random.chance(0.5) },
  };
  const view = viewOf(chain);
  const methods: Record<string, Method> = createMethods(view.chain, face);
  const byNumber = methods["eth_getBlockByNumber"]!;
  methods["eth_getBlockByNumber"] = (params) => {
    const { from = 1, to = 0 } = simulated.missing ?? {};
    const height = Number(params[0]);
    return height >= from && height <= to ? null : byNumber(params);
  };
  methods["eth_sendRawTransaction"] = async ([raw]) => {
    const tx = decoded.get(String(raw)) ?? await decodeTransaction(raw, chain.network.chainId);
    decoded.set(String(raw), tx);
    await deps.onSend(tx);
    chain.mempool.add(tx, chain.head.state);
    return tx.hash;
  };
  const simulated: SimulatedNode = {
    node: createNode({ name: deps.name, url: "http://127.0.0.1:1", timeoutMs: 1_000 }, {
      clock: never,
      fetch: ((_url: unknown, { body }: { body: string }) => answer(JSON.parse(body))) as never,
    }),
    face,
    freeze: view.freeze,
    get frozen() {
      return view.frozen;
    },
    trouble: 0,
    missing: undefined,
  };

  async function answer(request: Request | Request[]): Promise<Response> {
    const failure = simulated.trouble > 0 && random.chance(simulated.trouble)
      ? random.pick<Failure>(["refused", "null", "null", "null", "http", "broken", "lost"])
      : undefined;
    const first = Array.isArray(request) ? request[0]! : request;
    if (failure !== undefined) deps.trace(`${deps.name}: ${failure} at ${first.method}`);
    if (failure === "broken") throw new TypeError("connection reset");
    if (failure === "http") return responseOf(500, "busy");
    const one = Array.isArray(request) ? random.below(request.length) : 0;
    const replies = [];
    for (const [i, call] of (Array.isArray(request) ? request : [request]).entries()) {
      replies.push(await reply(call, i === one ? failure : undefined));
    }
    if (failure === "lost") throw new TypeError("connection reset");
    return responseOf(200, JSON.stringify(Array.isArray(request) ? replies : replies[0]));
  }

  async function reply({ id, method, params }: Request, failure: Failure | undefined) {
    const head = { jsonrpc: "2.0", id };
    if (failure === "refused") return { ...head, error: { code: -32000, message: "not now" } };
    const known = methods[method];
    if (known === undefined) return { ...head, error: { code: -32601, message: "no such method" } };
    if (failure === "null" && NULLABLE.test(method)) return { ...head, result: null };
    try {
      return { ...head, result: await known(params) };
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      return { ...head, error: { code: error.code, message: error.message } };
    }
  }
  return simulated;
}

interface Request {
  id: number;
  method: string;
  params: unknown[];
}

/** As much of a response as the client reads. */
function responseOf(status: number, text: string): Response {
  return { ok: status === 200, status, body: [encoder.encode(text)] } as unknown as Response;
}

/** The chain as one node sees it. */
function viewOf(chain: Chain) {
  let tip: Block | undefined;
  let branch: Block[] = [];
  function at(number: number): Block | undefined {
    if (tip === undefined) return chain.at(number);
    if (number < 0 || number > tip.header.number) return undefined;
    while (branch.at(-1)!.header.number > number) {
      branch.push(chain.byHash(branch.at(-1)!.header.parentHash)!);
    }
    return branch[tip.header.number - number];
  }
  function find(hash: string) {
    if (tip === undefined) return chain.find(hash);
    for (let number = tip.header.number; number > tip.header.number - 100; number--) {
      const block = at(number);
      const index = block?.transactions.findIndex((tx) => tx.hash === hash) ?? -1;
      if (block !== undefined && index !== -1) return { block, index };
    }
    return chain.find(hash);
  }
  const seen = new Proxy(chain, {
    get(target, name) {
      if (name === "head" && tip !== undefined) return tip;
      if (name === "at") return at;
      if (name === "find") return find;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    chain: seen,
    get frozen() {
      return tip !== undefined;
    },
    freeze(block: Block | undefined) {
      tip = block;
      branch = block === undefined ? [] : [block];
    },
  };
}
