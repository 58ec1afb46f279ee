/** Real nginx and HAProxy over the samples as they are shipped, with addresses put in their place. */
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { type Child, startChild, until } from "./process.ts";

const CONFIG = new URL("../../config/", import.meta.url);

/** Installs what is missing, as scripts/test does with redis-server. */
export async function installFronts(): Promise<void> {
  const missing: string[] = [];
  if (!await isThere("/usr/sbin/nginx")) missing.push("nginx");
  if (!await isThere("/usr/lib/nginx/modules/ngx_stream_module.so")) {
    missing.push("libnginx-mod-stream");
  }
  if (!await isThere("/usr/sbin/haproxy")) missing.push("haproxy");
  if (missing.length === 0) return;
  const apt = (...args: string[]) =>
    new Deno.Command("apt-get", {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      ...{ stdout: "null", stderr: "piped" },
    }).output();
  const install = () => apt("install", "-y", "--no-install-recommends", ...missing);
  if ((await install()).success) return;
  await apt("update");
  const { success, stderr } = await install();
  if (!success) throw new Error(`Cannot install ${missing}: ${new TextDecoder().decode(stderr)}`);
}

/**
 * A sample with some of its words replaced, everything else as it is shipped.
 *
 * @throws when a word is not in it: the test would test something else
 */
export async function sample(name: string, words: Record<string, string>): Promise<string> {
  let text = await Deno.readTextFile(new URL(name, CONFIG));
  for (const [word, place] of Object.entries(words)) {
    if (!text.includes(word)) throw new Error(`config/${name} does not say "${word}"`);
    text = text.replaceAll(word, place);
  }
  return text;
}

/** Starts HAProxy over a file; it must be one that HAProxy itself calls valid. */
export async function startHaproxy(path: string, ports: number[]): Promise<Child> {
  return await start("/usr/sbin/haproxy", ["-db", "-f", path], ["-c", "-f", path], ports);
}

/** Starts nginx over files for `http` and `stream`. */
export async function startNginx(
  dir: string,
  { http, stream }: { http: string; stream: string },
  ports: number[],
): Promise<Child> {
  const path = `${dir}/nginx.conf`;
  await Deno.writeTextFile(
    path,
    `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.log; user root;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types; access_log off;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
  include ${http};
}
stream { include ${stream}; }
`,
  );
  const args = ["-c", path, "-p", dir, "-e", `${dir}/nginx.log`];
  return await start("/usr/sbin/nginx", args, [...args, "-t"], ports, "SIGTERM");
}

async function start(
  program: string,
  args: string[],
  check: string[],
  ports: number[],
  ending: Deno.Signal = "SIGKILL",
): Promise<Child> {
  const checked = startChild(program, check);
  const code = await checked.exit;
  if (code !== 0 || /\b(WARNING|warn|emerg)\b/.test(checked.output())) {
    throw new Error(`${program} does not take its file: ${checked.output()}`);
  }
  const child = startChild(program, args);
  let ended = false;
  child.exit.then(() => ended = true);
  for (const port of ports) {
    await until(`${program} to listen on ${port}`, async () => {
      if (ended) throw new Error(`it has ended: ${child.output()}`);
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    });
  }
  return {
    ...child,
    kill: () => child.kill(ending),
    [Symbol.asyncDispose]: async () => {
      await child.kill(ending);
    },
  };
}

/** A miner who comes from an address of its own, plain or over TLS. */
export class Miner {
  #rest = "";
  #waiting: (() => void)[] = [];
  closed = false;
  private constructor(readonly socket: ReturnType<typeof connect>) {
    socket.on("data", (bytes) => {
      this.#rest += bytes.toString();
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** @param ca certificate to trust; undefined: plain */
  static async connect(port: number, from: string, ca?: string): Promise<Miner> {
    const socket = connect({ host: "127.0.0.1", port, localAddress: from });
    await once(socket, "connect");
    if (ca === undefined) return new Miner(socket);
    const secure = connectTls({ socket, servername: "localhost", ca });
    await once(secure, "secureConnect");
    return new Miner(secure);
  }

  /** Logs in as eth-proxy; gives the answer's result. */
  async login(login: string): Promise<unknown> {
    return (await this.ask("eth_submitLogin", [login, "x"])).result;
  }

  /** Asks, and gives the answer with the same id. */
  async ask(method: string, params: unknown[]): Promise<Record<string, unknown>> {
    this.socket.write(JSON.stringify({ id: 7, method, params }) + "\n");
    for (;;) {
      const message = JSON.parse(await this.#line());
      if (message.id === 7) return message;
    }
  }

  async #line(): Promise<string> {
    const endMs = Date.now() + 20_000;
    while (!this.#rest.includes("\n")) {
      if (this.closed) throw new Error("the connection was closed");
      if (Date.now() > endMs) throw new Error("no line came");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        this.#waiting.push(() => (clearTimeout(timer), resolve()));
      });
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  #wake() {
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  async close(): Promise<void> {
    if (this.closed) return;
    const closed = once(this.socket, "close");
    this.socket.destroy();
    await closed;
  }
}

/** Asks over HTTP from an address of one's own, by curl. */
export async function curl(
  url: string,
  from: string,
  ...args: string[]
): Promise<{ status: number; headers: Headers; body: string }> {
  const { stdout, stderr, code } = await new Deno.Command("curl", {
    args: ["-sS", "-i", "--http1.1", "--max-time", "20", "--interface", from, ...args, url],
    ...{ stdout: "piped", stderr: "piped" },
  }).output();
  // 28: the time that was given for a stream is over.
  if (code !== 0 && code !== 28) {
    throw new Error(`curl ${url}: ${new TextDecoder().decode(stderr)}`);
  }
  const text = new TextDecoder().decode(stdout);
  const end = text.indexOf("\r\n\r\n");
  // With -o the body is elsewhere.
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Headers(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as [string, string];
    }),
  );
  return { status: Number(first!.split(" ")[1]), headers, body: text.slice(end + 4) };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
