/**
 * Redis is killed and loses some of its last second, cut at any byte, with the payer or under its
 * feet: paid once.
 */
import assert from "node:assert/strict";
import { cutAppendOnly, sizeOfAppendOnly } from "../support/aof.ts";
import { killsWanted } from "../support/kill_count.ts";
import { seeded } from "../support/kill_fuse.ts";
import { openDevNode } from "../support/kill_node.ts";
import { settle, twoMiners } from "../support/kill_sweep.ts";
import { type KillWorld, openKillWorld } from "../support/kill_world.ts";

/** Effects of a payer from its start to its last booking. */
const EFFECTS = 120;
const SEED = 7_030;
const LANES = 3;

/** Kills Redis at an effect, cuts its file at any byte that is at most a second old, starts it again. */
async function loseLastSecond(world: KillWorld, random: () => number, nth: number) {
  const sizes: { atMs: number; bytes: number }[] = [];
  const note = async () => {
    sizes.push({ atMs: Date.now(), bytes: await sizeOfAppendOnly(world.redis.dir) });
  };
  await note();
  world.fuse.watch(note);
  const keepsPayer = random() < 0.5;
  let lostBytes = 0;
  world.fuse.arm({ nth }, random() < 0.5 ? "before" : "after", async () => {
    if (!keepsPayer) await world.kill();
    await world.redis.kill();
    const oldest = sizes.findLast(({ atMs }) => atMs < Date.now() - 1_000) ?? sizes[0]!;
    const size = await sizeOfAppendOnly(world.redis.dir);
    // Smaller than before: Redis has begun a new file meanwhile.
    const since = size < oldest.bytes ? size : size - oldest.bytes;
    lostBytes = Math.floor(random() * (since + 1));
    await cutAppendOnly(world.redis.dir, size - lostBytes);
    await world.restartRedis();
  });
  await world.start();
  const outcome = await world.untilSettled();
  world.fuse.watch(undefined);
  return { cut: outcome === "blown", lostBytes, keepsPayer };
}

Deno.test("payments survive a Redis that is killed and has lost up to its last second", async () => {
  const wanted = Math.ceil(killsWanted(36) / LANES);
  let lost = 0;
  await Promise.all(Array.from({ length: LANES }, async (_, lane) => {
    await using stack = new AsyncDisposableStack();
    const node = await openDevNode(stack);
    const world = await openKillWorld(stack, { node, roles: { payouts: true }, inFlight: 2 });
    const random = seeded(SEED + lane);
    for (let n = 0, kills = 0; kills < wanted; n++) {
      const due = await twoMiners(world, n);
      const nth = 1 + Math.floor(random() * EFFECTS);
      const { cut, lostBytes, keepsPayer } = await loseLastSecond(world, random, nth);
      if (cut) kills++;
      if (lostBytes > 0) lost++;
      const what = `of Redis ${keepsPayer ? "under" : "with"} the payer at effect ${nth}, ` +
        `${world.fuse.effects[nth - 1]}, that lost ${lostBytes} bytes (seed ${SEED + lane})`;
      await settle(world, due, what);
    }
  }));
  assert.ok(lost > 0, "some of them lost something");
});
