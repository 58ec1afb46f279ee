/** A payer whose Redis fails over in the middle of a payment, by a real Sentinel trio. */
import assert from "node:assert/strict";
import { shannonToWei, silentLogger } from "../../modules/base/mod.ts";
import { openStore, StoreError } from "../../modules/ledger/mod.ts";
import { minerAddress, openPayerWorld } from "../support/payer_world.ts";
import { until } from "../support/process.ts";
import { MASTER, startSentinels } from "../support/topologies.ts";

const MINERS = [1, 2, 3].map(minerAddress);

Deno.test("a payer pays each miner once when the master dies after a broadcast", async () => {
  await using topology = await startSentinels();
  const store = await openStore({
    ...{ endpoint: "", database: 0, password: "" },
    sentinel: { nodes: topology.nodes, master: MASTER, password: "" },
  }, { log: silentLogger });
  await using world = await openPayerWorld({ store, waitReplicas: 1 });
  for (const login of MINERS) await world.credit(login, 5_000n);
  let death: Promise<void> | undefined, broadcasts = 0;
  const life = world.start({
    moment(name) {
      // The second payment is out, and nobody has said so to Redis yet.
      if (name !== "broadcast" || ++broadcasts !== 2) return;
      death = topology.master.kill();
    },
  });
  const before = store.server;
  const failures: unknown[] = [];
  await until("every payment to be final", async () => {
    try {
      await life.step(world.lease);
    } catch (error) {
      // The loop tries again after any of these; nothing else may come.
      assert.ok(
        error instanceof StoreError || /replicas|connection/.test(String(error)),
        `${error}`,
      );
      failures.push(error);
    }
    world.dev.chain.mine(1);
    await world.clock.advance(31_000);
    return store.ready && await world.isQuiet().catch(() => false);
  }, 60_000);
  life.close();
  await death;
  assert.ok(failures.length > 0, "the payer met the failover");
  assert.notEqual(store.server, before);
  for (const login of MINERS) {
    assert.equal(await world.receivedWei(login), shannonToWei(5_000n));
    assert.equal((await world.accounts.account(login)).paidShannon, 5_000n);
  }
  assert.deepEqual(await world.sums(), { minersShannon: 15_000n, financesShannon: 15_000n });
});
