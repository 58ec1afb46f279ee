/** Child processes for tests: started, waited for, and ended by their own pid. */

/** A running child with its output kept. */
export interface Child {
  readonly pid: number;
  /** Everything it wrote so far, both streams. */
  output(): string;
  /** Sends a signal and waits until it is gone; gives its exit code. */
  kill(signal?: Deno.Signal): Promise<number>;
  /** Resolves with the exit code when it ends by itself. */
  readonly exit: Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a program; its output is collected, and shown when a test asks. */
export function startChild(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Child {
  const child = new Deno.Command(program, {
    args,
    ...options,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const decoder = new TextDecoder();
  async function collect(stream: ReadableStream<Uint8Array>) {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  }
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)]);
  let ended = false;
  const exit = child.status.then(async ({ code }) => {
    ended = true;
    await collected;
    return code;
  });
  async function kill(signal: Deno.Signal = "SIGKILL"): Promise<number> {
    if (!ended) {
      try {
        child.kill(signal);
      } catch { /* it ended in between */ }
    }
    return await exit;
  }
  return {
    pid: child.pid,
    output: () => text,
    kill,
    exit,
    async [Symbol.asyncDispose]() {
      await kill();
    },
  };
}

/** Waits until `check` gives something other than undefined or false; says what was waited for. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 30_000,
): Promise<T> {
  const endMs = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < endMs) {
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited ${withinMs} ms for ${what}`, { cause: last });
}

/** A loopback port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
