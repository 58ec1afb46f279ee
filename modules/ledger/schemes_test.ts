/** Books of prop, pplns and solo shares on a real server: who is credited where, and who is not. */
import assert from "node:assert/strict";
import { FakeClock, silentLogger, systemClock } from "../base/mod.ts";
import { startRedis } from "../../tests/support/redis.ts";
import { readRoundScheme } from "./blocks.ts";
import { openJournal } from "./journal.ts";
import { createKeys } from "./keys.ts";
import { type JournalEntry, openRecorder } from "./recorder.ts";
import { openStore, recordOf, type Store, StoreError } from "./redis.ts";
import {
  type CandidateRecord,
  recordCandidate,
  type RecordDeps,
  recordShares,
  type ShareRecord,
} from "./share_record.ts";

const A = "0x" + "0a".repeat(20), B = "0x" + "0b".repeat(20), C = "0x" + "0c".repeat(20);
const SCHEMES = ["prop", "pplns", "solo"] as const;
const FOUND_AT = 1_700_000_009;
const keys = createKeys("{etc}");

function share(n: number, change: Partial<ShareRecord> = {}): CandidateRecord {
  const nonce = "0x" + n.toString(16).padStart(16, "0");
  const [headerHash, mix] = ["0x" + "ab".repeat(32), "0x" + "cd".repeat(32)];
  return {
    ...{ login: A, worker: "rig", height: 100, nonce, headerHash, mix, difficulty: 1_000n },
    ...{ scheme: "prop", ...change, blockDifficulty: 1_000_000n },
  };
}

interface Bench {
  deps: RecordDeps;
  store: Store;
  hash(key: string): Promise<Record<string, string>>;
}

async function withStore(work: (bench: Bench) => Promise<void>): Promise<void> {
  await using redis = await startRedis();
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  const deps = {
    ...{ store, keys, clock: new FakeClock(), hashrateExpirationSeconds: 10_800 },
    pplnsWindowMilli: 2_000n,
  };
  const hash = async (key: string) => recordOf(await store.command("HGETALL", key));
  await work({ deps, store, hash }).finally(() => store.close());
}

async function everything(store: Store): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const key of (await store.command("KEYS", "*") as string[]).sort()) {
    all[key] = await store.command("DUMP", key);
  }
  return all;
}

/** Two miners' shares by each scheme, in one batch: A 1000 each, B 5 by prop, 6 by pplns, 7 solo. */
function mixed(from = 1): ShareRecord[] {
  return [
    ...SCHEMES.map((scheme, i) => share(from + i, { scheme })),
    ...SCHEMES.map((scheme, i) =>
      share(from + 3 + i, { scheme, login: B, difficulty: BigInt(5 + i) })
    ),
  ];
}

Deno.test("recordShares() keeps the schemes of one batch apart and counts all for the hashrate", async () => {
  await withStore(async ({ deps, store, hash }) => {
    await recordShares(deps, "a:1", mixed());
    assert.deepEqual(await hash(keys.roundCurrent()), { [A]: "1000", [B]: "5" });
    assert.deepEqual(await hash(keys.own.pplnsSums()), { [A]: "1000", [B]: "6" });
    assert.deepEqual(await hash(keys.own.solo()), { [A]: "1000", [B]: "7" });
    assert.deepEqual(await hash(`${keys.own.pplnsSlicePrefix()}1`), { [A]: "1000", [B]: "6" });
    const state = { first: "1", open: "1", total: "1006", s1: "1006" };
    assert.deepEqual(await hash(keys.own.pplns()), state);
    assert.equal(await store.command("HGET", keys.stats(), "roundShares"), "2011");
    const bucket = await hash(keys.own.bucket(1_699_999_920));
    assert.equal(bucket[`${A}:rig`], "3000");
    assert.equal(bucket[`${B}:rig`], "18");
    assert.equal(await store.command("HGET", keys.miner(B), "lastShare"), "1700000000");
    // All that is new lies below the pool's own prefix, braces included: one slot of a cluster.
    for (const key of await store.command("KEYS", "*") as string[]) {
      assert.match(key, /^\{etc\}:(quarry:|pow|shares:roundCurrent|stats|miners:)/);
    }
  });
});

