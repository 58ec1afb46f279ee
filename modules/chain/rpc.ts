/** JSON-RPC over HTTP to one node: single calls and batches, bounded in time and size. */
import { type Clock, errorText, PoolError, systemClock } from "../base/mod.ts";
import { observe } from "../metrics/mod.ts";

/** Largest reply that is read (bytes); a full block with transactions is below 8 MiB. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

/**
 * What went wrong: `unreachable` (no connection or a broken one), `timeout`, `status` (HTTP),
 * `garbage` (not what the protocol says) or `refused` (the node answered with an error).
 */
export type NodeErrorKind = "unreachable" | "timeout" | "status" | "garbage" | "refused";

/** A call to a node that gave no usable result. */
export class NodeError extends PoolError {
  override readonly name = "NodeError";
  readonly node: string;
  readonly method: string;
  readonly kind: NodeErrorKind;
  /** JSON-RPC error code when the node refused, HTTP status when that was the trouble. */
  readonly code?: number;
  /** The node's own words, when it refused. */
  readonly reason: string;
  /** Whether the same call may succeed later: everything except a refusal. */
  readonly retryable: boolean;

  constructor(
    where: { node: string; method: string },
    kind: NodeErrorKind,
    reason: string,
    options: { code?: number; cause?: unknown } = {},
  ) {
    const { node, method } = where;
    const retryable = kind !== "refused";
    super(`Node ${node} ${VERBS[kind]} ${method}: ${reason}`, {
      cause: options.cause,
      facts: { node, method, kind, code: options.code, retryable },
    });
    this.node = node;
    this.method = method;
    this.kind = kind;
    this.reason = reason;
    this.retryable = retryable;
    if (options.code !== undefined) this.code = options.code;
  }
}

const VERBS: Record<NodeErrorKind, string> = {
  unreachable: "is unreachable for",
  timeout: "did not answer",
  status: "answered HTTP trouble to",
  garbage: "answered garbage to",
  refused: "refused",
};

/** One method and its parameters. */
export interface RpcRequest {
  method: string;
  params: unknown[];
}

/** The answer to one request of a batch. */
export type RpcAnswer = { ok: true; result: unknown } | { ok: false; error: NodeError };

/** The wire to one node. */
export interface Rpc {
  readonly node: string;
  /** The result of one call. @throws {NodeError} */
  call(method: string, params?: unknown[]): Promise<unknown>;
  /** The answers of one HTTP request, in order. @throws {NodeError} when there is none at all */
  batch(requests: RpcRequest[]): Promise<RpcAnswer[]>;
  /** Calls in a row that found no working node; refusals are answers and set it to 0. */
  readonly failuresInRow: number;
}

/** Where a node is. */
export interface NodeOptions {
  /** Name in logs and in the statistics. */
  name: string;
  /** HTTP or HTTPS address; `user:password@` becomes basic authentication. */
  url: string;
  /** Longest wait for one HTTP reply (milliseconds). */
  timeoutMs: number;
}

