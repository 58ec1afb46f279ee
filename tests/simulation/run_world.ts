/** Runs a world to its end: days of trouble, then calm until everything is settled, then the audit. */
import type { Store } from "../../modules/ledger/mod.ts";
import { createAccounts, createPayments } from "../../modules/ledger/mod.ts";
import { checkBooks, checkEnd } from "./auditor.ts";
import { pass, passHour, standStill, stepOnce } from "./events.ts";
import { fail, Failure } from "./failure.ts";
import { openWorld, type World } from "./world.ts";

const HOURS_PER_DAY = 24;
/** Days between two full audits. */
const AUDIT_DAYS = 5;
/** Rounds of calm after which everything must be settled. */
const CALM_ROUNDS = 400;

/** A world that came to its end; `failure` when something did not add up. */
export interface WorldReport {
  seed: number;
  days: number;
  /** The same for two runs of a seed. */
  digest: number;
  failure?: string;
  counts: Record<string, number>;
}

/** Runs the world of a seed for some days over an empty Redis, its keys under a prefix. */
export async function runWorld(
  seed: number,
  days: number,
  store: Store,
  prefix = "sim",
  onDay: (day: number) => void = () => {},
): Promise<WorldReport> {
  const dir = await Deno.makeTempDir({ prefix: "quarry-simulation-", ...await memoryFolder() });
  let world: World | undefined, hour = 0;
  try {
    world = await openWorld(seed, store, dir, prefix);
    world.meanwhile = () => standStill(world!);
    for (; hour < days * HOURS_PER_DAY; hour++) {
      world.trace(`day ${Math.floor(hour / HOURS_PER_DAY)}, hour ${hour % HOURS_PER_DAY}`);
      if (hour % HOURS_PER_DAY === 0) onDay(hour / HOURS_PER_DAY);
      await passHour(world);
      if (hour % (AUDIT_DAYS * HOURS_PER_DAY) === 0) await checkBooks(world.auditor);
    }
    await settle(world);
    await checkEnd(world.auditor, world.deepest <= world.immatureDepth);
    return { seed, days, digest: world.digest, counts: countsOf(world) };
  } catch (error) {
    const cause = world?.failure ?? error;
    const what = cause instanceof Failure ? cause.message : `${(cause as Error).stack ?? cause}`;
    const lines = world?.lines ?? [];
    const where = `day ${Math.floor(hour / HOURS_PER_DAY)}, hour ${hour % HOURS_PER_DAY}`;
    const failure = [`${where}: ${what}`, "the last of what happened:", ...lines].join("\n");
    return {
      ...{ seed, days, failure, digest: world?.digest ?? 0 },
      counts: world === undefined ? {} : countsOf(world),
    };
  } finally {
    for (const recorder of world?.recorders ?? []) await recorder.end();
    for (const payer of world?.payers ?? []) payer.end();
    await Deno.remove(dir, { recursive: true });
  }
}

function countsOf({ model, losses, counts, chain }: World): Record<string, number> {
  const { "losses before step": _unused, ...rest } = counts;
  return { ...rest, losses, rounds: model.state.rounds.size, height: chain.head.header.number };
}

/** No more trouble: blocks come, passes and steps go on until nothing is open. */
async function settle(world: World): Promise<void> {
  const { chain, nodes } = world;
  world.trace("calm");
  world.vault.keep();
  world.calm = true;
  chain.mempool.hold(false);
  chain.reverts.clear();
  for (const node of nodes) {
    node.freeze(undefined);
    node.face.syncing = false;
    node.face.tipWei = 1_000_000_000n;
    node.trouble = 0;
    node.missing = undefined;
  }
  world.offsetMs = 0;
  for (const recorder of world.recorders) await recorder.start();
  const payments = createPayments(world);
  for (let round = 0; round < CALM_ROUNDS; round++) {
    for (const login of await payments.held()) await payments.release(login);
    await pass(world);
    for (let n = 0; n < 3; n++) await stepOnce(world);
    if (world.failure !== undefined) throw world.failure;
    if (await isSettled(world)) return;
    chain.mine(1);
    world.nowMs += 1_800_000;
  }
  fail("it did not settle");
}

async function isSettled({ store, keys, options }: World): Promise<boolean> {
  const open = [keys.candidates(), keys.immature(), keys.own.paymentsOpen()];
  const counts = await store.multi(open.map((key) => ["ZCARD", key]));
  if (counts.some((count) => count !== 0)) return false;
  for await (const page of createAccounts({ store, keys }).all()) {
    if (page.some(({ balanceShannon }) => balanceShannon >= options.thresholdShannon)) return false;
  }
  return true;
}

/** Journals are synced at every line: a file system in memory makes that free, where there is one. */
async function memoryFolder(): Promise<{ dir?: string }> {
  const isFolder = await Deno.stat("/dev/shm").then((it) => it.isDirectory, () => false);
  return isFolder ? { dir: "/dev/shm" } : {};
}
