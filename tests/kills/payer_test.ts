/** The payer's process dies before and after everything it does, and pays each miner exactly once. */
import assert from "node:assert/strict";
import { openDevNode } from "../support/kill_node.ts";
import { openKillWorld } from "../support/kill_world.ts";
import { sweep } from "../support/kill_sweep.ts";

Deno.test("the payer killed at every effect pays each miner once", async () => {
  const tally = await sweep({
    open: async (stack) =>
      await openKillWorld(stack, {
        ...{ node: await openDevNode(stack), roles: { payouts: true }, inFlight: 2 },
      }),
    lanes: 4,
  });
  assert.ok(tally.kills > 80, `${tally.kills} kills`);
});
