/**
 * Makes the single binary: `deno task compile [--out FILE]`.
 *
 * Everything is embedded: code and its packages, Lua scripts, Deno workers, verifier, page and sample
 * configurations. `deno compile` puts it behind a runtime of its own, denort, which it downloads;
 * DENORT_BIN names one that is here already.
 */
import { parseArgs } from "node:util";
import { defaultLibraryPath } from "../modules/ethash/mod.ts";
import { refuseTunedBuild } from "./dist/stage.ts";
import { ROOT, ROOTS } from "./dist/roots.ts";
import { VERSION } from "./version.ts";

/** What the binary may do; the pool itself gives up what its configuration does not need. */
const RIGHTS = [
  ...["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-ffi", "--allow-env"],
  ...["--allow-sys=hostname,uid", "--allow-run=/usr/sbin/ipset,/usr/sbin/nft"],
];
/** The graph of modules is walked to its depth on threads with small stacks otherwise. */
const STACK_BYTES = String(64 << 20);
const SAMPLES = [
  ...["api", "example", "mining", "money", "payouts", "unlocker", "quarry.schema"].map((name) =>
    `config/${name}.json`
  ),
];

/** Files and folders that no import reaches. */
export function included(): string[] {
  const library = defaultLibraryPath().slice(ROOT.length + 1);
  const workers = ROOTS.filter((path) => path.endsWith("/worker.ts"));
  return [...workers, library, `${library}.sha256`, "frontend/dist", ...SAMPLES, "LICENSE"];
}

/** Makes the binary; gives what Deno said of its contents. @throws {Error} that says the mend */
export async function compile(out: string): Promise<string> {
  refuseTunedBuild();
  const library = defaultLibraryPath();
  const bytes = await Deno.readFile(library).catch(() => {
    throw new Error("The verifier is missing: run deno task native");
  });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  await Deno.writeTextFile(`${library}.sha256`, `${digest}\n`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", "--no-check", "--exclude-unused-npm", "--output", out, ...RIGHTS],
      ...included().flatMap((path) => ["--include", path]),
      "scripts/compiled.ts",
    ],
    ...{ cwd: ROOT, env: { NO_COLOR: "1", RUST_MIN_STACK: STACK_BYTES }, stdout: "null", stderr: "piped" },
  }).output();
  const said = new TextDecoder().decode(stderr);
  if (success) return said;
  throw new Error(isRuntimeMissing(said) ? runtimeMissing(said) : said.trim());
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
    const { values } = parseArgs({ args: Deno.args, options: { out: { type: "string" } } });
    const platform = `${Deno.build.os}-${Deno.build.arch}`;
    const out = values.out ?? `${ROOT}/dist/quarry-${VERSION}-${platform}.bin`;
    await compile(out);
    say(out);
  } catch (error) {
    say((error as Error).message);
    Deno.exit(1);
  }
}
