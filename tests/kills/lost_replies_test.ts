/** Calls that never arrive, and answers that are lost, under a money process that lives on. */
import assert from "node:assert/strict";
import { seeded } from "../support/kill_fuse.ts";
import { openDevNode } from "../support/kill_node.ts";
import { settle, twoMiners } from "../support/kill_sweep.ts";
import { openKillWorld } from "../support/kill_world.ts";

/** Effects from a new block to the last booking of its two payments. */
const EFFECTS = 110;
const SEED = 4_242;
const LOSSES = 16;

Deno.test("money comes out right when connections break before or after any call", async () => {
  await using stack = new AsyncDisposableStack();
  const world = await openKillWorld(stack, {
    ...{ node: await openDevNode(stack), roles: { unlocker: true, payouts: true }, inFlight: 2 },
  });
  const random = seeded(SEED);
  let losses = 0;
  for (let n = 0; losses < LOSSES; n++) {
    assert.ok(n < 4 * LOSSES, `only ${losses} calls were lost`);
    const due = await twoMiners(world, n);
    const nth = 1 + Math.floor(random() * EFFECTS);
    const when = random() < 0.5 ? "before" : "after";
    world.fuse.arm({ nth }, when, () => {});
    await world.start();
    const outcome = await world.untilSettled();
    const effect = world.fuse.effects[nth - 1];
    if (outcome === "blown") losses++;
    await settle(world, due, `of nobody: lost ${when} effect ${nth}, ${effect} (seed ${SEED})`);
  }
});
