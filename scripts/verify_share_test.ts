/** verify-share as a program: verdicts, numbers and exit codes. */
import { match, ok, strictEqual } from "node:assert/strict";
import { FakeClock } from "../modules/base/mod.ts";
import { openRejectedFile, openRejectedLog } from "../modules/intake/mod.ts";

const SCRIPT = new URL("./verify_share.ts", import.meta.url).pathname;

interface Block {
  number: number;
  header: string;
  nonce: string;
  mix: string;
  difficulty: string;
}

/** Runs the script with the permissions of the task. */
async function verifyShare(flags: Record<string, string>, ...rest: string[]) {
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-read", "--allow-ffi", SCRIPT, ...args, ...rest],
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((o) => new TextDecoder().decode(o));
  return { code: output.code, stdout: stdout!, stderr: stderr! };
}

async function blocks(): Promise<[Block, Block]> {
  const url = new URL("../tests/vectors/ethash.json", import.meta.url);
  return JSON.parse(await Deno.readTextFile(url)).blocks;
}

function flagsOf(block: Block): Record<string, string> {
  const { header, nonce, mix, difficulty } = block;
  return { header, nonce, mix, difficulty, height: `${block.number}`, algorithm: "etchash" };
}

Deno.test("verify_share accepts two real Ethereum Classic blocks around ECIP-1099", async () => {
  for (const [block, epoch] of (await blocks()).map((b, i) => [b, [333, 250][i]] as const)) {
    const { code, stdout } = await verifyShare(flagsOf(block), "--json");
    strictEqual(code, 0);
    const verdict = JSON.parse(stdout);
    strictEqual(verdict.valid, true);
    strictEqual(verdict.epoch, epoch);
    strictEqual(verdict.mix, block.mix);
    match(verdict.result, /^0x[0-9a-f]{64}$/);
    ok(BigInt(verdict.difficulty) >= BigInt(block.difficulty));
    match(verdict.reason, /^The share is valid/);
  }
});

Deno.test("verify_share prints the numbers and one sentence", async () => {
  const [block] = await blocks();
  const { code, stdout } = await verifyShare(flagsOf(block));
  strictEqual(code, 0);
  match(stdout, /^epoch +333, seed hashed 333 times$/m);
  match(stdout, /^mix +0xeeecef23/m);
  match(stdout, /^cache +60423872 bytes$/m);
  match(stdout, /^The share is valid: it reaches difficulty \d+ of the asked 155381888059095\.$/m);
});

Deno.test("verify_share says why a share is invalid", async () => {
  const [block] = await blocks();
  const flags = flagsOf(block);
  const wrongMix = { ...flags, mix: flags.mix!.replace("0xee", "0xef") };
  const mix = await verifyShare(wrongMix);
  strictEqual(mix.code, 1);
  match(mix.stdout, /^The share is invalid: header and nonce give the mix digest 0xeeecef/m);

  const low = await verifyShare({ ...flags, difficulty: "999999999999999999999" }, "--json");
  strictEqual(low.code, 1);
  strictEqual(JSON.parse(low.stdout).valid, false);
  match(JSON.parse(low.stdout).reason, /reaches only difficulty \d+ of the asked 99999/);

  // The same block taken for one after the fork: other sizes, another seed, another mix.
  const fork = await verifyShare({ ...flags, "ecip1099-height": "9960000" }, "--json");
  strictEqual(fork.code, 1);
  strictEqual(JSON.parse(fork.stdout).epoch, 166);
});

