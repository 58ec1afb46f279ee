/**
 * Builds the dataset file of an epoch ahead: `deno task dag CONFIG [--height N] [--threads N]`.
 *
 * A pool with `verifier.dag: "file"` maps it at its start instead of generating it then.
 */
import { parseArgs } from "node:util";
import { createLogger, errorText, type LogRecord, PoolError } from "../modules/base/mod.ts";
import { createNode, networkByChainId, networkOf, type PowRule } from "../modules/chain/mod.ts";
import { type Config, ConfigError, loadConfig } from "../modules/config/mod.ts";
import { epochOf, openVerifier } from "../modules/ethash/mod.ts";
import { createProgress } from "./progress.ts";

const USAGE = `Usage: deno task dag CONFIG [--height N] [--threads N]
  builds the dataset file of the epoch of a height in verifier.dir
  --height   default: the head of the first node in upstream
  --threads  default: one per core`;

/** Bytes of a row, which the library counts. */
const ROW_BYTES = 64;
const MIB = 2 ** 20;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs the command; gives its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let path: string | undefined, height: number | undefined, threads: number;
  try {
    const option = { type: "string" } as const;
    const help = { type: "boolean", short: "h" } as const;
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { height: option, threads: option, help },
    });
    if (values.help) return say(USAGE, 0);
    path = positionals[0];
    height = values.height === undefined ? undefined : whole("--height", values.height);
    threads = values.threads === undefined ? 0 : whole("--threads", values.threads);
    // First, because its rights follow from the file and are given by the first word.
    if (path === undefined || path !== args[0] || positionals.length > 1) return say(USAGE, 2);
  } catch (error) {
    return say(`${errorText(error)}\n${USAGE}`, 2);
  }
  try {
    return say(await build(loadConfig(path).config, height, threads), 0);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof PoolError)) throw error;
    return say(errorText(error), 1);
  }
}

async function build(
  config: Config,
  height: number | undefined,
  threads: number,
): Promise<string> {
  const rule = await ruleOf(config);
  if (rule.algorithm === "frkhash") throw new PoolError("frkhash has no dataset: nothing to build");
  const wanted = height ?? await firstNode(config, "give --height").blockNumber();
  const epoch = epochAt(rule, wanted);
  const { dir } = config.verifier;
  await makeFolder(dir);
  const progress = createProgress(`dataset of epoch ${epoch}`, "MiB");
  const ended = Promise.withResolvers<LogRecord>();
  const log = createLogger((record) => {
    if (record.event === "dataset.ready" || record.event === "dataset.failed") {
      ended.resolve(record);
    }
  }, "ethash");
  const verifier = openVerifier({
    ...{ rule, log },
    dag: {
      ...{ mode: "file", dir, threads },
      onProgress: ({ phase, done, total }) => {
        if (phase !== "generating") return;
        progress.update(Math.floor(done * ROW_BYTES / MIB), Math.ceil(total * ROW_BYTES / MIB));
      },
    },
  });
  try {
    await verifier.prepare(wanted);
    const { event, facts } = await ended.promise;
    progress.end();
    if (event === "dataset.failed") throw new PoolError(`Not built: ${facts.error}`);
    return `The dataset of epoch ${epoch} is in ${dir}`;
  } finally {
    await verifier.close();
  }
}

/** The chain's proof of work: as the file describes it, else by the node's chain id. */
async function ruleOf(config: Config): Promise<PowRule> {
  const mend = "describe the chain in network";
  if (config.network !== undefined) return networkOf(config.network).pow;
  const chainId = await firstNode(config, mend).chainId();
  const found = networkByChainId(chainId);
  if (found === undefined) throw new PoolError(`Chain id ${chainId} is unknown: ${mend}`);
  return found.pow;
}

function firstNode({ upstreams: [first] }: Config, mend: string) {
  if (first === undefined) {
    throw new PoolError(`There is no node to ask: name one in upstream, or ${mend}`);
  }
  return createNode(first);
}

function epochAt(rule: PowRule, height: number): number {
  try {
    return epochOf(rule, height).epoch;
  } catch (error) {
    throw new PoolError(`Cannot use height ${height}`, { cause: error });
  }
}

async function makeFolder(dir: string): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (error) {
    throw new PoolError(`Cannot make ${dir}: let verifier.dir name a folder that may be written`, {
      cause: error,
    });
  }
}

function whole(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new PoolError(`Cannot use ${name} ${text}: expected a whole number`);
}

function say(text: string, exitCode: number): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
  return exitCode;
}
