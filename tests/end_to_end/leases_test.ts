/** Two payers and two unlockers by mistake: one works; when it dies or sleeps the spare does, alone. */
import assert from "node:assert/strict";
import { openDevNode } from "../support/kill_node.ts";
import { minerOf, openKillWorld } from "../support/kill_world.ts";
import { until } from "../support/process.ts";

type Roles = { unlocker?: boolean; payouts?: boolean };

/** More miners than one chunk of credits has. */
const CROWD = Array.from({ length: 1_100 }, (_, i) => [minerOf(i), 100n + BigInt(i)] as const);

/** Two processes on one database, the first of which holds the lease and has done a first block. */
async function openTwo(stack: AsyncDisposableStack, roles: Roles) {
  const world = await openKillWorld(stack, { node: await openDevNode(stack), roles });
  const role = roles.payouts ? "payer" : "unlocker";
  const holder = async () =>
    await world.store.command("HGET", world.keys.own.lease(role), "holder");
  const one = await world.start("one");
  await until("the first one's lease", async () => await holder() === "one");
  const two = await world.start("two");
  await until("the second one", () => two.output().includes("worker.ready"), 60_000);
  const due = await world.earn(new Map([[minerOf(5_000), 1n]]));
  await world.untilSettled();
  await world.assertWhole(due);
  assert.equal(await holder(), "one");
  return { world, one, two, holder };
}

/** What a process says when it has done something with money. */
const WORKED = /"event":"(payment\.sent|block\.matured)"/g;

/** The holder is killed; the spare does the next block. */
async function kill(stack: AsyncDisposableStack, roles: Roles): Promise<void> {
  const { world, one, two, holder } = await openTwo(stack, roles);
  assert.equal(one.output().search(WORKED) >= 0, true, "the first one worked");
  assert.equal(two.output().search(WORKED), -1, "the spare did not");
  await world.kill("one");
  const due = await world.earn(new Map([[minerOf(6_000), 1n]]));
  await world.untilSettled();
  await world.assertWhole(due);
  assert.equal(await holder(), "two");
  assert.equal(two.output().search(WORKED) >= 0, true, "the spare worked");
}

/**
 * The holder sleeps at an effect, which comes late: when the spare has done all the work. It must
 * change nothing, and its sender must find out that it is the holder no more.
 */
async function sleep(
  stack: AsyncDisposableStack,
  roles: Roles,
  at: { nth: number; name: string },
): Promise<void> {
  const { world, one, two, holder } = await openTwo(stack, roles);
  const { fuse } = world;
  const woken = Promise.withResolvers<void>();
  fuse.arm(at, "late", async () => {
    Deno.kill(one.pid, "SIGSTOP");
    await woken.promise;
  });
  const due = await world.earn(new Map(CROWD.slice(0, roles.payouts ? 1 : undefined)));
  await until(`the first one's ${at.name}`, () => fuse.blown, 60_000);
  await until("the spare", async () => await holder() === "two", 60_000);
  await fuse.disarm();
  assert.equal(await world.untilSettled(), "settled");
  await world.assertWhole(due);
  Deno.kill(one.pid, "SIGCONT");
  woken.resolve();
  const asked = () => fuse.effects.filter((name) => name === "EVALSHA lease").length;
  await until("the first one's return as a spare", () => asked() >= 2, 60_000);
  await world.assertWhole(due);
  const next = await world.earn(new Map([[minerOf(7_000), 1n]]));
  await world.untilSettled();
  await world.assertWhole(next);
  assert.equal(await holder(), "two");
  // One did the first piece of work, two the other two.
  const [first, others] = [one, two].map((child) =>
    child.output().matchAll(WORKED).toArray().length
  );
  assert.equal(others, 2 * first!);
}

const PAYER: Roles = { payouts: true }, UNLOCKER: Roles = { unlocker: true };

Deno.test("a spare takes over from a holder that is killed or sleeps, and never works beside it", async () => {
  await using stack = new AsyncDisposableStack();
  const lane = (run: (own: AsyncDisposableStack) => Promise<void>) =>
    run(stack.use(new AsyncDisposableStack()));
  // Side by side: a lease lasts 25 seconds.
  await Promise.all([
    lane((own) => kill(own, PAYER)),
    lane((own) => kill(own, UNLOCKER)),
    lane((own) => sleep(own, PAYER, { nth: 1, name: "EVALSHA reserve_payment" })),
    lane((own) => sleep(own, PAYER, { nth: 1, name: "eth_sendRawTransaction" })),
    lane((own) => sleep(own, UNLOCKER, { nth: 2, name: "EVALSHA credit_immature" })),
  ]);
});
