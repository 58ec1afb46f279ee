/**
 * Builds the page into frontend/dist: Vite's output, and beside each file its .gz and .br.
 *
 *   deno task frontend [--if-needed]
 *
 * With --if-needed nothing is done when the build is newer than everything it is made of.
 */
import { brotliCompress, constants, gzip } from "node:zlib";
import { promisify } from "node:util";

const FOLDER = decodeURIComponent(
  new URL("../frontend/", import.meta.url).pathname,
);
const SOURCES = [
  "src",
  "public",
  "index.html",
  "vite.config.ts",
  "package-lock.json",
];
/** Written last: the build is whole. */
const STAMP = "dist/.built";
const COMPRESSED = /\.(html|js|css|svg|json|txt)$/;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  if (args.includes("--if-needed") && await isFresh()) return 0;
  if (!(await installed())) {
    say("quarry: installing what the page is built with (npm)");
    // npm ci refuses locks that lack other platforms' optional packages.
    const code = await run("npm", [
      ...[
        "install",
        "--no-save",
        "--no-fund",
        "--no-audit",
        "--loglevel=error",
      ],
    ]);
    if (code !== 0) return code;
    await Deno.copyFile(
      `${FOLDER}package-lock.json`,
      `${FOLDER}node_modules/.quarry-lock`,
    );
  }
  say("quarry: building the page");
  const code = await run("node", [
    "node_modules/vite/bin/vite.js",
    "build",
    "--logLevel",
    "warn",
  ]);
  if (code !== 0) return code;
  await compress(`${FOLDER}dist`);
  await Deno.writeTextFile(FOLDER + STAMP, "");
  return 0;
}

/** Whether the build is newer than each of its sources. */
async function isFresh(): Promise<boolean> {
  const built = await changedAt(FOLDER + STAMP);
  if (built === undefined) return false;
  for (const source of SOURCES) {
    if (await newest(FOLDER + source) > built) return false;
  }
  return true;
}

async function newest(path: string): Promise<number> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (info === undefined) return 0;
  let newestMs = info.mtime?.getTime() ?? 0;
  if (!info.isDirectory) return newestMs;
  for await (const entry of Deno.readDir(path)) {
    newestMs = Math.max(newestMs, await newest(`${path}/${entry.name}`));
  }
  return newestMs;
}

async function changedAt(path: string): Promise<number | undefined> {
  return await Deno.stat(path).then(
    (info) => info.mtime?.getTime(),
    () => undefined,
  );
}

async function installed(): Promise<boolean> {
  const read = (path: string) => Deno.readTextFile(FOLDER + path).catch(() => undefined);
  const wanted = await read("package-lock.json");
  return wanted !== undefined &&
    wanted === await read("node_modules/.quarry-lock");
}

async function compress(folder: string): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await compress(path);
    else if (COMPRESSED.test(entry.name)) {
      const bytes = await Deno.readFile(path);
      await Deno.writeFile(
        `${path}.gz`,
        await promisify(gzip)(bytes, { level: 9 }),
      );
      const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
      await Deno.writeFile(
        `${path}.br`,
        await promisify(brotliCompress)(bytes, { params }),
      );
    }
  }
}

async function run(program: string, args: string[]): Promise<number> {
  const child = new Deno.Command(program, {
    args,
    ...{ cwd: FOLDER, stdin: "null", stdout: "inherit", stderr: "inherit" },
  });
  return (await child.output()).code;
}

function say(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(line + "\n"));
}
