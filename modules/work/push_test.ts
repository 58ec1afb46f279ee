/** What becomes of a node's pushes over time: trust, and the notice when they end. */
import assert from "node:assert/strict";
import { PushFlow, SILENT_HEIGHTS } from "./push_flow.ts";
import { CONFIRM_MS, DISTRUST_MS, PushTrust, STRIKES_MAX } from "./push_trust.ts";

const at = (height: number, headerHash = `h${height}`) => ({ height, headerHash });

Deno.test("PushTrust goes on while the node confirms, or has moved on", () => {
  const trust = new PushTrust();
  for (let height = 1; height < 50; height++) {
    trust.mined(at(height), height);
    // Every second one is replaced at once by the node, and pushed again as what it is.
    if (height % 2 === 0) {
      assert.equal(trust.said(at(height, "other"), height), "settled");
      trust.agrees();
    } else assert.equal(trust.said(at(height), height), "settled");
    trust.mined(at(height, "again"), height);
    assert.equal(trust.said(at(height + 1), height), "settled");
  }
  assert.equal(trust.distrusts(50), false);
});

Deno.test("PushTrust gives the node a moment, then denies a height that it does not know", () => {
  const trust = new PushTrust();
  trust.mined(at(11), 1_000);
  assert.equal(trust.said(at(10), 1_000), "wait");
  assert.equal(trust.said(at(10), 1_000 + CONFIRM_MS - 1), "wait");
  assert.equal(trust.distrusts(1_000 + CONFIRM_MS), false);
  assert.equal(trust.said(at(10), 1_000 + CONFIRM_MS), "denied");
  assert.equal(trust.distrusts(1_000 + CONFIRM_MS), true);
  assert.equal(trust.distrusts(1_000 + CONFIRM_MS + DISTRUST_MS), false);
  // Denied once, settled then.
  assert.equal(trust.said(at(10), 2_000), "settled");
});

Deno.test("PushTrust denies headers of the right height that are never the node's", () => {
  const trust = new PushTrust();
  for (let strike = 1; strike <= STRIKES_MAX; strike++) {
    trust.mined(at(10, `strange${strike}`), strike);
    assert.equal(trust.said(at(10), strike), strike < STRIKES_MAX ? "settled" : "denied");
  }
  assert.equal(trust.distrusts(STRIKES_MAX), true);
});

Deno.test("PushFlow notices pushes that end, once, and that they are back", () => {
  const flow = new PushFlow();
  // A node that never pushed is not missed.
  for (let height = 1; height < 10; height++) assert.equal(flow.asked(height), false);
  assert.equal(flow.pushed(10), false);
  // Asking may be a little sooner than the push.
  for (let height = 11; height < 30; height++) {
    assert.equal(flow.asked(height), false);
    assert.equal(flow.pushed(height), false);
  }
  const notices = [30, 30, 31, 31, 32, 33, 34].map((height) => flow.asked(height));
  assert.deepEqual(notices, [false, false, false, false, true, false, false]);
  assert.equal(SILENT_HEIGHTS, 3);
  assert.equal(flow.pushed(35), true);
  assert.equal(flow.pushed(35), false);
});
