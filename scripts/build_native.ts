/** Builds the native verifier into native/build, unless nothing has changed: `deno task native`. */
import { fileURLToPath } from "node:url";
import { libraryFileName } from "../modules/ethash/mod.ts";

const NATIVE = fileURLToPath(new URL("../native/", import.meta.url));
const NAPI = fileURLToPath(new URL("./tools/node_modules/.bin/napi", import.meta.url));
const BUILD = `${NATIVE}build`;
const LIBRARY = `${BUILD}/${libraryFileName()}`;
const STAMP = `${BUILD}/sources.sha256`;
/** What the library is made of, besides src/. */
const SOURCES = ["Cargo.toml", "Cargo.lock", "build.rs", "package.json"];

if (import.meta.main) {
  Deno.exit(await buildNative({ force: Deno.args.includes("--force") }));
}

/** Builds when the sources or the compiler differ from the last build's; returns an exit code. */
export async function buildNative(options: { force?: boolean } = {}): Promise<number> {
  const compiler = await compilerVersion();
  if (compiler === undefined) {
    say('Cannot build the native verifier: install Rust (cargo), see "native/README.md"');
    return 1;
  }
  const digest = await sourcesDigest(compiler);
  if (!options.force && await isFresh(digest)) {
    say(`Native verifier is up to date: ${LIBRARY}`);
    return 0;
  }
  const built = await build();
  if (built === undefined) return 1;
  await Deno.mkdir(BUILD, { recursive: true });
  // A running pool has the old file mapped: a new file takes its name, the old one stays whole.
  await Deno.copyFile(built, `${LIBRARY}.new`);
  await Deno.rename(`${LIBRARY}.new`, LIBRARY);
  await Deno.writeTextFile(STAMP, digest);
  say(`Built ${LIBRARY}`);
  return 0;
}

async function build(): Promise<string | undefined> {
  const target = await targetDirectory();
  if (await exists(NAPI)) {
    const output = `${target}/napi`;
    const args = ["build", "--release", "--no-js", "--output-dir", output, "--target-dir", target];
    if (await run(NAPI, args)) return `${output}/quarry_ethash.node`;
    say("The napi driver failed: building with cargo alone");
  }
  const args = ["build", "--release", "--locked", "--target-dir", target];
  return await run("cargo", args) ? `${target}/release/${libraryFileName()}` : undefined;
}

function targetDirectory(): Promise<string> {
  return Promise.resolve(Deno.env.get("CARGO_TARGET_DIR") ?? `${NATIVE}target`);
}

async function run(command: string, args: string[]): Promise<boolean> {
  try {
    const child = new Deno.Command(command, { args, cwd: NATIVE }).spawn();
    return (await child.status).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function compilerVersion(): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("rustc", { args: ["-vV"] }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function sourcesDigest(compiler: string): Promise<string> {
  const names = [...SOURCES];
  for await (const entry of Deno.readDir(`${NATIVE}src`)) names.push(`src/${entry.name}`);
  const parts = [compiler];
  for (const name of names.sort()) {
    parts.push(`${name}\n${await Deno.readTextFile(NATIVE + name)}`);
  }
  const bytes = new TextEncoder().encode(parts.join("\0"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function isFresh(digest: string): Promise<boolean> {
  return await exists(LIBRARY) && await exists(STAMP) &&
    await Deno.readTextFile(STAMP) === digest;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
