/** The programs that are compared: built or installed on first use, driven round by round. */
import { TextLineStream } from "./lines.ts";

/** What one program measured in one round: name of the figure → microseconds of CPU. */
export type Figures = Map<string, number>;

/** A program under measurement. */
export interface Program {
  readonly name: string;
  /** What it measured while it started (cache building). */
  readonly start: Figures;
  /** Runs one round. */
  round(): Promise<Figures>;
  close(): Promise<void>;
}

const HERE = new URL(".", import.meta.url).pathname;
const ROOT = new URL("../..", import.meta.url).pathname;

/** Folder of built programs. */
export const BUILD = `${ROOT}data/bench/build`;

/** Builds go-ethereum's verifier, installs the PyPI package and compiles our C client. */
export async function buildPrograms(): Promise<void> {
  await Deno.mkdir(BUILD, { recursive: true });
  await run("go", ["build", "-ldflags=-checklinkname=0", "-o", `${BUILD}/geth`, "."], {
    cwd: `${HERE}geth`,
  });
  await run("python3", ["-m", "venv", `${BUILD}/python`]);
  await run(`${BUILD}/python/bin/pip`, ["install", "--quiet", "ethash==1.1.0"]);
  await buildClient();
}

/** Compiles our C client. */
export async function buildClient(): Promise<void> {
  await Deno.mkdir(BUILD, { recursive: true });
  const library = `${ROOT}native/build`;
  await run("cc", [
    ...["-O2", "-pthread", "-Wall", "-Wextra", `-I${ROOT}native/include`, `${HERE}quarry.c`],
    ...["-o", `${BUILD}/quarry`, `-L${library}`, "-lquarry_ethash", `-Wl,-rpath,${library}`],
  ]);
}

/** The command of each program for an epoch. */
export const COMMANDS: Record<string, (epoch: number) => { args: string[]; tier?: string }> = {
  geth: (epoch) => ({ args: [`${BUILD}/geth`, String(epoch)] }),
  chfast: (epoch) => ({
    args: [`${BUILD}/python/bin/python`, `${HERE}pypi_ethash.py`, String(epoch)],
  }),
  quarry: (epoch) => ({ args: [`${BUILD}/quarry`, String(epoch)] }),
  "quarry avx2": (epoch) => ({ args: [`${BUILD}/quarry`, String(epoch)], tier: "avx2" }),
  "quarry portable": (epoch) => ({ args: [`${BUILD}/quarry`, String(epoch)], tier: "portable" }),
};

/** Our library on several threads of one program, by wall clock. */
export function threadsCommand(epoch: number, threads: number): { args: string[] } {
  return { args: [`${BUILD}/quarry`, String(epoch), String(threads)] };
}

/** Starts a program and reads what it measured at its start. */
export async function startProgram(
  name: string,
  command: { args: string[]; tier?: string; starts?: number },
): Promise<Program> {
  const [path, ...args] = command.args;
  const child = new Deno.Command(path!, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    ...(command.tier === undefined ? {} : { env: { QUARRY_ETHASH_TIER: command.tier } }),
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  async function next(): Promise<{ what: string; micros: number }> {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${name} ended early`);
    return JSON.parse(value);
  }
  const start: Figures = new Map();
  while (start.size < (command.starts ?? 1)) {
    const line = await next();
    start.set(line.what, line.micros);
  }
  return {
    name,
    start,
    async round() {
      await writer.write(new TextEncoder().encode("\n"));
      const figures: Figures = new Map();
      for (let line = await next(); line.what !== "done"; line = await next()) {
        figures.set(line.what, line.micros);
      }
      return figures;
    },
    async close() {
      await writer.close();
      await reader.cancel();
      await child.status;
    },
  };
}

/** Runs a command to its end. @throws with its error output */
export async function run(
  program: string,
  args: string[],
  options: { cwd?: string } = {},
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...options,
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (code !== 0) throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
