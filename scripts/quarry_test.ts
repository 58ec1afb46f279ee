/** scripts/quarry itself: help is no mistake, and wrong words are one before anything is asked. */
import assert from "node:assert/strict";
import { dirname } from "node:path";

const QUARRY = new URL("./quarry", import.meta.url).pathname;

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(QUARRY, {
    args,
    env: { PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}` },
  }).output();
  const text = new TextDecoder();
  return { code, text: text.decode(stdout) + text.decode(stderr) };
}

Deno.test("scripts/quarry says how it is used: 0 when asked for it, 2 for wrong words", async () => {
  for (
    const [words, expected] of [
      ...[["--help", 0], ["/no.json --help", 0], ["/no.json --bogus", 2], ["bogus /no.json", 2]],
      ...[["", 2], ["payouts /no.json bogus", 2]],
    ] as [string, number][]
  ) {
    const { code, text } = await run(...words.split(" ").filter((word) => word !== ""));
    assert.deepEqual([code, text.startsWith("Usage: ")], [expected, true], `${words}: ${text}`);
  }
});

Deno.test("scripts/quarry names a configuration that is not there once", async () => {
  const { code, text } = await run("/no.json");
  assert.equal(code, 1);
  assert.match(text, /^Cannot use the configuration:\nfile: \/no\.json cannot be read: /);
  assert.equal(text.split("/no.json").length, 2, text);
});
