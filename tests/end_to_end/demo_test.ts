/** The demo as a newcomer runs it, on the development chain, until the first confirmed payment. */
import assert from "node:assert/strict";
import { startChild } from "../support/process.ts";

Deno.test("scripts/demo --once reaches every milestone and ends with 0", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-demo-" });
  await using demo = startChild("scripts/demo", ["--once", "--data", dir]);
  const code = await demo.exit;
  const output = demo.output();
  assert.equal(code, 0, output);
  for (const milestone of ["Share", "Block", "Immature", "Matured", "Payment"]) {
    assert.match(output, new RegExp(`^${milestone} `, "m"), milestone);
  }
  assert.match(output, /^Page +http:\/\/127\.0\.0\.1:\d+\/$/m);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("scripts/demo never removes what it did not make", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-demo-" });
  await Deno.writeTextFile(`${dir}/precious.txt`, "mine");
  await using demo = startChild("scripts/demo", ["--once", "--data", dir]);
  assert.equal(await demo.exit, 1);
  assert.match(demo.output(), /holds something else: give --data an empty or new folder/);
  assert.equal(await Deno.readTextFile(`${dir}/precious.txt`), "mine");
  await Deno.remove(dir, { recursive: true });
});
