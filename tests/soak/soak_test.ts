/** Two minutes of the soak: whatever happens to the pool, no share is lost or doubled. */
import assert from "node:assert/strict";
import { sayReport, soak } from "../../scripts/bench_soak/run.ts";

Deno.test("two minutes of restarts, reorganisations and new certificates lose and double no share", async () => {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  try {
    const report = await soak({ minutes: 2, sessions: 2_000, rate: 400, say });
    sayReport(report, say);
    assert.ok(report.events >= 7, "most kinds of events");
    assert.ok(report.accepted > 10_000n, "shares all the time");
    assert.ok(report.connections > 2_000, "miners came back");
    assert.ok(report.blocks.matured > 0 && report.paidShannon > 0n, "money was made and paid");
  } catch (error) {
    throw new Error(lines.join("\n"), { cause: error });
  }
});
