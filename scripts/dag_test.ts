/** The dataset builder as a program: what it builds, for whom, and what it refuses. */
import assert from "node:assert/strict";
import { cacheDir } from "../tests/support/geth.ts";
import { freePort } from "../tests/support/process.ts";
import { startDevChain } from "./dev_chain/start.ts";

const QUARRY = new URL("quarry", import.meta.url).pathname;

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(QUARRY, {
    args: ["dag", ...args],
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function configFile(config: Record<string, unknown>): Promise<string> {
  const path = await Deno.makeTempFile({ prefix: "quarry-dag-", suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify({ coin: "t", ...config }));
  return path;
}

const network = (algorithm: string) => ({
  ...{ chainId: 1337, algorithm, baseFee: "none" },
  rewards: [{ fromHeight: 0, reward: "2" }],
});

Deno.test("deno task dag builds the dataset of a node's head, or finds it built", async () => {
  // Kept between runs: epoch 0 is 1 GiB, which the tests of geth share.
  const dir = `${cacheDir()}/dag`;
  await using chain = await startDevChain({
    ...{ coinbase: "0x" + "ab".repeat(20) },
    pow: { hash: () => Promise.reject(new Error("nobody mines here")) },
  });
  const path = await configFile({
    network: network("ethash"),
    ...{ verifier: { dag: "file", dir }, upstream: [{ url: chain.url }] },
  });
  const { code, text } = await run(path);
  await Deno.remove(path);
  assert.equal(code, 0, text);
  assert.match(text, /The dataset of epoch 0 is in /);
  const { size } = await Deno.stat(`${dir}/full-R23-0000000000000000`);
  assert.ok(size > 2 ** 30 - 65_536, `${size} bytes`);
});

Deno.test("deno task dag says what is wrong, and builds nothing", async () => {
  const path = await configFile({ network: network("frkhash") });
  const verifier = { dag: "file", dir: "/proc/nowhere" };
  const noFolder = await configFile({ network: network("ethash"), verifier });
  const away = { url: `http://127.0.0.1:${freePort()}` };
  const unknown = await configFile({ upstream: [away] });
  const alone = await configFile({
    ...{ network: network("ethash"), upstream: [] },
    proxy: { enabled: false, stratum: { enabled: false } },
  });
  const cases: [string[], number, RegExp][] = [
    [[path, "--height", "1"], 1, /frkhash has no dataset/],
    [[path, "--height", "soon"], 2, /Cannot use --height soon: expected a whole number/],
    [["--height", "1", path], 2, /^Usage/],
    [["/nowhere.json"], 1, /\/nowhere\.json/],
    [[noFolder, "--height", "1"], 1, /Cannot make \/proc\/nowhere: let verifier\.dir name/],
    [[noFolder, "--height", "999999999"], 1, /Cannot use height 999999999: .*epoch/],
    [[unknown], 1, /unreachable for eth_chainId/],
    [[alone], 1, /There is no node to ask: name one in upstream, or give --height/],
  ];
  for (const [args, exitCode, words] of cases) {
    const { code, text } = await run(...args);
    assert.equal(code, exitCode, text);
    assert.match(text, words);
    assert.doesNotMatch(text, /^\s+at /m, "no stack trace");
  }
  for (const file of [path, noFolder, unknown, alone]) await Deno.remove(file);
});
