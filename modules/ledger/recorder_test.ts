/** The group commit and its scripts against a real redis-server, lost replies included. */
import assert from "node:assert/strict";
import { createLogger, FakeClock, silentLogger, systemClock } from "../base/mod.ts";
import { startRedis, type TestRedis } from "../../tests/support/redis.ts";
import { openJournal } from "./journal.ts";
import { createKeys } from "./keys.ts";
import { type JournalEntry, openRecorder } from "./recorder.ts";
import { integerOf, openStore, recordOf, type Store, StoreError } from "./redis.ts";
import {
  type CandidateRecord,
  recordCandidate,
  type RecordDeps,
  recordShares,
  type ShareRecord,
} from "./share_record.ts";

const LOGIN = "0x" + "11".repeat(20);
const OTHER = "0x" + "22".repeat(20);
const keys = createKeys("etc");

function share(n: number, change: Partial<ShareRecord> = {}): ShareRecord {
  return {
    login: LOGIN,
    worker: "rig1",
    height: 100,
    nonce: "0x" + n.toString(16).padStart(16, "0"),
    headerHash: "0x" + "ab".repeat(32),
    mix: "0x" + "cd".repeat(32),
    difficulty: 2_000_000_000n,
    ...change,
  };
}

function candidate(n: number, change: Partial<CandidateRecord> = {}): CandidateRecord {
  return { ...share(n), blockDifficulty: 155_381_888_059_095n, ...change };
}

async function withStore(
  test: (deps: RecordDeps, redis: TestRedis) => Promise<void>,
): Promise<void> {
  await using redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  try {
    await test({ store, keys, clock: new FakeClock(), hashrateExpirationSeconds: 10_800 }, redis);
  } finally {
    await store.close();
  }
}

async function everything(store: Store): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const key of (await store.command("KEYS", "*") as string[]).sort()) {
    all[key] = await store.command("DUMP", key);
  }
  return all;
}

Deno.test("recordShares() credits each share once and writes open-ethereum-pool's keys", async () => {
  await withStore(async (deps) => {
    const shares = [share(1), share(2, { login: OTHER }), share(1), share(3, { worker: "rig2" })];
    assert.deepEqual(await recordShares(deps, "a:1", shares), [
      "credited",
      "credited",
      "duplicate",
      "credited",
    ]);
    const { store } = deps;
    assert.deepEqual(recordOf(await store.command("HGETALL", keys.roundCurrent())), {
      [LOGIN]: "4000000000",
      [OTHER]: "2000000000",
    });
    assert.equal(await store.command("HGET", keys.stats(), "roundShares"), "6000000000");
    assert.equal(await store.command("ZCARD", keys.pow()), 3);
    assert.equal(
      await store.command(
        "ZSCORE",
        keys.pow(),
        `${share(1).nonce}:${share(1).headerHash}:${share(1).mix}`,
      ),
      "100",
    );
    assert.equal(await store.command("HGET", keys.miner(LOGIN), "lastShare"), "1700000000");
    assert.ok(Number(await store.command("TTL", keys.own.bucket(1_699_999_920))) > 10_800);
  });
});

Deno.test("recordShares() gives the same fates for the same batch and writes nothing", async () => {
  await withStore(async (deps) => {
    const first = await recordShares(deps, "a:1", [share(1), share(2)]);
    const before = await everything(deps.store);
    assert.deepEqual(await recordShares(deps, "a:1", [share(1), share(2)]), first);
    assert.deepEqual(await everything(deps.store), before);
    assert.deepEqual(await recordShares(deps, "a:2", [share(1), share(2)]), [
      "duplicate",
      "duplicate",
    ]);
  });
});

Deno.test("recordShares() writes nothing when a later value would fail", async () => {
  await withStore(async (deps) => {
    await deps.store.command("HSET", keys.roundCurrent(), OTHER, "12.5");
    const before = await everything(deps.store);
    await assert.rejects(
      recordShares(deps, "a:1", [share(1), share(2, { login: OTHER })]),
      (error) => error instanceof StoreError && error.fate === "refused",
    );
    await deps.store.command("SET", keys.miner(OTHER), "not a hash");
    await assert.rejects(recordShares(deps, "a:2", [share(1), share(2, { login: OTHER })]));
    await deps.store.command("DEL", keys.miner(OTHER));
    assert.deepEqual(await everything(deps.store), before);
  });
});

