/** Unlocker and payer in one process on real geth, killed at seeded effects, once or twice a block. */
import assert from "node:assert/strict";
import { seeded, type When } from "../support/kill_fuse.ts";
import { openGethNode } from "../support/kill_node.ts";
import { killAt, settle, twoMiners } from "../support/kill_sweep.ts";
import { openKillWorld } from "../support/kill_world.ts";
import { killsWanted } from "../support/kill_count.ts";

/** Effects of a process from its start until a block is credited and its two payments are out. */
const EFFECTS = 170;
const SEED = 20_250;

Deno.test("money on geth survives being killed at any effect, also while it recovers", async () => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-kills-geth-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const node = await openGethNode(stack, `${dir}/geth`);
  const world = await openKillWorld(stack, {
    ...{ node, roles: { unlocker: true, payouts: true }, inFlight: 2 },
  });
  const random = seeded(SEED);
  const when = (): When => random() < 0.5 ? "before" : "after";
  const wanted = killsWanted(40);
  let kills = 0, twice = 0;
  for (let n = 0; kills < wanted; n++) {
    const due = await twoMiners(world, n);
    const what: string[] = [];
    // Every other process is killed again while it finishes what the first one began.
    for (let life = 0; life < 1 + n % 2; life++) {
      const nth = 1 + Math.floor(random() * EFFECTS / (life + 1));
      const effect = await killAt(world, nth, when());
      what.push(`at effect ${nth}, ${effect}`);
      if (effect === undefined) break;
      kills++;
      twice += life;
    }
    await settle(world, due, `${what.join(" and ")} (seed ${SEED})`);
  }
  assert.ok(twice > 0);
});
