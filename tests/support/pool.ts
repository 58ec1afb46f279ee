/** The whole pool as an operator runs it: one process, its configuration in a file. */
import { denoArguments } from "../../scripts/process_rights.ts";
import { type Child, freePort, startChild, until } from "./process.ts";

/** A configuration of the pool, as JSON. */
export type PoolConfig = Record<string, unknown>;

/** Ports of a pool under test. */
export interface PoolPorts {
  stratum: number;
  getwork: number;
  api: number;
}

/** A pool process that can be killed and started again. */
export interface TestPool extends AsyncDisposable {
  readonly ports: PoolPorts;
  /** Id of the current process. */
  readonly pid: number;
  /** Output of the current process. */
  output(): string;
  /** SIGKILL, as a power cut would, then a new process. */
  killAndRestart(): Promise<void>;
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number>;
}

/** Three free loopback ports. */
export function freePorts(): PoolPorts {
  return { stratum: freePort(), getwork: freePort(), api: freePort() };
}

/** Writes the configuration, starts the pool and waits until it is ready for miners. */
export async function startPool(
  path: string,
  config: PoolConfig,
  ports: PoolPorts,
  env: Record<string, string> = {},
): Promise<TestPool> {
  await Deno.writeTextFile(path, JSON.stringify(config));
  let child = await launch(path, ports, env);
  return {
    ports,
    get pid() {
      return child.pid;
    },
    output: () => child.output(),
    async killAndRestart() {
      await child.kill("SIGKILL");
      child = await launch(path, ports, env);
    },
    stop: () => child.kill("SIGTERM"),
    async [Symbol.asyncDispose]() {
      await child.kill();
    },
  };
}

async function launch(
  path: string,
  ports: PoolPorts,
  env: Record<string, string>,
): Promise<Child> {
  // What scripts/quarry ends as: SIGKILL must hit the pool itself.
  const child = startChild(Deno.execPath(), denoArguments("pool", [path]), { env });
  let code: number | undefined;
  child.exit.then((ended) => code = ended);
  try {
    await until("the pool to be ready", async () => {
      if (code !== undefined) throw new Error(`it ended with ${code}`);
      const response = await fetch(`http://127.0.0.1:${ports.api}/readyz`);
      await response.body?.cancel();
      return response.status === 200;
    }, 60_000);
  } catch (error) {
    await child.kill();
    throw new Error(`The pool is not ready: ${child.output().slice(-4_000)}`, { cause: error });
  }
  return child;
}
