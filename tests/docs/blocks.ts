/** The runnable commands of the operators' documents, and a shell that runs them one after the other. */
import { freePort } from "../support/process.ts";

/** One block of commands. */
export interface Block {
  page: string;
  line: number;
  text: string;
}

/** The blocks that begin with three backticks and `sh test`. */
export function blocksOf(page: string, text: string): Block[] {
  return [...text.matchAll(/^```sh test\n([\s\S]*?)^```$/gm)].map((match) => ({
    ...{ page, text: match[1]! },
    line: text.slice(0, match.index).split("\n").length + 1,
  }));
}

/** Ports and the folder that the documents speak of; a test takes its own. */
const PORTS = [6379, 6390, 6400, 8008, 8080, 8545, 8888, 9110];
const FOLDER = "data/rehearsal";

/** What became of the blocks. */
export interface Outcome {
  /** Blocks that ended well. */
  done: number;
  success: boolean;
  /** All that they wrote, and the logs beside, newest last. */
  output: string;
}

/** Runs all of them in one shell, as somebody who copies them does; stops at the first failure. */
export async function runBlocks(
  blocks: readonly Block[],
  { root, folder, withinMs }: { root: string; folder: string; withinMs: number },
): Promise<Outcome> {
  const own = new Map(PORTS.map((port) => [String(port), String(freePort())]));
  const script = [
    "set -eu",
    // Only what this shell started, and what that started in turn.
    "trap 'trap - EXIT TERM; for job in $(jobs -p); do kill $job || true; done; wait' EXIT TERM",
    ...blocks.flatMap(({ text }, index) => [
      text.replaceAll(FOLDER, folder).replace(
        new RegExp(`\\b(?:${PORTS.join("|")})\\b`, "g"),
        (port) => own.get(port)!,
      ),
      `echo "block ${index} ended well"`,
    ]),
  ].join("\n").replaceAll(`"$PWD/${folder}`, `"${folder}`);
  const child = new Deno.Command("bash", {
    args: ["-c", script],
    cwd: root,
    env: {
      NO_COLOR: "1",
      PATH: `${Deno.execPath().replace(/\/deno$/, "")}:${Deno.env.get("PATH")}`,
    },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGTERM"), withinMs);
  const { success, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  const said = decoder.decode(stdout);
  return {
    done: [...said.matchAll(/^block \d+ ended well$/gm)].length,
    success,
    output: `${said}\n${decoder.decode(stderr)}\n${await logsIn(folder)}`,
  };
}

async function logsIn(folder: string): Promise<string> {
  let text = "";
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".log")) continue;
    text += `\n== ${name}\n${(await Deno.readTextFile(`${folder}/${name}`)).slice(-3_000)}`;
  }
  return text;
}