Deno.test("recordShares() counts nothing of duplicates and stale shares, by any scheme", async () => {
  await withStore(async ({ deps, store, hash }) => {
    await recordShares(deps, "a:1", mixed());
    const books = async () => [
      ...[await hash(keys.roundCurrent()), await hash(keys.own.solo())],
      ...[await hash(keys.own.pplns()), await hash(keys.own.pplnsSums())],
      await store.command("HGET", keys.stats(), "roundShares"),
    ];
    const before = await books();
    const late = SCHEMES.map((scheme, i) => share(20 + i, { scheme, height: 93 }));
    const fates = await recordShares(deps, "a:2", [...mixed(), ...late]);
    assert.deepEqual(fates, [...Array(6).fill("duplicate"), ...Array(3).fill("stale")]);
    assert.deepEqual(await books(), before);
    // Among them one that counts, of the largest difficulty there is, so that sums pass 2^53.
    const large = SCHEMES.flatMap((scheme, i) =>
      Array.from(
        { length: 12 },
        (_, n) => share(100 + 20 * i + n, { scheme, login: C, difficulty: 999_999_999_999_999n }),
      )
    );
    await recordShares(deps, "a:3", [...mixed(), ...large, ...late]);
    const sum = String(12n * 999_999_999_999_999n);
    assert.deepEqual(await hash(keys.own.solo()), { [A]: "1000", [B]: "7", [C]: sum });
    assert.deepEqual(await hash(keys.own.pplnsSums()), { [A]: "1000", [B]: "6", [C]: sum });
    assert.equal(
      await store.command("HGET", keys.own.pplns(), "total"),
      String(BigInt(sum) + 1006n),
    );
    const shared = await store.command("HGET", keys.stats(), "roundShares");
    assert.equal(shared, String(2n * BigInt(sum) + 2011n));
  });
});

Deno.test("recordCandidate() pays by the finder's scheme and leaves the other schemes alone", async () => {
  const rounds = {
    prop: { [A]: "1000", [B]: "5", [C]: "100" },
    pplns: { [A]: "1000", [B]: "6", [C]: "100" },
    solo: { [C]: "100" },
  };
  for (const scheme of SCHEMES) {
    await withStore(async ({ deps, store, hash }) => {
      await recordShares(deps, "a:1", mixed());
      const found = share(9, { scheme, login: C, difficulty: 100n });
      assert.equal(await recordCandidate(deps, "a:c", found, FOUND_AT), "recorded");
      assert.deepEqual(await hash(keys.round(100, found.nonce)), rounds[scheme]);
      const total = { prop: 1105, pplns: 1106, solo: 100 }[scheme];
      assert.deepEqual(await store.command("ZRANGE", keys.candidates(), "0", "-1"), [
        `${found.nonce}:${found.headerHash}:${found.mix}:${FOUND_AT}:1000000:${total}`,
      ]);
      const at = { height: 100, uncleHeight: 0, nonce: found.nonce };
      assert.equal(await readRoundScheme(deps, at), scheme);
      assert.equal(await readRoundScheme(deps, { ...at, height: 102, uncleHeight: 100 }), scheme);
      assert.deepEqual(
        await hash(keys.roundCurrent()),
        scheme === "prop" ? {} : { [A]: "1000", [B]: "5" },
      );
      assert.deepEqual(await hash(keys.own.solo()), { [A]: "1000", [B]: "7" });
      const window = scheme === "pplns" ? rounds.pplns : { [A]: "1000", [B]: "6" };
      assert.deepEqual(await hash(keys.own.pplnsSums()), window);
      assert.deepEqual(await hash(keys.stats()), {
        lastBlockFound: String(FOUND_AT),
        ...(scheme === "solo" ? { roundShares: "2011" } : {}),
      });
      assert.equal(await store.command("ZSCORE", keys.finders(), C), "1");
      assert.deepEqual(await hash(keys.miner(C)), { blocksFound: "1", lastShare: `${FOUND_AT}` });
      assert.equal((await hash(keys.own.bucket(FOUND_AT - FOUND_AT % 120)))[`${C}:rig`], "100");

      // The same call, and the same block by another one, change nothing.
      const after = await everything(store);
      assert.equal(await recordCandidate(deps, "a:c", found, FOUND_AT), "recorded");
      assert.deepEqual(await everything(store), after);
      assert.equal(await recordCandidate(deps, "b:c", found, FOUND_AT), "duplicate");
      delete after[keys.own.batch("b:c")];
      const twice = await everything(store);
      delete twice[keys.own.batch("b:c")];
      assert.deepEqual(twice, after);
    });
  }
});

