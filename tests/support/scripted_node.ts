/** A node as its health shows it: a JSON-RPC server over a chain that is a number and a branch. */
import { toHash, toQuantity } from "../../modules/base/mod.ts";
import { type Script, startRpcServer, type TestRpcServer } from "./json_rpc.ts";

/** What the node is like; a test changes it as it goes. */
export interface NodeScript {
  chainId: number;
  /** Height of its head. */
  height: number;
  syncing: boolean;
  /** Its blocks from `fork.from` on are those of another branch. */
  fork?: { from: number; branch: number };
  /** Methods that are never answered; "*" is all. */
  hangs: string[];
  /** Methods that are refused. */
  refuses: string[];
  /** Whether it answers batches at all. */
  batches: boolean;
  /** Elements of eth_getWork. */
  elements: 3 | 4;
}

/** A running node. */
export interface ScriptedNode extends AsyncDisposable {
  readonly url: string;
  readonly script: NodeScript;
  /** Names of the methods called, in order. */
  readonly calls: string[];
  /** Solutions that were handed in. */
  readonly submitted: unknown[][];
  /** What eth_getWork gives now. */
  work(): string[];
  /** Ends the server and all its connections. */
  stop(): Promise<void>;
  /** Starts it again at the same address. */
  start(): void;
}

/** The seed hash of epoch 0. */
export const SEED = toHash(0n);
/** Target of the scripted work. */
export const TARGET = 1n << 200n;

/** Nodes so far: each makes headers of its own. */
let nodes = 0;

/** A hash that tells branches, heights and nodes apart; the blocks of a branch are no node's own. */
function hashOf(branch: number, height: number, node = 0): string {
  return toHash((BigInt(branch) << 128n) | (BigInt(height) << 64n) | (BigInt(node) << 8n) | 1n);
}

/** Starts a node at height 100 of chain 1337. */
export function startScriptedNode(parts: Partial<NodeScript> = {}): ScriptedNode {
  const script: NodeScript = {
    ...{ chainId: 1337, height: 100, syncing: false, hangs: [], refuses: [] },
    ...{ batches: true, elements: 4 },
    ...parts,
  };
  const number = ++nodes;
  const submitted: unknown[][] = [];
  const calls: string[] = [];
  const branchAt = (height: number) =>
    script.fork !== undefined && height >= script.fork.from ? script.fork.branch : 0;
  function work(): string[] {
    const height = script.height + 1;
    const header = hashOf(branchAt(height), height, number);
    return [header, SEED, toHash(TARGET), toQuantity(height)].slice(0, script.elements);
  }
  const results: Record<string, (params: unknown[]) => unknown> = {
    eth_chainId: () => toQuantity(script.chainId),
    eth_blockNumber: () => toQuantity(script.height),
    eth_syncing: () => script.syncing ? { currentBlock: "0x1", highestBlock: "0xff" } : false,
    eth_getWork: work,
    eth_submitWork: (params) => submitted.push(params) > 0,
    eth_getBlockByNumber: ([at]) => {
      const height = Number(at);
      return height > script.height ? null : blockAt(branchAt(height), height);
    },
  };
  const answer: Script = (method, params) => {
    calls.push(method);
    if (script.hangs.some((name) => name === "*" || name === method)) return { hang: true };
    const result = results[method];
    if (result === undefined || script.refuses.includes(method)) {
      return { error: { code: -32601, message: `the method ${method} does not exist` } };
    }
    return { result: result(params) };
  };
  const refuseBatch = (body: unknown) =>
    Array.isArray(body) && !script.batches
      ? Response.json({ jsonrpc: "2.0", id: null, error: { code: -32600, message: "no batches" } })
      : undefined;
  let server: TestRpcServer | undefined = startRpcServer(answer, 0, refuseBatch);
  const { url } = server;
  async function stop() {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
  }
  return {
    ...{ url, script, calls, submitted, work, stop },
    start: () => server = startRpcServer(answer, Number(new URL(url).port), refuseBatch),
    [Symbol.asyncDispose]: stop,
  };
}

function blockAt(branch: number, height: number) {
  return {
    ...{ number: toQuantity(height), hash: hashOf(branch, height), parentHash: SEED },
    ...{ nonce: "0x0000000000000001", mixHash: SEED, miner: "0x" + "11".repeat(20) },
    ...{ difficulty: "0x20000", timestamp: "0x1", uncles: [], transactions: [] },
  };
}
