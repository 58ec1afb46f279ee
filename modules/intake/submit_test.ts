/** The corridor: what is recorded, what is answered, and what a closing process says (nothing). */
import assert from "node:assert/strict";
import { bytesToBigInt, FakeClock, silentLogger, targetOf } from "../base/mod.ts";
import type { Recorder, ShareRecord } from "../ledger/mod.ts";
import { sampleMeters } from "../metrics/mod.ts";
import { Policy } from "../policy/mod.ts";
import { REJECTIONS, SeenNonces, type Submission } from "../share/mod.ts";
import { JobBook, jobOf } from "../work/mod.ts";
import type { RejectedShare } from "./rejected_log.ts";
import { type SubmitDeps, submitShare } from "./submit.ts";

const HEADER = "0x" + "ab".repeat(32);
const TERMS = { scheme: "prop" as const, difficulty: 1_000n, target: targetOf(1_000n) };
const SUBMISSION: Submission = {
  ...{ login: "0x" + "11".repeat(20), worker: "rig1", ip: "10.0.0.1", headerHash: HEADER },
  ...{ nonce: "0x0000000000000001", mix: "0x" + "cd".repeat(32) },
};

async function counted(name: string): Promise<number> {
  const found = (await sampleMeters()).find((metric) => metric.name === name);
  return found!.values[0]!.value;
}

function setup(result: bigint, recorder: Partial<Recorder> = {}) {
  const jobs = new JobBook();
  const target = targetOf(1_000_000n);
  jobs.add(jobOf({ headerHash: HEADER, seedHash: HEADER, target, height: 42 }, "node", 0));
  const recorded: ShareRecord[] = [];
  const done: string[] = [];
  const rejected: RejectedShare[] = [];
  const deps: SubmitDeps = {
    ...{ jobs, seen: new SeenNonces(), log: silentLogger },
    hasher: {
      hash: () => Promise.resolve({ mix: new Uint8Array(32).fill(0xcd), result }),
      hashClaim: (_height, _header, _nonce, claim) =>
        Promise.resolve(
          result > bytesToBigInt(claim.target)
            ? undefined
            : { mix: new Uint8Array(32).fill(0xcd), result },
        ),
      isBusy: () => false,
    },
    policy: new Policy({
      banning: {
        ...{ enabled: true, timeoutMs: 1_000, invalidPercent: 50, checkThreshold: 2 },
        malformedLimit: 5,
      },
      limits: { enabled: false, limit: 0, graceMs: 0, limitJump: 0 },
      resetIntervalMs: 1_000,
    }, new FakeClock()),
    recorder: {
      healthy: true,
      replayed: Promise.resolve(),
      record(share) {
        recorded.push(share);
        return Promise.resolve("credited");
      },
      recordCandidate(share) {
        recorded.push(share);
        done.push("recorded");
        return Promise.resolve("recorded");
      },
      close: () => Promise.resolve(),
      ...recorder,
    },
    async submitWork() {
      done.push("submitted");
      await Promise.resolve();
      return [{ node: "a", accepted: false, tookMs: 1 }, { node: "b", error: "down", tookMs: 2 }];
    },
    noteAnswer(_candidate, node, answer) {
      done.push(`${node} ${answer}`);
      return Promise.resolve();
    },
    rule: { algorithm: "ethash" },
    rejectedLog: {
      add(share) {
        rejected.push(share);
        return `r-${rejected.length}`;
      },
      close: () => Promise.resolve(),
    },
    counters: { accepted: 0, candidates: 0, rejected: {} },
  };
  return { deps, recorded, done, rejected };
}

Deno.test("submitShare() records a share at its job's height with the difficulty it was sent for", async () => {
  const { deps, recorded } = setup(TERMS.target);
  assert.deepEqual(await submitShare(deps, SUBMISSION, TERMS), {
    ...{ accepted: true, candidate: false, banned: false },
  });
  const { login, worker, nonce, headerHash } = SUBMISSION;
  const mix = "0x" + "cd".repeat(32);
  assert.deepEqual(recorded, [
    {
      ...{ login, worker, nonce, headerHash, mix, height: 42, difficulty: 1_000n },
      ...{ scheme: "prop", blockDifficulty: 1_000_000n },
    },
  ]);
  assert.equal(deps.counters.accepted, 1);
});

Deno.test("submitShare() records shares and blocks by the scheme that their job was sent with", async () => {
  for (const scheme of ["prop", "pplns", "solo"] as const) {
    for (const result of [TERMS.target, 1n]) {
      const { deps, recorded } = setup(result);
      await submitShare(deps, SUBMISSION, { ...TERMS, scheme });
      assert.deepEqual(recorded.map((record) => record.scheme), [scheme]);
      assert.equal(recorded[0]!.blockDifficulty, 1_000_000n);
    }
  }
});

