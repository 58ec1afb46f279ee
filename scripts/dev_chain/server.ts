/** HTTP in front of the method table: batches, and trouble on demand. */
import { errorText } from "../../modules/base/mod.ts";
import { RpcFault } from "./fault.ts";
import type { Method } from "./methods.ts";

/**
 * How a method fails: `error` (JSON-RPC), `null` result, `http500`, `html` body, `drop` (the
 * reply breaks off and it never ran), `lost` (it runs, then the reply breaks off) or `hang` (no answer).
 */
export type FailureKind = "error" | "null" | "http500" | "html" | "drop" | "lost" | "hang";

/** Trouble that was ordered. */
export interface Trouble {
  /** Makes the next `times` calls of a method fail. */
  fail(method: string, times: number, kind: FailureKind): void;
  /** Makes every call of a method take longer; 0 ends it. */
  delay(method: string, ms: number): void;
}

/** A listening server. */
export interface RpcServer extends Trouble {
  url: string;
  /** Names of the methods called, newest last, at most 10,000. */
  calls: string[];
  close(): Promise<void>;
}

type Outcome = { reply: unknown } | { response: Response };

/** Listens on loopback and answers. */
export function serveRpc(
  methods: Record<string, Method>,
  options: { port: number },
): RpcServer {
  const failures = new Map<string, { times: number; kind: FailureKind }>();
  const delays = new Map<string, number>();
  const calls: string[] = [];
  const closing = new AbortController();

  async function answer(request: unknown): Promise<Outcome> {
    const { id = null, method, params = [] } = (request ?? {}) as Record<string, unknown>;
    const name = String(method);
    calls.push(name);
    if (calls.length > 10_000) calls.shift();
    const delayMs = delays.get(name) ?? 0;
    if (delayMs > 0) await pause(delayMs, closing.signal);
    const kind = takeFailure(failures, name);
    if (kind !== undefined && kind !== "lost") return await failed(kind, id, closing.signal);
    const known = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (known === undefined) {
      const message = `the method ${name} does not exist/is not available`;
      return { reply: { jsonrpc: "2.0", id, error: { code: -32601, message } } };
    }
    try {
      const result = await known(Array.isArray(params) ? params : []);
      if (kind === "lost") return { response: broken() };
      return { reply: { jsonrpc: "2.0", id, result } };
    } catch (error) {
      const code = error instanceof RpcFault ? error.code : -32603;
      const message = error instanceof RpcFault ? error.message : errorText(error);
      return { reply: { jsonrpc: "2.0", id, error: { code, message } } };
    }
  }

  const server = Deno.serve(
    { hostname: "127.0.0.1", port: options.port, onListen: () => {} },
    async (request) => {
      if (request.method !== "POST") return new Response("POST JSON-RPC here\n", { status: 405 });
      let body: unknown;
      try {
        body = await request.json();
      } catch {
        const error = { code: -32700, message: "parse error" };
        return Response.json({ jsonrpc: "2.0", id: null, error });
      }
      const replies: unknown[] = [];
      for (const one of Array.isArray(body) ? body : [body]) {
        const outcome = await answer(one);
        if ("response" in outcome) return outcome.response;
        replies.push(outcome.reply);
      }
      return Response.json(Array.isArray(body) ? replies : replies[0]);
    },
  );

  return {
    url: `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`,
    calls,
    fail: (method, times, kind) => void failures.set(method, { times, kind }),
    delay: (method, ms) => void delays.set(method, ms),
    async close() {
      closing.abort();
      await server.shutdown();
    },
  };
}

function takeFailure(
  failures: Map<string, { times: number; kind: FailureKind }>,
  method: string,
): FailureKind | undefined {
  const failure = failures.get(method);
  if (failure === undefined || failure.times <= 0) return undefined;
  failure.times--;
  return failure.kind;
}

async function failed(
  kind: Exclude<FailureKind, "lost">,
  id: unknown,
  closing: AbortSignal,
): Promise<Outcome> {
  switch (kind) {
    case "error": {
      const error = { code: -32000, message: "ordered failure" };
      return { reply: { jsonrpc: "2.0", id, error } };
    }
    case "null":
      return { reply: { jsonrpc: "2.0", id, result: null } };
    case "http500":
      return { response: new Response("ordered failure", { status: 500 }) };
    case "html":
      return { response: new Response("<html>ordered failure</html>") };
    case "drop":
      return { response: broken() };
    case "hang":
      await pause(undefined, closing);
      return { response: new Response(null, { status: 503 }) };
  }
}

/** A response that breaks off in the middle of its body. */
function broken(): Response {
  return new Response('{"jsonrpc":');
}

function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = ms === undefined ? undefined : setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
