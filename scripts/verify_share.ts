/** The magnifying glass for rejected shares: `deno task verify-share`. */
import { parseArgs } from "node:util";
import { Computer } from "./verify_share/compute.ts";
import {
  fieldsOfLine,
  fieldsOfObject,
  parseObject,
  readShare,
  type ShareFields,
  UsageError,
} from "./verify_share/share.ts";
import { describe, verdictOf } from "./verify_share/verdict.ts";

const USAGE = `Usage: deno task verify-share --header 0x.. --nonce 0x.. --height N
         --algorithm ethash|etchash [--mix 0x..] [--difficulty D] [--json] ...
       deno task verify-share --line '{..}' --job '{..}' --height N --algorithm ..
       deno task verify-share --rejected ID --log FILE
       deno task verify-share --stdin < shares.jsonl

  --header            header hash without seal, 0x and 64 hex digits
  --nonce             nonce, 0x and up to 16 hex digits
  --height            block number the share was mined for (or --epoch)
  --algorithm         ethash or etchash
  --mix               mix digest the miner claimed, 0x and 64 hex digits
  --difficulty        share difficulty to reach (hashes), decimal or 0x
  --block-difficulty  block difficulty (hashes): says whether it was a block
  --extranonce        the session's extranonce, 2, 4 or 6 hex digits
  --ecip1099-height   first height with epochs of 60,000 blocks (etchash; default 11700000)
  --line              a miner's line: eth_submitWork or mining.submit
  --job               its job: an object of the fields above, or the line that the pool sent
  --rejected, --log   a share of the pool's rejected-share log, by its id
  --stdin             one JSON object of the fields above a line; one verdict a line
  --json              print one JSON object`;

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Runs the command; returns 0 for a valid share, 1 for an invalid one, 2 for wrong usage. */
export async function main(args: string[]): Promise<0 | 1 | 2> {
  if (args.includes("--help")) {
    write(Deno.stdout, USAGE);
    return 0;
  }
  const computer = new Computer();
  try {
    const flags = readFlags(args);
    if (flags.stdin) return await verifyLines(flags, computer);
    const share = readShare(await fieldsOf(flags));
    const verdict = await verdictOf(share, computer);
    write(Deno.stdout, flags.json ? JSON.stringify(verdict) : describe(share, verdict));
    return verdict.valid ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    write(Deno.stderr, `${error.message}\n\n${USAGE}`);
    return 2;
  } finally {
    await computer.close();
  }
}

type Flags = ReturnType<typeof readFlags>;

/** One verdict a line; a line that cannot be read is answered in its place. */
async function verifyLines(flags: Flags, computer: Computer): Promise<0 | 1 | 2> {
  let worst: 0 | 1 | 2 = 0;
  const text = await new Response(Deno.stdin.readable).text();
  for (const line of text.split("\n").filter((part) => part.trim() !== "")) {
    try {
      const fields = { ...ownFields(flags), ...fieldsOfObject(parseObject(line, "stdin")) };
      const verdict = await verdictOf(readShare(fields), computer);
      write(Deno.stdout, JSON.stringify(verdict));
      if (!verdict.valid && worst === 0) worst = 1;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      write(Deno.stdout, JSON.stringify({ error: error.message }));
      worst = 2;
    }
  }
  return worst;
}

/** The fields of one share; a flag of its own wins over line, job and log. */
async function fieldsOf(flags: Flags): Promise<ShareFields> {
  const own = ownFields(flags);
  if (flags.line !== undefined) return { ...fieldsOfLine(flags.line, flags.job), ...own };
  if (flags.job !== undefined) throw new UsageError("Cannot use --job alone: give --line too");
  if (flags.rejected !== undefined) return { ...await fromLog(flags.rejected, flags.log), ...own };
  if (flags.log !== undefined) throw new UsageError("Cannot use --log alone: give --rejected ID");
  return own;
}

function ownFields(flags: Flags): ShareFields {
  const { "block-difficulty": blockDifficulty, ...rest } = flags;
  const names = [
    "algorithm",
    "header",
    "nonce",
    "mix",
    "height",
    "epoch",
    "difficulty",
    "extranonce",
  ];
  const given = Object.entries({ ...rest, blockDifficulty }).filter(([name, value]) =>
    value !== undefined && [...names, "blockDifficulty", "ecip1099-height"].includes(name)
  );
  return Object.fromEntries(given) as ShareFields;
}

/** The share of that id in the pool's rejected-share log. */
async function fromLog(id: string, path: string | undefined): Promise<ShareFields> {
  if (path === undefined) {
    throw new UsageError(
      "Cannot go on without --log: give the path of rejected-0.jsonl in dataDir",
    );
  }
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new UsageError(`Cannot use --log: ${(error as Error).message}`);
  }
  for (const line of text.split("\n")) {
    if (line.includes(`"${id}"`)) {
      const record = parseObject(line, "log");
      if (record["id"] === id) return fieldsOfObject(record);
    }
  }
  throw new UsageError(`Cannot use --rejected: ${path} holds no share ${id}`);
}

function readFlags(args: string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: false,
      options: {
        ...{ header: text, nonce: text, mix: text, height: text, epoch: text, difficulty: text },
        ...{ "block-difficulty": text, extranonce: text, algorithm: text, "ecip1099-height": text },
        ...{ line: text, job: text, rejected: text, log: text, stdin: flag, json: flag },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`Cannot read the flags: ${(error as Error).message}`);
  }
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  to.writeSync(new TextEncoder().encode(`${text}\n`));
}
