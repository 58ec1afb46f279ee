/** The demo's folder: what may be removed, and when. */
import assert from "node:assert/strict";
import { freshDir } from "./start.ts";

Deno.test("freshDir() removes what an ended demo left, and nothing of a running one or of others", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-demo-" });
  try {
    const first = await freshDir(`${dir}/a`);
    await Deno.writeTextFile(`${dir}/a/rows`, "shares");
    await assert.rejects(freshDir(`${dir}/a`), /A demo runs in .*\/a: stop it/);
    assert.equal(await Deno.readTextFile(`${dir}/a/rows`), "shares");
    first.lock.close();

    (await freshDir(`${dir}/a`)).lock.close();
    assert.deepEqual((await Array.fromAsync(Deno.readDir(`${dir}/a`))).map(({ name }) => name), [
      ".quarry-demo",
    ]);
    await assert.rejects(freshDir(dir), /holds something else: give --data/);
    await Deno.writeTextFile(`${dir}/file`, "");
    await assert.rejects(freshDir(`${dir}/file`), /give --data another one/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
