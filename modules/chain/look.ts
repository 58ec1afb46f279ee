/** One look at a node for its health: everything that is asked of it goes in one batch. */
import { toQuantity } from "../base/mod.ts";
import { type NodeWork, readBlock, readNumber, readWork } from "./read.ts";
import { NodeError, type Rpc, type RpcAnswer, type RpcRequest } from "./rpc.ts";

const METHOD_NOT_FOUND = -32601;

/** What a look asks for beside the head. */
export interface LookOptions {
  /** The chain id. */
  chainId: boolean;
  /** Work to mine. */
  work: boolean;
  /** Height of a block whose hash is wanted. */
  block?: number;
}

/** What a node said of itself. */
export interface NodeLook {
  /** Height of its head. */
  height: number;
  /** Whether it is still catching up. */
  syncing: boolean;
  chainId?: number;
  work?: NodeWork;
  /** Hash of the block that was asked for; undefined when the node knows none such. */
  blockHash?: string;
}

/**
 * Makes the function that looks at one node. A node that answers no batches is asked one by one.
 *
 * @throws {NodeError} when anything but the block is not answered
 */
export function lookReader(rpc: Rpc): (options: LookOptions) => Promise<NodeLook> {
  let batches = true;

  async function askAll(requests: RpcRequest[]): Promise<RpcAnswer[]> {
    if (batches) {
      try {
        return await rpc.batch(requests);
      } catch (error) {
        const answered = error instanceof NodeError &&
          (error.kind === "refused" || error.kind === "garbage" || error.kind === "status");
        if (!answered) throw error;
      }
    }
    const answers = await Promise.all(
      requests.map(({ method, params }) =>
        rpc.call(method, params).then(
          (result): RpcAnswer => ({ ok: true, result }),
          (error): RpcAnswer => ({ ok: false, error }),
        )
      ),
    );
    if (answers.some(({ ok }) => ok)) batches = false;
    return answers;
  }

  return async ({ chainId, work, block }) => {
    const requests: RpcRequest[] = [
      { method: "eth_blockNumber", params: [] },
      { method: "eth_syncing", params: [] },
      ...(chainId ? [{ method: "eth_chainId", params: [] }] : []),
      ...(work ? [{ method: "eth_getWork", params: [] }] : []),
      ...(block === undefined
        ? []
        : [{ method: "eth_getBlockByNumber", params: [toQuantity(block), false] }]),
    ];
    const answers = await askAll(requests);
    const of = (method: string) => answers[requests.findIndex((one) => one.method === method)];
    const read = <T>(method: string, reader: (result: unknown) => T): T => {
      const answer = of(method)!;
      if (!answer.ok) throw answer.error;
      try {
        return reader(answer.result);
      } catch (cause) {
        const where = { node: rpc.node, method };
        throw new NodeError(where, "garbage", "the result is unreadable", { cause });
      }
    };
    const hash = blockHash(of("eth_getBlockByNumber"));
    return {
      height: read("eth_blockNumber", (result) => readNumber(result, "eth_blockNumber")),
      syncing: isMissing(of("eth_syncing")) ? false : read("eth_syncing", readSyncing),
      ...(chainId
        ? { chainId: read("eth_chainId", (result) => readNumber(result, "eth_chainId")) }
        : {}),
      ...(work ? { work: read("eth_getWork", readWork) } : {}),
      ...(hash === undefined ? {} : { blockHash: hash }),
    };
  };
}

/** What eth_syncing says: an object with heights, or false. @throws {TypeError} */
export function readSyncing(result: unknown): boolean {
  if (typeof result === "object" && result !== null) return true;
  if (typeof result !== "boolean") {
    throw new TypeError("Cannot read eth_syncing: expected an object or false");
  }
  return result;
}

function isMissing(answer: RpcAnswer | undefined): boolean {
  return answer?.ok === false && answer.error.code === METHOD_NOT_FOUND;
}

/** A block that cannot be read counts for nothing: it only serves to compare nodes. */
function blockHash(answer: RpcAnswer | undefined): string | undefined {
  if (answer === undefined || !answer.ok || answer.result === null) return undefined;
  try {
    return readBlock(answer.result).hash;
  } catch {
    return undefined;
  }
}
