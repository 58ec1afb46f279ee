/** The operators' documents do what they say: their commands run, in order, on real processes. */
import assert from "node:assert/strict";
import { blocksOf, runBlocks } from "./blocks.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const PAGES = ["start", "backup", "move"];
const WITHIN_MS = 240_000;

Deno.test("every block marked as runnable is on a page that is run", async () => {
  for await (const { name } of Deno.readDir(`${ROOT}docs`)) {
    const blocks = blocksOf(name, await Deno.readTextFile(`${ROOT}docs/${name}`));
    const run = PAGES.includes(name.replace(/\.md$/, ""));
    assert.equal(blocks.length > 0, run, name);
  }
});

Deno.test("rehearsal, backup drill and move run as they are written", async () => {
  const blocks = [];
  for (const page of PAGES) {
    blocks.push(...blocksOf(page, await Deno.readTextFile(`${ROOT}docs/${page}.md`)));
  }
  assert.ok(blocks.length > 12);
  const folder = await Deno.makeTempDir({ prefix: "quarry-docs-" });
  try {
    const { success, done, output } = await runBlocks(blocks, {
      ...{ root: ROOT, folder, withinMs: WITHIN_MS },
    });
    const next = blocks[done];
    const where = next === undefined ? "" : `docs/${next.page}.md:${next.line}: ${next.text}`;
    assert.ok(success && next === undefined, `${where}\n${output}`);
    assert.match(output, /The books add up\./);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