Deno.test("submitShare() hands a block to the nodes and the ledger and believes neither's answer", async () => {
  const { deps, done } = setup(1n);
  const outcome = await submitShare(deps, SUBMISSION, TERMS);
  assert.deepEqual(outcome, { accepted: true, candidate: true, banned: false });
  while (done.length < 4) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(done, ["submitted", "recorded", "a false", "b error: down"]);
});

Deno.test("submitShare() counts a block that no node took, and only such a block", async () => {
  const refused = () => counted("quarry_candidates_refused_total");
  const before = await refused();
  for (const [answers, more] of [[[true, false], 0], [[false, undefined], 1], [[], 2]] as const) {
    const { deps } = setup(1n);
    deps.submitWork = () =>
      Promise.resolve(answers.map((accepted, i) => ({ node: `n${i}`, accepted, tookMs: 1 })));
    await submitShare(deps, SUBMISSION, TERMS);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(await refused() - before, more);
  }
});

Deno.test("each verdict is counted from zero on", async () => {
  const [shares] = (await sampleMeters()).filter(({ name }) => name === "quarry_shares_total");
  const verdicts = new Set(shares!.values.map(({ labels }) => labels["verdict"]));
  assert.deepEqual(verdicts, new Set(["accepted", ...Object.keys(REJECTIONS)]));
});

Deno.test("submitShare() refuses honestly while storage is away, and takes the share later", async () => {
  let away = true;
  const { deps } = setup(TERMS.target, {
    record: () => Promise.resolve(away ? "away" : "credited"),
  });
  const refused = await submitShare(deps, SUBMISSION, TERMS);
  assert.deepEqual(refused, { accepted: false, rejection: "away", banned: false });
  away = false;
  assert.equal((await submitShare(deps, SUBMISSION, TERMS))?.accepted, true);
});

Deno.test("submitShare() hands a block to nodes and journal even while storage is away", async () => {
  const away = { healthy: false, record: () => Promise.resolve("away" as const) };
  const { deps, done } = setup(1n, away);
  const outcome = await submitShare(deps, SUBMISSION, TERMS);
  assert.deepEqual(done.slice(0, 2), ["submitted", "recorded"]);
  assert.equal(outcome?.accepted, true);
  const share = setup(TERMS.target, away);
  const refused = await submitShare(share.deps, SUBMISSION, TERMS);
  assert.deepEqual(refused, { accepted: false, rejection: "away", banned: false });
});

Deno.test("submitShare() says nothing when the process closes before the fate is known", async () => {
  const closing = () => Promise.reject(new Error("recorder closed"));
  const share = setup(TERMS.target, { record: closing });
  assert.equal(await submitShare(share.deps, SUBMISSION, TERMS), undefined);
  const block = setup(1n, { recordCandidate: closing });
  assert.equal(await submitShare(block.deps, SUBMISSION, TERMS), undefined);
});

Deno.test("submitShare() bans for invalid shares and never for stale or refused ones", async () => {
  const { deps } = setup(TERMS.target + 1n);
  for (let n = 0; n < 20; n++) {
    const unknown = { ...SUBMISSION, headerHash: "0x" + "00".repeat(32) };
    assert.equal((await submitShare(deps, unknown, TERMS))?.banned, false);
  }
  await submitShare(deps, SUBMISSION, TERMS);
  const second = await submitShare(deps, { ...SUBMISSION, nonce: "0x0000000000000002" }, TERMS);
  assert.deepEqual(second, { accepted: false, rejection: "lowDifficulty", banned: true });
});

Deno.test("submitShare() logs a rejected share with all that looking at it again needs", async () => {
  const { deps, rejected } = setup(TERMS.target + 1n);
  await submitShare(deps, SUBMISSION, TERMS);
  const { login, worker, nonce, headerHash, mix } = SUBMISSION;
  assert.deepEqual(rejected, [{
    ...{ algorithm: "ethash", login, worker, nonce, headerHash, mix, height: 42 },
    ...{ rejection: "lowDifficulty", difficulty: "1000" },
  }]);
});

Deno.test("submitShare() counts by the scheme that the ledger names, and nothing while it does not", async () => {
  for (
    const [result, settled, expected] of [
      [1n << 242n, Promise.resolve("solo" as const), "solo"],
      [1n << 242n, Promise.reject(new Error("away")), undefined],
      [1n, Promise.resolve("solo" as const), "solo"],
      // A block is recorded whatever happens, by the pool's own scheme then.
      [1n, Promise.reject(new Error("away")), "prop"],
    ] as const
  ) {
    const { deps, recorded, done } = setup(result);
    const outcome = await submitShare(deps, SUBMISSION, { ...TERMS, settled });
    assert.deepEqual(recorded.map(({ scheme }) => scheme), expected ? [expected] : []);
    assert.equal(outcome!.accepted, expected !== undefined);
    if (result === 1n) assert.ok(done.includes("recorded"));
    if (outcome?.accepted === false) {
      assert.equal(outcome.rejection, "away");
      assert.equal(deps.seen.has(HEADER, SUBMISSION.nonce), false, "it may come again");
    }
  }
});
