/**
 * Makes the single binary: `deno task compile [--out FILE]`.
 *
 * Everything is embedded: code and its packages, Lua scripts, Deno workers, verifier, page and sample
 * configurations. `deno compile` puts it behind a runtime of its own, denort, which it downloads;
 * DENORT_BIN names one that is here already.
 */
import { parseArgs } from "node:util";
import { resolve } from "node:path";
import { libraryFileName } from "../modules/ethash/mod.ts";
import { copyPackages } from "./dist/packages.ts";
import { refuseTunedBuild, stageCode } from "./dist/stage.ts";
import { ROOT, ROOTS } from "./dist/roots.ts";
import { VERSION } from "./version.ts";

const USAGE = "Usage: deno task compile [--out FILE]";
/** What the binary may do; the pool itself gives up what its configuration does not need. */
const RIGHTS = [
  ...["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-ffi", "--allow-env"],
  ...[
    "--allow-sys=hostname,uid,statfs,systemMemoryInfo",
    "--allow-run=/usr/sbin/ipset,/usr/sbin/nft",
  ],
];
/** Where the binary begins. */
const ENTRY = "scripts/compiled.ts";
const SAMPLES = [
  ...["api", "example", "mining", "money", "payouts", "unlocker", "quarry.schema"].map((name) =>
    `config/${name}.json`
  ),
];

/** Files and folders that no import reaches. */
export function included(): string[] {
  const library = `native/build/${libraryFileName()}`;
  const workers = ROOTS.filter((path) => path.endsWith("/worker.ts"));
  return [...workers, library, `${library}.sha256`, "frontend/dist", ...SAMPLES];
}

/** Makes the binary; gives what Deno said of its contents. @throws {Error} that says the mend */
export async function compile(out: string): Promise<string> {
  refuseTunedBuild();
  const work = await Deno.makeTempDir({ prefix: "quarry-compile-" });
  const tree = `${work}/quarry`;
  try {
    // A tree and packages of its own: deno compile embeds all that the lock and the cache have.
    await copyPackages(await stageCode(tree, [...ROOTS, ENTRY]), `${work}/packages`);
    const library = `${tree}/native/build/${libraryFileName()}`;
    const bytes = await Deno.readFile(library);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    await Deno.writeTextFile(`${library}.sha256`, `${digest}\n`);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["compile", "--no-check", "--cached-only", "--output", resolve(out), ...RIGHTS],
        ...included().flatMap((path) => ["--include", path]),
        ENTRY,
      ],
      ...{ cwd: tree, stdout: "null", stderr: "piped" },
      env: { NO_COLOR: "1", DENO_DIR: `${work}/packages` },
    }).output();
    const said = new TextDecoder().decode(stderr);
    if (success) return said;
    throw new Error(isRuntimeMissing(said) ? runtimeMissing(said) : said.trim());
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Whether Deno could not get the runtime that it puts in front. */
export function isRuntimeMissing(said: string): boolean {
  return /denort|dl\.deno\.land|downloading .*release/i.test(said);
}

function runtimeMissing(said: string): string {
  const { deno } = Deno.version;
  const file = `denort-${Deno.build.target}.zip`;
  const cause = said.split("\n").find((line) => /denort|dl\.deno\.land/i.test(line))?.trim();
  return `The runtime of a single binary, denort ${deno}, is not here and cannot be downloaded. ` +
    `Run this with network, or put ${file} of Deno's release ${deno} into ` +
    `$DENO_DIR/dl/release/v${deno}/, or let DENORT_BIN name the unpacked file; ` +
    `deno task dist makes an archive that needs none of this. (${cause ?? "no reason given"})`;
}

if (import.meta.main) {
  const say = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: { out: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      say(USAGE);
      Deno.exit(0);
    }
    const platform = `${Deno.build.os}-${Deno.build.arch}`;
    const out = values.out ?? `${ROOT}/dist/quarry-${VERSION}-${platform}.bin`;
    await compile(out);
    say(out);
  } catch (error) {
    const isUsage = (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") ?? false;
    say(isUsage ? `${(error as Error).message}\n${USAGE}` : (error as Error).message);
    Deno.exit(isUsage ? 2 : 1);
  }
}
