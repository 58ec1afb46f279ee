/** The single binary: what is embedded in it, and what is said when its runtime is missing. */
import assert from "node:assert/strict";
import { compile, included, isRuntimeMissing } from "../../scripts/compile.ts";
import { defaultLibraryPath } from "../../modules/ethash/mod.ts";
import { ROOT } from "../../scripts/dist/roots.ts";
import { output } from "./build.ts";

/** First place of `part` in `whole`. */
function find(whole: Uint8Array<ArrayBuffer>, part: Uint8Array): boolean {
  const { buffer, byteOffset, length } = whole;
  const view = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
  const needle = view(part);
  const step = 32 << 20;
  for (let at = 0; at < length; at += step) {
    const size = Math.min(step + part.length, length - at);
    if (view(new Uint8Array(buffer, byteOffset + at, size)).includes(needle)) return true;
  }
  return false;
}

Deno.test("the single binary embeds everything that is needed, and nothing else", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-compile-" });
  // The embedding is the same with any file in front; that of the true runtime cannot be had offline.
  const before = Deno.env.get("DENORT_BIN");
  Deno.env.set("DENORT_BIN", Deno.execPath());
  try {
    const said = await compile(`${dir}/quarry`);
    const tree = said.slice(said.indexOf("Embedded Files"));
    for (const room of ["alerts", "payouts", "stats", "stratum", "unlocker"]) {
      assert.match(tree, new RegExp(`[├└][─┬]+ ${room}[ /]`), room);
    }
    for (const package_ of ["redis", "viem", "pino", "zod", "hono"]) {
      assert.match(tree, new RegExp(`[├└][─┬]+ ${package_}[ /]`), package_);
    }
    assert.doesNotMatch(tree, /_test\.tsx?|playwright|axe-core|fast-check|solc|smtp-server/);
    assert.doesNotMatch(tree, /[├└][─┬]+ (tests|data|target|src|tools|docs)[ /]/);
    const binary = await Deno.readFile(`${dir}/quarry`);
    const front = (await Deno.stat(Deno.execPath())).size;
    const embedded = binary.subarray(front);
    const files = [
      ...[
        "modules/ledger/scripts/record_shares.lua",
        "config/example.json",
        "frontend/dist/index.html",
      ],
    ];
    for (const file of files) {
      assert.ok(find(embedded, await Deno.readFile(`${ROOT}/${file}`)), `${file} as it is`);
    }
    assert.ok(find(embedded, await Deno.readFile(defaultLibraryPath())), "the verifier as it is");
    for (const path of included().filter((one) => one.endsWith("/worker.ts"))) {
      const [first] = (await Deno.readTextFile(`${ROOT}/${path}`)).split("\n");
      assert.ok(find(embedded, new TextEncoder().encode(first)), path);
    }
    assert.ok(!find(embedded, new TextEncoder().encode("tests/support/")), "nothing of the tests");
  } finally {
    if (before === undefined) Deno.env.delete("DENORT_BIN");
    else Deno.env.set("DENORT_BIN", before);
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a runtime that cannot be had is one clear sentence, and exit code 1", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-compile-" });
  const { code, text } = await output(Deno.execPath(), [
    ...["run", "-A", `--config=${ROOT}/deno.json`, `${ROOT}/scripts/compile.ts`],
    ...["--out", `${dir}/quarry`],
  ], { ...Deno.env.toObject(), DENORT_BIN: `${dir}/none` });
  assert.equal(code, 1);
  assert.match(text, /^The runtime of a single binary, denort [\d.]+, is not here and cannot be/m);
  assert.match(text, /DENORT_BIN name the unpacked file; deno task dist makes an archive/);
  assert.ok(isRuntimeMissing("Download https://dl.deno.land/release/v2.9.5/denort-x.zip"));
  assert.ok(!isRuntimeMissing("error: Module not found"));
  await Deno.remove(dir, { recursive: true });
});

Deno.test("the binary's beginning finds every command, and prints samples", async () => {
  const run = (...args: string[]) =>
    output(Deno.execPath(), [
      ...["run", "-A", `--config=${ROOT}/deno.json`, `${ROOT}/scripts/compiled.ts`, ...args],
    ]);
  assert.match((await run("--version")).text, /^quarry \d/);
  assert.equal((await run()).code, 2);
  for (const help of ["help", "--help", "-h"]) assert.equal((await run(help)).code, 0, help);
  assert.equal((await run("ready", "soon")).code, 2);
  assert.match((await run("sample", "mining")).text, /Stratum and HTTP getwork alone/);
  for (const command of ["audit", "dag", "doctor", "ledger", "migrate", "payouts"]) {
    const { code, text } = await run(command);
    assert.deepEqual([code, text.startsWith("Usage:")], [2, true], `${command}: ${text}`);
  }
  assert.match((await run("verify-share", "--help")).text, /^Usage:/);
  assert.match((await run(`${ROOT}/config/example.json`, "--check")).text, /no problems/);
});
