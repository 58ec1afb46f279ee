/**
 * A master of the pool's data is killed under load: what was answered true stays, and counts once,
 * whoever elects the next master.
 */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../../modules/base/mod.ts";
import {
  createKeys,
  type JournalEntry,
  listOf,
  openJournal,
  openRecorder,
  openStore,
  recordOf,
  type RedisOptions,
  type ShareRecord,
} from "../../modules/ledger/mod.ts";
import { until } from "../support/process.ts";
import { MASTER, startCluster, startSentinels, type Topology } from "../support/topologies.ts";

const PREFIX = "{t}";
const keys = createKeys(PREFIX);
const LOGIN = "0x" + "11".repeat(20);
const plainOptions = { endpoint: "", database: 0, password: "" };

const share = (n: number): ShareRecord => ({
  ...{ login: LOGIN, worker: "rig", difficulty: 5n, height: 10 },
  nonce: "0x" + n.toString(16).padStart(16, "0"),
  headerHash: "0x" + "aa".repeat(32),
  mix: "0x" + "bb".repeat(32),
});

Deno.test("Sentinel: no share that a replica has is lost or counted twice", async () => {
  await using topology = await startSentinels();
  const sentinel = { nodes: topology.nodes, master: MASTER, password: "" };
  // The second replica is there still: shares go on before the old master is back.
  await failUnderLoad(topology, { ...plainOptions, sentinel }, false);
});

Deno.test("Cluster: no share that the replica has is lost or counted twice", async () => {
  await using topology = await startCluster(PREFIX);
  const cluster = { nodes: topology.nodes, key: PREFIX };
  // The only replica is the master now: shares wait until the old one is back behind it.
  await failUnderLoad(topology, { ...plainOptions, cluster }, true);
});

/** Shares in flight all the time while the master is killed with `redis.waitReplicas` at 1. */
async function failUnderLoad(topology: Topology, options: RedisOptions, revive: boolean) {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const store = await openStore(options, { log: silentLogger });
  stack.defer(() => store.close());
  const before = store.server;
  const journal = await openJournal<JournalEntry>(`${dir}/shares.journal`);
  stack.defer(() => journal.close());
  const recorder = openRecorder({
    ...{ store, keys, journal, log: silentLogger, clock: systemClock, runId: "r" },
    ...{ hashrateExpirationSeconds: 10_800, pplnsWindowMilli: 2_000n, waitReplicas: 1 },
  });
  stack.defer(() => recorder.close());
  await recorder.replayed;
  const credited: string[] = [];
  let next = 0, stopped = false;
  const miner = async () => {
    while (!stopped) {
      const one = share(++next);
      const fate = await recorder.record(one);
      if (fate === "credited") credited.push(one.nonce);
      else {
        assert.equal(fate, "away", one.nonce);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  const miners = Array.from({ length: 16 }, miner);
  await until("shares to be credited", () => credited.length > 500);
  await topology.master.kill();
  const atKill = credited.length;
  await until("the loss to be noticed", () => !recorder.healthy);
  assert.equal(await recorder.record(share(10 ** 9)), "away", "refused while there is no master");
  await until("another master to be found", () => store.ready && store.server !== before, 60_000);
  if (revive) await topology.revive();
  await until("shares to be credited again", () => credited.length > atKill + 500, 60_000);
  stopped = true;
  await Promise.all(miners);
  const members = listOf(await store.command("ZRANGE", keys.pow(), "0", "-1"));
  const stored = new Set(members.map((member) => member.split(":")[0]));
  assert.equal(new Set(credited).size, credited.length);
  const lost = credited.filter((nonce) => !stored.has(nonce));
  assert.deepEqual(lost, [], "answered true and gone");
  assert.equal(members.length, credited.length, "nothing is counted that was not answered true");
  const round = recordOf(await store.command("HGETALL", keys.roundCurrent()));
  assert.equal(round[LOGIN], String(5 * credited.length));
}
