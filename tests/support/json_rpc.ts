/** A scripted JSON-RPC server on loopback: real HTTP in front of answers that a test decides. */

/** What a scripted method gives: a result, or one of these. */
export type Scripted =
  | { result: unknown }
  | { error: { code: number; message: string } }
  /** The whole HTTP response, for bodies that are not JSON-RPC. */
  | { response: Response }
  /** Never answers until the client gives up. */
  | { hang: true };

/** Answers one call. */
export type Script = (method: string, params: unknown[]) => Scripted | Promise<Scripted>;

/** A running server. */
export interface TestRpcServer {
  url: string;
  /** Names of the methods called, in order. */
  calls: string[];
  /** Replaces the script. */
  answer(script: Script): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a server that answers as `script` says; without a port the system chooses.
 *
 * @param before sees the whole body first, and may answer it
 */
export function startRpcServer(
  script: Script,
  port = 0,
  before: (body: unknown) => Response | undefined = () => undefined,
): TestRpcServer {
  const calls: string[] = [];
  const stop = new AbortController();
  let current = script;
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port,
    signal: stop.signal,
    onListen: () => {},
  }, async (request) => {
    const body = await request.json();
    const early = before(body);
    if (early !== undefined) return early;
    const requests = Array.isArray(body) ? body : [body];
    const replies: unknown[] = [];
    for (const { id, method, params } of requests) {
      calls.push(method);
      const given = await current(method, params);
      if ("response" in given) return given.response;
      if ("hang" in given) {
        await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
        return new Response(null, { status: 499 });
      }
      replies.push({ jsonrpc: "2.0", id, ...given });
    }
    return Response.json(Array.isArray(body) ? replies.reverse() : replies[0]);
  });
  return {
    url: `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`,
    calls,
    answer(next) {
      current = next;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}