/** A wire over fetch. */
export function createRpc(
  options: NodeOptions,
  deps: { clock?: Clock; fetch?: typeof fetch } = {},
): Rpc {
  const { url, headers } = addressOf(options.url);
  let id = 0, failuresInRow = 0;

  async function post(body: unknown, method: string): Promise<unknown> {
    const where = { node: options.name, method };
    const startMs = performance.now();
    const note = (outcome: "answered" | "failed") =>
      observe("quarry_node_call_seconds", (performance.now() - startMs) / 1000, {
        ...{ node: options.name, outcome },
      });
    try {
      const text = await withinTime(where, options.timeoutMs, deps.clock, async (signal) => {
        const response = await (deps.fetch ?? fetch)(url, {
          method: "POST",
          headers,
          body: JSON.stringify(body),
          signal,
        });
        const reply = await readBounded(response, where);
        if (!response.ok && !reply.trimStart().startsWith("{")) {
          throw new NodeError(where, "status", `HTTP ${response.status}`, {
            code: response.status,
          });
        }
        return reply;
      });
      const parsed = parseJson(text, where);
      failuresInRow = 0;
      note("answered");
      return parsed;
    } catch (error) {
      failuresInRow++;
      note("failed");
      throw error;
    }
  }

  function answerOf(reply: unknown, method: string): RpcAnswer {
    const where = { node: options.name, method };
    if (typeof reply !== "object" || reply === null) {
      return { ok: false, error: new NodeError(where, "garbage", "no JSON-RPC object") };
    }
    if ("error" in reply && reply.error !== null && reply.error !== undefined) {
      return { ok: false, error: refusal(reply.error, where) };
    }
    if (!("result" in reply)) {
      return { ok: false, error: new NodeError(where, "garbage", "neither result nor error") };
    }
    return { ok: true, result: reply.result };
  }

  return {
    node: options.name,
    get failuresInRow() {
      return failuresInRow;
    },
    async call(method, params = []) {
      const reply = await post({ jsonrpc: "2.0", id: ++id, method, params }, method);
      const answer = answerOf(reply, method);
      if (!answer.ok) throw answer.error;
      return answer.result;
    },
    async batch(requests) {
      if (requests.length === 0) return [];
      const first = id + 1;
      id += requests.length;
      const methods = [...new Set(requests.map((request) => request.method))].join("+");
      const body = requests.map((request, i) => ({ jsonrpc: "2.0", id: first + i, ...request }));
      const replies = await post(body, methods);
      if (!Array.isArray(replies)) {
        const answer = answerOf(replies, methods);
        if (!answer.ok) throw answer.error;
        throw new NodeError({ node: options.name, method: methods }, "garbage", "no batch reply");
      }
      const byId = new Map(replies.map((reply) => [Number(reply?.id), reply]));
      return requests.map((request, i) => answerOf(byId.get(first + i), request.method));
    },
  };
}

function refusal(error: unknown, where: { node: string; method: string }): NodeError {
  const { code, message } = typeof error === "object" && error !== null
    ? error as { code?: unknown; message?: unknown }
    : { code: undefined, message: error };
  return new NodeError(
    where,
    "refused",
    typeof message === "string" ? message.slice(0, 500) : "no message",
    typeof code === "number" ? { code } : {},
  );
}

async function withinTime<T>(
  where: { node: string; method: string },
  timeoutMs: number,
  clock: Clock = systemClock,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const request = new AbortController(), timer = new AbortController();
  let late = false;
  clock.sleep(timeoutMs, timer.signal).then(() => {
    late = true;
    request.abort();
  }, () => {});
  try {
    return await work(request.signal);
  } catch (error) {
    if (late) throw new NodeError(where, "timeout", `nothing within ${timeoutMs} ms`);
    if (error instanceof NodeError) throw error;
    const cause = new Error(withoutUrl(errorText(error)));
    throw new NodeError(where, "unreachable", "the connection failed", { cause });
  } finally {
    timer.abort();
  }
}

/** A URL may hold a provider's key in its path, and the status page shows why a node is away. */
function withoutUrl(text: string): string {
  return text.replaceAll(/ for url \(.*?\)(?=:|$)/g, "").replaceAll(/\b\w+:\/\/\S+/g, "its URL");
}

async function readBounded(
  response: Response,
  where: { node: string; method: string },
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > REPLY_BYTES_MAX) {
      throw new NodeError(where, "garbage", `more than ${REPLY_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return await new Blob(chunks as BlobPart[]).text();
}

function parseJson(text: string, where: { node: string; method: string }): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new NodeError(where, "garbage", "not JSON", { cause: error });
  }
}

function addressOf(text: string): { url: string; headers: Record<string, string> } {
  const url = new URL(text);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (url.username !== "" || url.password !== "") {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.authorization = `Basic ${new TextEncoder().encode(pair).toBase64()}`;
    url.username = url.password = "";
  }
  return { url: url.href, headers };
}
