/** The floor check itself: it must see what it is there to see. */
import assert from "node:assert/strict";
import { judgeImport } from "./check_layers.ts";
import { tidyProblems } from "./check_tidy.ts";

Deno.test("judgeImport() refuses upward, sideways and side-door imports", () => {
  const at = (path: string) => `file:///x/modules/${path}`;
  assert.match(judgeImport(at("chain/a.ts"), at("stratum/mod.ts"), "../stratum/mod.ts")!, /below/);
  assert.match(
    judgeImport(at("unlocker/a.ts"), at("payouts/mod.ts"), "../payouts/mod.ts")!,
    /below/,
  );
  assert.match(judgeImport(at("share/a.ts"), at("work/job.ts"), "../work/job.ts")!, /mod\.ts/);
  assert.match(judgeImport(at("intake/a.ts"), "npm:/redis@6.3.1", "redis")!, /only ledger/);
  assert.equal(judgeImport(at("share/a.ts"), at("work/mod.ts"), "../work/mod.ts"), undefined);
  assert.equal(judgeImport(at("ledger/a.ts"), "npm:/redis@6.3.1", "redis"), undefined);
});

Deno.test("tidyProblems() sees long files, missing headers and undocumented exports", () => {
  const long = "/** Header. */\n" + "const a = 1;\n".repeat(401);
  assert.match(tidyProblems("modules/base/a.ts", long)[0]!, /at most 400/);
  assert.match(tidyProblems("modules/base/a.ts", "const a = 1;\n")[0]!, /header/);
  const bare = "/** Header. */\nimport x from 'y';\nexport function f() {}\n";
  assert.match(tidyProblems("modules/base/a.ts", bare)[0]!, /doc comment/);
  const body = "  const a = 1;\n".repeat(80);
  const wide = `/** Header. */\n\n/** F. */\nexport function f() {\n${body}}\n`;
  assert.match(tidyProblems("modules/base/a.ts", wide)[0]!, /function of 82 lines/);
});
