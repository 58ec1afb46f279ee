/** Shares that are answered only once a replica has them, with a real replica that comes and goes. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { freePort, until } from "../../tests/support/process.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { openJournal } from "./journal.ts";
import { createKeys } from "./keys.ts";
import { type JournalEntry, openRecorder } from "./recorder.ts";
import { openStore } from "./redis.ts";
import type { ShareRecord } from "./share_record.ts";

const keys = createKeys("t");
const share = (n: number): ShareRecord => ({
  ...{ login: "0x" + "11".repeat(20), worker: "rig", difficulty: 5n, height: 10 },
  nonce: "0x" + n.toString(16).padStart(16, "0"),
  headerHash: "0x" + "aa".repeat(32),
  mix: "0x" + "bb".repeat(32),
});

Deno.test("openRecorder() answers shares once the replicas have them, and counts them once", async () => {
  const port = freePort();
  const dir = await Deno.makeTempDir();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const master = stack.use(await startRedis({ port }));
  const options = { endpoint: master.endpoint, database: 0, password: "" };
  const store = await openStore(options, { log: silentLogger });
  stack.defer(() => store.close());
  const journal = await openJournal<JournalEntry>(`${dir}/shares.journal`);
  stack.defer(() => journal.close());
  const recorder = openRecorder({
    ...{ store, keys, journal, log: silentLogger, clock: systemClock, runId: "r" },
    ...{ hashrateExpirationSeconds: 10_800, pplnsWindowMilli: 2_000n, waitReplicas: 1 },
  });
  stack.defer(() => recorder.close());
  await recorder.replayed;
  const sum = async () => Number(await store.command("HGET", keys.roundCurrent(), share(1).login));
  let answered: unknown;
  const first = recorder.record(share(1)).then((fate) => answered = fate);
  await until("the master to have the share", async () => await sum() === 5);
  // Only the master has it: nobody is told anything, and no further share is taken.
  await until("shares to be refused", () => !recorder.healthy);
  assert.equal(answered, undefined);
  assert.equal(await recorder.record(share(2)), "away");
  const replica = stack.use(
    await startRedis({ args: ["--replicaof", "127.0.0.1", String(port)] }),
  );
  assert.equal(await first, "credited");
  assert.equal(await sum(), 5);
  await until("shares to be taken again", () => recorder.healthy);
  assert.equal(await recorder.record(share(3)), "credited");
  const copy = await openStore({ ...options, endpoint: replica.endpoint }, { log: silentLogger });
  assert.equal(await copy.command("HGET", keys.roundCurrent(), share(1).login), "10");
  await copy.close();
});
