/** The simulation finds each planted bug: a net without one of these would catch nothing of its kind. */
import assert from "node:assert/strict";
import { simulateMutation } from "./mutate.ts";
import { type Mutation, MUTATIONS } from "./mutations.ts";

for (const mutation of MUTATIONS) {
  Deno.test(`the simulation finds the planted bug "${mutation.name}"`, async () => {
    const { code, output } = await simulateMutation(mutation);
    assert.equal(code, 1, output);
    // A copy that does not even run has found nothing.
    assert.match(output, /^seed \d+ fails:/m, output);
  });
}

Deno.test("a planted bug whose text is gone fails loudly", async () => {
  const edits = [{ file: "modules/unlocker/split.ts", find: "no such text", replace: "" }];
  const gone: Mutation = { ...MUTATIONS[0]!, edits };
  await assert.rejects(simulateMutation(gone), /does not apply/);
});