Deno.test("recordShares() adds difficulties exactly beyond 2^53", async () => {
  await withStore(async (deps) => {
    await deps.store.command("HSET", keys.roundCurrent(), LOGIN, "9007199254740993");
    await recordShares(deps, "a:1", [share(1, { difficulty: 2n })]);
    assert.equal(await deps.store.command("HGET", keys.roundCurrent(), LOGIN), "9007199254740995");
  });
});

Deno.test("recordShares() calls shares stale seven heights below the highest and trims eight", async () => {
  await withStore(async (deps) => {
    const at = (n: number, height: number) => share(n, { height });
    await recordShares(deps, "a:1", [at(1, 3), at(2, 10), at(3, 94)]);
    assert.deepEqual(
      await recordShares(deps, "a:2", [at(4, 100), at(5, 93), at(6, 94), at(3, 94)]),
      [
        "credited",
        "stale",
        "credited",
        "duplicate",
      ],
    );
    assert.equal(await deps.store.command("ZCOUNT", keys.pow(), "-inf", "92"), 0);
    assert.equal(await deps.store.command("ZCOUNT", keys.pow(), "93", "+inf"), 3);
  });
});

Deno.test("recordShares() keeps the duplicate set of a chain below height 8", async () => {
  await withStore(async (deps) => {
    await recordShares(deps, "a:1", [share(1, { height: 1 })]);
    assert.deepEqual(
      await recordShares(deps, "a:2", [share(2, { height: 2 }), share(1, { height: 1 })]),
      [
        "credited",
        "duplicate",
      ],
    );
  });
});

Deno.test("recordCandidate() closes the round once, whatever is asked again", async () => {
  await withStore(async (deps) => {
    await recordShares(deps, "a:1", [share(1), share(2, { login: OTHER })]);
    assert.equal(await recordCandidate(deps, "a:c1", candidate(9), 1_700_000_001), "recorded");
    const after = await everything(deps.store);
    assert.equal(await recordCandidate(deps, "a:c1", candidate(9), 1_700_000_001), "recorded");
    assert.deepEqual(await everything(deps.store), after);
    assert.equal(await recordCandidate(deps, "b:c1", candidate(9), 1_700_000_002), "duplicate");
    const { store } = deps;
    const round = recordOf(await store.command("HGETALL", keys.round(100, candidate(9).nonce)));
    assert.deepEqual(round, { [LOGIN]: "4000000000", [OTHER]: "2000000000" });
    const { nonce, headerHash, mix } = candidate(9);
    assert.deepEqual(await store.command("ZRANGE", keys.candidates(), "0", "-1", "WITHSCORES"), [
      `${nonce}:${headerHash}:${mix}:1700000001:155381888059095:6000000000`,
      "100",
    ]);
    assert.deepEqual(recordOf(await store.command("HGETALL", keys.stats())), {
      lastBlockFound: "1700000001",
    });
    assert.equal(await store.command("ZSCORE", keys.finders(), LOGIN), "1");
    assert.equal(await store.command("HGET", keys.miner(LOGIN), "blocksFound"), "1");
    assert.equal(await store.command("EXISTS", keys.roundCurrent()), 0);
  });
});

Deno.test("recordCandidate() never wipes a round key that exists already", async () => {
  await withStore(async (deps) => {
    const round = keys.round(100, candidate(9).nonce);
    await deps.store.command("HSET", round, OTHER, "77");
    await recordShares(deps, "a:1", [share(1)]);
    assert.equal(await recordCandidate(deps, "a:c1", candidate(9), 1_700_000_001), "roundExists");
    assert.deepEqual(recordOf(await deps.store.command("HGETALL", round)), { [OTHER]: "77" });
    assert.equal(
      integerOf(await deps.store.command("HGET", keys.roundCurrent(), LOGIN), "share"),
      2_000_000_000n,
    );
  });
});

Deno.test("recordCandidate() records an old candidate that the journal replays late", async () => {
  await withStore(async (deps) => {
    await recordShares(deps, "a:1", [share(1, { height: 500 })]);
    assert.equal(await recordCandidate(deps, "a:c1", candidate(9), 1_700_000_001), "recorded");
  });
});

