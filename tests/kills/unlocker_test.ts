/** The unlocker's process dies before and after everything it does, and credits each block once. */
import assert from "node:assert/strict";
import { listOf, recordOf } from "../../modules/ledger/mod.ts";
import { openDevNode } from "../support/kill_node.ts";
import { type Amounts, type KillWorld, minerOf, openKillWorld } from "../support/kill_world.ts";
import { sweep } from "../support/kill_sweep.ts";
import { until } from "../support/process.ts";

/** More than one chunk of credits (a thousand). */
const MINERS = 1_100;
/** Shares of the round that the chain does not take; they return to the current one. */
const LOST_SHARES = 70n;
const LOSER = minerOf(900_000);

/** What each miner has got in all so far, world by world. */
const gotSoFar = new WeakMap<KillWorld, Amounts>();

/** A block of many miners, one of ours that nobody recorded, and a candidate the chain does not have. */
async function crowdAndOrphan(world: KillWorld, n: number): Promise<Amounts> {
  const { height } = await world.chain.find();
  const lost = {
    ...{ height, nonce: "0x" + (0xdead_0000 + n).toString(16).padStart(16, "0") },
    ...{ header: "0x" + "aa".repeat(32), mix: "0x" + "bb".repeat(32) },
  };
  await world.recordRound(lost, new Map([[LOSER, LOST_SHARES]]));
  const shares = Array.from({ length: MINERS }, (_, i) => [minerOf(i), BigInt(i + n + 1)] as const);
  const got = gotSoFar.get(world) ?? new Map();
  gotSoFar.set(world, got);
  for (const [login, amount] of await world.earn(new Map(shares))) {
    got.set(login, (got.get(login) ?? 0n) + amount);
  }
  return got;
}

Deno.test("the unlocker killed at every effect credits each block once", async () => {
  const tally = await sweep({
    open: async (stack) =>
      await openKillWorld(stack, { node: await openDevNode(stack), roles: { unlocker: true } }),
    work: crowdAndOrphan,
    lanes: 3,
    least: 25,
    async check({ store, keys }, lives) {
      const round = recordOf(await store.command("HGETALL", keys.roundCurrent()));
      assert.deepEqual(round, { [LOSER]: `${LOST_SHARES * BigInt(lives)}` });
      const matured = listOf(await store.command("ZRANGE", keys.matured(), "0", "-1"));
      assert.equal(matured.length, 2 * lives);
      const known = () => store.command("HLEN", keys.own.blocksUnknown());
      await until("the search for unknown blocks", async () => Number(await known()) >= lives)
        .catch(async (cause) => {
          const scanned = await store.command("GET", keys.own.blocksScanned());
          throw new Error(`${await known()} of ${lives}, searched to ${scanned}`, { cause });
        });
      assert.equal(await known(), lives);
    },
  });
  assert.ok(tally.kills > 60, `${tally.kills} kills`);
});