Deno.test("recordCandidate() pays a solo miner all of its effort, once, and a window again and again", async () => {
  await withStore(async ({ deps, hash }) => {
    await recordShares(deps, "a:1", [...mixed(1), ...mixed(11)]);
    await recordCandidate(deps, "a:c1", share(31, { scheme: "solo" }), FOUND_AT);
    assert.deepEqual(await hash(keys.round(100, share(31).nonce)), { [A]: "3000" });
    await recordCandidate(deps, "a:c2", share(32, { scheme: "solo" }), FOUND_AT);
    assert.deepEqual(await hash(keys.round(100, share(32).nonce)), { [A]: "1000" });
    assert.deepEqual(await hash(keys.own.solo()), { [B]: "14" });
    await recordCandidate(deps, "a:c3", share(33, { scheme: "pplns" }), FOUND_AT);
    await recordCandidate(deps, "a:c4", share(34, { scheme: "pplns" }), FOUND_AT);
    assert.deepEqual(await hash(keys.round(100, share(33).nonce)), { [A]: "3000", [B]: "12" });
    assert.deepEqual(await hash(keys.round(100, share(34).nonce)), { [A]: "4000", [B]: "12" });
    await recordCandidate(deps, "a:c5", share(35), FOUND_AT);
    assert.deepEqual(await hash(keys.round(100, share(35).nonce)), { [A]: "3000", [B]: "10" });
  });
});

Deno.test("recordShares() and recordCandidate() refuse by any scheme before they write anything", async () => {
  const slice = `${keys.own.pplnsSlicePrefix()}1`;
  const troubles: [what: string, scheme: ShareRecord["scheme"], command: string[]][] = [
    ["a solo counter of text", "solo", ["HSET", keys.own.solo(), A, "1.5"]],
    ["solo of the wrong type", "solo", ["SET", keys.own.solo(), "x"]],
    ["a sum of text", "pplns", ["HSET", keys.own.pplnsSums(), A, "1e3"]],
    ["a slice of text", "pplns", ["HSET", slice, A, "x"]],
    ["a slice of the wrong type", "pplns", ["SET", slice, "x"]],
    ["a window of the wrong type", "pplns", ["SET", keys.own.pplns(), "x"]],
    ["a total of text", "pplns", ["HSET", keys.own.pplns(), "total", "many"]],
    ["a slice's number of text", "pplns", ["HSET", keys.own.pplns(), "open", "one"]],
    ["a slice's total of text", "pplns", ["HSET", keys.own.pplns(), "s1", "x"]],
    ["a slice without total", "pplns", ["HSET", keys.own.pplns(), "open", "2", "total", "9999999"]],
    ["a scheme that there is not", "pps" as "prop", ["PING"]],
  ];
  for (const [what, scheme, command] of troubles) {
    await withStore(async ({ deps, store }) => {
      await store.command(...command);
      const before = await everything(store);
      const refused = (error: unknown) => error instanceof StoreError && error.fate === "refused";
      const batch = [share(1, { scheme: "prop", login: B }), share(2, { scheme })];
      await assert.rejects(recordShares(deps, "a:1", batch), refused, what);
      await assert.rejects(recordCandidate(deps, "a:c", share(3, { scheme }), 1), refused, what);
      assert.deepEqual(await everything(store), before, what);
      // What others mine is none of their business.
      if (command[0] !== "PING" && !command.includes("SET")) {
        assert.deepEqual(await recordShares(deps, "a:2", [share(4)]), ["credited"]);
      }
    });
  }
});

