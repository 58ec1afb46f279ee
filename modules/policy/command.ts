/** Runs one command without a shell, with a time limit. */
import { PoolError } from "../base/mod.ts";

/**
 * Runs a program with its arguments as they are.
 *
 * @throws {Error} when it cannot be run, fails, or takes longer than `timeoutMs`
 */
export type CommandRunner = (
  program: string,
  args: readonly string[],
  timeoutMs: number,
) => Promise<void>;

/** A command that did not do what it should; the message has what it wrote. */
export class CommandError extends PoolError {
  override readonly name = "CommandError";
}

/** Bytes of error output that are kept. */
const OUTPUT_MAX = 512;

/** The system's commands; never asks for a permission, as that would wait for a human. */
export const runCommand: CommandRunner = async (program, args, timeoutMs) => {
  const { state } = await Deno.permissions.query({ name: "run", command: program });
  if (state !== "granted") {
    const mend = `install it and start the pool with --allow-run=${program}`;
    throw new CommandError(`${program} may not be run: ${mend}`);
  }
  const child = spawn(program, args);
  const expired = Promise.withResolvers<void>();
  let ended = false;
  let killed = false;
  const timer = setTimeout(() => {
    killed = !ended;
    if (killed) kill(child);
    expired.resolve();
  }, timeoutMs);
  try {
    const output = collect(child.stderr);
    const { code } = await child.status;
    ended = true;
    // A process that it left behind may hold its output open.
    await Promise.race([output.done, expired.promise]);
    await output.cancel();
    if (killed) throw new CommandError(`${program} took longer than ${timeoutMs} ms`);
    if (code !== 0) throw new CommandError(`${program} ended with ${code}: ${output.text()}`);
  } finally {
    clearTimeout(timer);
  }
};

function spawn(program: string, args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      ...{ args: [...args], stdin: "null", stdout: "null", stderr: "piped" },
    }).spawn();
  } catch (cause) {
    throw new CommandError(`${program} cannot be run: is it installed?`, { cause });
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Reads to the end and keeps the beginning. */
function collect(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  let text = "";
  const decoder = new TextDecoder();
  const done = (async () => {
    while (true) {
      const { value, done } = await reader.read();
      if (done) return;
      if (text.length < OUTPUT_MAX) text += decoder.decode(value, { stream: true });
    }
  })().catch(() => {});
  return { done, cancel: () => reader.cancel(), text: () => text.slice(0, OUTPUT_MAX).trim() };
}