Deno.test("openRecorder() asks again for a lost reply and credits once", async () => {
  await withStore(async (deps) => {
    const dir = await Deno.makeTempDir();
    const journal = await openJournal<JournalEntry>(`${dir}/shares.journal`);
    let losses = 2;
    const flaky: Store = {
      ...deps.store,
      ready: true,
      async script(script, scriptKeys, args) {
        const reply = await deps.store.script(script, scriptKeys, args);
        if (losses-- > 0) throw new StoreError("Redis gave no answer to EVALSHA", "unknown");
        return reply;
      },
    };
    const recorder = openRecorder({
      ...deps,
      ...{ store: flaky, clock: systemClock, runId: "run", journal, log: silentLogger },
    });
    await new Promise((resolve) => setTimeout(resolve, 0));
    const fates = await Promise.all([recorder.record(share(1)), recorder.record(share(2))]);
    assert.equal(fates[0], "credited");
    assert.ok(fates[1] === "away" || fates[1] === "credited");
    assert.equal(
      await deps.store.command("HGET", keys.roundCurrent(), LOGIN),
      fates[1] === "away" ? "2000000000" : "4000000000",
    );
    assert.deepEqual(journal.open(), []);
    await recorder.close();
    await journal.close();
    await Deno.remove(dir, { recursive: true });
  });
});

Deno.test("openRecorder() replays what a crash left in the journal, once", async () => {
  await withStore(async (deps) => {
    const dir = await Deno.makeTempDir();
    const path = `${dir}/shares.journal`;
    const left = await openJournal<JournalEntry>(path);
    await left.append({ id: "old:1", kind: "shares", shares: [share(1), share(2)] });
    await left.append({
      id: "old:c2",
      kind: "candidate",
      candidate: candidate(9),
      foundAtSeconds: 5,
    });
    await left.close();
    // The first batch had reached Redis before the crash, the candidate had not.
    await recordShares(deps, "old:1", [share(1), share(2)]);
    await Deno.writeTextFile(path, `{"id":"torn`, { append: true });
    const journal = await openJournal<JournalEntry>(path);
    const lines: string[] = [];
    const recorder = openRecorder({
      ...deps,
      ...{ clock: systemClock, runId: "new", journal },
      log: createLogger((record) => lines.push(record.event), "test"),
    });
    assert.equal(await recorder.record(share(3)), "away");
    while (!recorder.healthy) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await recorder.record(share(3)), "credited");
    await recorder.close();
    await journal.close();
    assert.deepEqual(lines, ["journal.replay", "journal.replay"]);
    const round = recordOf(
      await deps.store.command("HGETALL", keys.round(100, candidate(9).nonce)),
    );
    assert.deepEqual(round, { [LOGIN]: "6000000000" });
    const again = await openJournal<JournalEntry>(path);
    assert.deepEqual(again.open(), []);
    await again.close();
    await Deno.remove(dir, { recursive: true });
  });
});

Deno.test("openRecorder() tells the truth when the journal cannot write that it is done", async () => {
  await withStore(async (deps) => {
    const dir = await Deno.makeTempDir();
    const path = `${dir}/shares.journal`;
    const left = await openJournal<JournalEntry>(path);
    await left.append({ id: "old:1", kind: "shares", shares: [share(1)] });
    await left.close();
    const file = await openJournal<JournalEntry>(path);
    const journal = { ...file, done: () => Promise.reject(new Error("No space left on device")) };
    const recorder = openRecorder({
      ...{ ...deps, clock: systemClock, runId: "new", journal, log: silentLogger },
    });
    await recorder.replayed;
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(recorder.healthy, true);
    assert.equal(await recorder.recordCandidate(candidate(9)), "recorded");
    assert.equal(await recorder.record(share(2)), "credited");
    await recorder.close();
    await file.close();
    await Deno.remove(dir, { recursive: true });
  });
});

Deno.test("openRecorder() refuses shares while Redis is away and records them when it is back", {
  sanitizeOps: false,
  sanitizeResources: false,
}, async () => {
  const dir = await Deno.makeTempDir();
  let redis = await startRedis({ dir, durable: true });
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const journal = await openJournal<JournalEntry>(`${dir}/shares.journal`);
  const recorder = openRecorder({
    ...{ store, keys, clock: systemClock, runId: "run", journal, log: silentLogger },
    hashrateExpirationSeconds: 10_800,
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(await recorder.record(share(1)), "credited");
  await redis.kill();
  while (store.ready) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(recorder.healthy, false);
  assert.equal(await recorder.record(share(2)), "away");
  redis = await startRedis({ dir, durable: true });
  while (!recorder.healthy) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await recorder.record(share(2)), "credited");
  assert.equal(await recorder.record(share(1)), "duplicate");
  await recorder.close();
  await journal.close();
  await store.close();
  await redis.kill();
  await Deno.remove(dir, { recursive: true });
});