Deno.test("recordCandidate() never writes over a round that exists, by any scheme", async () => {
  for (const scheme of SCHEMES) {
    await withStore(async ({ deps, store, hash }) => {
      await recordShares(deps, "a:1", mixed());
      const round = keys.round(100, share(9).nonce);
      await store.command("HSET", round, C, "77");
      const before = await everything(store);
      assert.equal(await recordCandidate(deps, "a:c", share(9, { scheme }), 1), "roundExists");
      assert.deepEqual(await hash(round), { [C]: "77" });
      const after = await everything(store);
      delete after[keys.own.batch("a:c")];
      assert.deepEqual(after, before);
    });
  }
});

Deno.test("openRecorder() replays shares and blocks by their scheme, and as prop without one", async () => {
  await withStore(async ({ deps, hash }) => {
    const dir = await Deno.makeTempDir();
    const path = `${dir}/shares.journal`;
    const left = await openJournal<JournalEntry>(path);
    await left.append({ id: "old:1", kind: "shares", shares: mixed() });
    const { scheme: _, blockDifficulty: __, ...older } = share(20, { login: C });
    await left.append({ id: "old:2", kind: "shares", shares: [older] });
    const found = { kind: "candidate" as const, foundAtSeconds: FOUND_AT };
    const solo = share(21, { scheme: "solo" }), pplns = share(22, { scheme: "pplns", login: C });
    await left.append({ id: "old:c3", candidate: solo, ...found });
    await left.append({ id: "old:c4", candidate: pplns, ...found });
    await left.close();
    // The first batch and the solo block had reached Redis when the process died.
    await recordShares(deps, "old:1", mixed());
    await recordCandidate(deps, "old:c3", solo, FOUND_AT);
    for (const runId of ["new", "newer"]) {
      const journal = await openJournal<JournalEntry>(path);
      const recorder = openRecorder({
        ...{ ...deps, clock: systemClock, runId, journal, log: silentLogger },
      });
      await recorder.replayed;
      assert.deepEqual(journal.open(), []);
      await recorder.close();
      await journal.close();
    }
    assert.deepEqual(await hash(keys.roundCurrent()), { [A]: "1000", [B]: "5", [C]: "1000" });
    assert.deepEqual(await hash(keys.own.solo()), { [B]: "7" });
    assert.deepEqual(await hash(keys.round(100, solo.nonce)), { [A]: "2000" });
    const window = { [A]: "1000", [B]: "6", [C]: "1000" };
    assert.deepEqual(await hash(keys.round(100, pplns.nonce)), window);
    assert.deepEqual(await hash(keys.own.pplnsSums()), window);
    await Deno.remove(dir, { recursive: true });
  });
});

Deno.test("openRecorder() keeps a pplns batch whose reply was lost, once", async () => {
  await withStore(async ({ deps, hash }) => {
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
      ...{ ...deps, store: flaky, clock: systemClock, runId: "run", journal, log: silentLogger },
    });
    await recorder.replayed;
    while (!recorder.healthy) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(await recorder.record(share(1, { scheme: "pplns" })), "credited");
    assert.deepEqual(await hash(keys.own.pplnsSums()), { [A]: "1000" });
    losses = 1;
    assert.equal(await recorder.recordCandidate(share(2, { scheme: "pplns" })), "recorded");
    assert.deepEqual(await hash(keys.own.pplnsSums()), { [A]: "2000" });
    assert.deepEqual(await hash(keys.round(100, share(2).nonce)), { [A]: "2000" });
    await recorder.close();
    await journal.close();
    await Deno.remove(dir, { recursive: true });
  });
});
