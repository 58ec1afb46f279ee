/** A proxy in front of a node that knows each call, so that a fuse can cut at any of them. */
import { Cut, type Fuse } from "./kill_fuse.ts";

/** A listening proxy. */
export interface RpcProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on loopback; a cut call gets a reply that breaks off, as from a dying node. */
export function startRpcProxy(nodeUrl: string, fuse: Fuse): RpcProxy {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.text();
      try {
        const text = await fuse.around(nameOf(body), async () => {
          const headers = { "content-type": "application/json" };
          const response = await fetch(nodeUrl, { method: "POST", headers, body });
          return await response.text();
        });
        return new Response(text, { headers: { "content-type": "application/json" } });
      } catch (error) {
        if (!(error instanceof Cut)) return new Response("the node is away\n", { status: 502 });
        return new Response('{"jsonrpc":');
      }
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    close: () => server.shutdown(),
  };
}

/** The call's method; several of a batch are joined. */
function nameOf(body: string): string {
  try {
    const calls = [JSON.parse(body)].flat() as { method?: string }[];
    return calls.map(({ method }) => method ?? "?").join("+");
  } catch {
    return "?";
  }
}
