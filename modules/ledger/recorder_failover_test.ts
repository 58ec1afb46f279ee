/** A found block that a failover forgot: its finder's process records it again. */
import assert from "node:assert/strict";
import { silentLogger, systemClock } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { openJournal } from "./journal.ts";
import { createKeys } from "./keys.ts";
import { type JournalEntry, openRecorder } from "./recorder.ts";
import { openStore, type Store } from "./redis.ts";
import type { ShareRecord } from "./share_record.ts";

const keys = createKeys("t");
const share = (n: number): ShareRecord => ({
  ...{ login: "0x" + "11".repeat(20), worker: "rig", difficulty: 5n, height: 10 },
  nonce: "0x" + n.toString(16).padStart(16, "0"),
  headerHash: "0x" + "aa".repeat(32),
  mix: "0x" + "bb".repeat(32),
});

Deno.test("openRecorder() records a candidate again that another Redis has forgotten", async () => {
  await using stack = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = stack.use(await startRedis());
  const own = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  stack.defer(() => own.close());
  let server = "master";
  const store: Store = {
    ...own,
    ready: true,
    get server() {
      return server;
    },
  };
  const journal = await openJournal<JournalEntry>(`${dir}/shares.journal`);
  stack.defer(() => journal.close());
  const recorder = openRecorder({
    ...{ store, keys, journal, log: silentLogger, clock: systemClock, runId: "r" },
    ...{ hashrateExpirationSeconds: 10_800, pplnsWindowMilli: 2_000n },
  });
  stack.defer(() => recorder.close());
  await recorder.replayed;
  const candidates = async () => Number(await own.command("ZCARD", keys.candidates()));
  const found = { ...share(9), blockDifficulty: 1_000n };
  assert.equal(await recorder.recordCandidate(found), "recorded");
  // The same server, another history: nothing was lost, and nothing is counted again.
  server = "master restarted";
  assert.equal(await recorder.record(share(1)), "credited");
  assert.equal(await candidates(), 1);
  await own.command("FLUSHALL");
  server = "replica";
  assert.equal(await recorder.record(share(2)), "credited");
  assert.equal(await candidates(), 1, "the block is there again");
  const round = await own.command("HGETALL", keys.round(10, found.nonce));
  assert.deepEqual(round, [found.login, "5"]);
  assert.equal(await own.command("HGET", keys.roundCurrent(), found.login), "5");
});