Deno.test("verify_share names the flag and the mend when it is used wrongly", async () => {
  const [block] = await blocks();
  const good = flagsOf(block);
  const cases: [Record<string, string | undefined>, RegExp][] = [
    [{ header: undefined }, /without --header: give 0x and 64 hex digits/],
    [{ nonce: undefined }, /without --nonce/],
    [{ height: undefined }, /without --height: give a block number/],
    [{ algorithm: undefined }, /without --algorithm: give ethash or etchash/],
    [{ algorithm: "scrypt" }, /--algorithm: expected ethash or etchash, .*"scrypt"/],
    [{ header: good.header!.slice(0, -1) }, /--header: expected 0x and 64 hex digits/],
    [{ nonce: "0x12345678901234567" }, /--nonce: expected 0x and up to 16/],
    [{ mix: "0x12" }, /--mix: expected 0x and 64 hex digits/],
    [{ height: "1e6" }, /--height: expected a whole decimal number/],
    [{ height: "999999999999" }, /--height: Cannot serve an epoch above 4095/],
    [{ difficulty: "0" }, /--difficulty: expected a whole number of at least 1/],
    [{ algorithm: "ethash", "ecip1099-height": "5" }, /--ecip1099-height with --algorithm ethash/],
    [{ colour: "red" }, /Cannot read the flags: Unknown option '--colour'/],
  ];
  for (const [changes, message] of cases) {
    const flags = Object.fromEntries(
      Object.entries({ ...good, ...changes }).filter(([, value]) => value !== undefined),
    ) as Record<string, string>;
    const { code, stdout, stderr } = await verifyShare(flags);
    strictEqual(code, 2, `${message}`);
    strictEqual(stdout, "");
    match(stderr, message);
    match(stderr, /^Usage: deno task verify-share/m);
  }
});

Deno.test("verify_share looks at a share of the pool's rejected-share log by its id", async () => {
  const [block] = await blocks();
  const dir = await Deno.makeTempDir();
  const path = `${dir}/rejected-0.jsonl`;
  const log = openRejectedLog(await openRejectedFile(path), {
    ...{ clock: new FakeClock(), prefix: "x-0" },
    onError(error) {
      throw error;
    },
  });
  const id = log.add({
    ...{ rejection: "badMix", login: "0x" + "11".repeat(20), worker: "rig1", algorithm: "etchash" },
    ...{ headerHash: block.header, nonce: "0x" + (BigInt(block.nonce) + 1n).toString(16) },
    ...{ mix: block.mix, height: block.number, difficulty: "4000000000" },
    "ecip1099-height": 11_700_000,
  });
  await log.close();
  const found = await verifyShare({ rejected: id!, log: path }, "--json");
  strictEqual(found.code, 1, found.stderr);
  strictEqual(JSON.parse(found.stdout).cause, "mixOfOtherNonce");
  const none = await verifyShare({ rejected: "x-0-99", log: path });
  strictEqual(none.code, 2);
  match(none.stderr, /--rejected: .* holds no share x-0-99/);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("verify_share reads a raw stratum line with its job", async () => {
  const [block] = await blocks();
  const params = [block.nonce, block.header, block.mix];
  const line = JSON.stringify({ id: 41, method: "eth_submitWork", params });
  const job = JSON.stringify({ height: block.number, difficulty: "4000000000" });
  const { code, stdout, stderr } = await verifyShare({ line, job, algorithm: "etchash" });
  strictEqual(code, 0, stderr);
  match(stdout, /^The share is valid/m);
});

Deno.test("verify_share answers JSON Lines of standard input line by line", async () => {
  const [block] = await blocks();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--allow-read",
      "--allow-ffi",
      SCRIPT,
      "--stdin",
      "--algorithm",
      "etchash",
    ],
    ...{ stdin: "piped", stdout: "piped", stderr: "piped" },
  }).spawn();
  const { number: height, header, nonce, mix } = block;
  const writer = child.stdin.getWriter();
  for (
    const line of [{ height, header, nonce, mix }, { height, header }, {
      height,
      header,
      nonce: "0x1",
      mix,
    }]
  ) {
    await writer.write(new TextEncoder().encode(JSON.stringify(line) + "\n"));
  }
  await writer.close();
  const { code, stdout } = await child.output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
  strictEqual(code, 2);
  strictEqual(lines[0].valid, true);
  match(lines[1].error, /without --nonce/);
  strictEqual(lines[2].valid, false);
});
