/** That the files of failed tests are found in what `deno test` prints. */
import assert from "node:assert/strict";
import { failedFiles } from "./run_tests.ts";

Deno.test("failedFiles() names each file of a failed test, step or uncaught error once", () => {
  const output = `
the pool runs ... FAILED (1s)
 ERRORS

an operator's commands ... a reload => ./tests/end_to_end/admin_test.ts:174:11
error: AssertionError: no
    at async file:///tests/support/until.ts:12:3
./tests/redis_topologies/world_test.ts (uncaught error)
error: Error: received fatal alert

 FAILURES

an operator's commands ... a reload => ./tests/end_to_end/admin_test.ts:174:11
./tests/redis_topologies/world_test.ts (uncaught error)

FAILED | 5 passed | 3 failed (49s)
`;
  assert.deepEqual(failedFiles(output), [
    "./tests/end_to_end/admin_test.ts",
    "./tests/redis_topologies/world_test.ts",
  ]);
  assert.deepEqual(failedFiles("ok | 5 passed | 0 failed (49s)"), []);
});
