/** Kills a process at each of its effects in turn, before and after, until it lives to the end. */
import assert from "node:assert/strict";
import type { When } from "./kill_fuse.ts";
import { type Amounts, type KillWorld, minerOf } from "./kill_world.ts";

/** What is swept. */
export interface Sweep {
  open(stack: AsyncDisposableStack): Promise<KillWorld>;
  /** Worlds side by side; each takes its part of the effects. */
  lanes: number;
  /** What there is to do for the n-th life. @default one miner's block */
  work?(world: KillWorld, n: number): Promise<Amounts>;
  /** What must hold besides after so many lives' work, while the last process runs. */
  check?(world: KillWorld, lives: number): Promise<void>;
  /** Least number of effects that make sense. */
  least?: number;
}

/** What a sweep did. */
export interface Tally {
  kills: number;
  /** Effect → kills at it. */
  at: Map<string, number>;
}

/** Runs the sweep; every life is followed by one that settles all, and by the books. */
export async function sweep(
  { open, lanes, work = oneMiner, check, least = 40 }: Sweep,
): Promise<Tally> {
  const tally: Tally = { kills: 0, at: new Map() };
  await Promise.all(Array.from({ length: lanes }, async (_, lane) => {
    await using stack = new AsyncDisposableStack();
    const world = await open(stack);
    let lives = 0;
    for (let nth = lane + 1;; nth += lanes) {
      let lived = false;
      for (const when of ["before", "after"] as const) {
        const due = await work(world, lives++);
        const effect = await killAt(world, nth, when);
        if (effect === undefined) lived = true;
        else {
          tally.kills++;
          tally.at.set(effect, (tally.at.get(effect) ?? 0) + 1);
        }
        await settle(world, due, `${when} effect ${nth}, ${effect}`, () => check?.(world, lives));
      }
      if (lived) {
        assert.ok(nth > least, `only ${nth} effects were tried`);
        return;
      }
    }
  }));
  return tally;
}

/** Lets a process live until it is killed at an effect; undefined when there was nothing to do any more. */
export async function killAt(
  world: KillWorld,
  nth: number,
  when: When,
): Promise<string | undefined> {
  world.fuse.arm({ nth }, when, () => world.kill());
  await world.start();
  return await world.untilSettled() === "settled" ? undefined : world.fuse.effects[nth - 1];
}

/** A new process finishes what the killed one began, and all adds up. */
export async function settle(
  world: KillWorld,
  due: Amounts,
  what: string,
  check?: () => Promise<void> | undefined,
): Promise<void> {
  try {
    await world.fuse.disarm();
    if (!world.children.has("one")) await world.start();
    await world.untilSettled();
    await world.assertWhole(due);
    await check?.();
  } catch (error) {
    throw new Error(`After a kill ${what}: ${await world.explain()}`, { cause: error });
  } finally {
    await world.kill();
  }
}

/** A block of one miner that nobody saw before. */
export async function oneMiner(world: KillWorld, n: number): Promise<Amounts> {
  return await world.earn(new Map([[minerOf(n), 100n]]));
}

/** A block of two miners that nobody saw before. */
export async function twoMiners(world: KillWorld, n: number): Promise<Amounts> {
  return await world.earn(new Map([[minerOf(2 * n), 200n], [minerOf(2 * n + 1), 100n]]));
}
