/** Each verdict by table, and the order of the checks by what they cost. */
import assert from "node:assert/strict";
import { bytesToBigInt, targetOf } from "../base/mod.ts";
import { JobBook, jobOf } from "../work/mod.ts";
import { judge, type JudgeDeps } from "./judge.ts";
import { SeenNonces } from "./seen.ts";
import { readClaim, type Submission } from "./submission.ts";

const HEADER = "0x" + "ab".repeat(32);
const MIX = new Uint8Array(32).fill(0xcd);
const SHARE_TARGET = targetOf(1_000n);
const BLOCK_TARGET = targetOf(1_000_000n);

class BusyError extends Error {}

/** A hasher whose result and claimed result are given, and which counts its calls. */
function setup(result: bigint, claimed = result) {
  const jobs = new JobBook();
  const work = { headerHash: HEADER, seedHash: HEADER, target: BLOCK_TARGET, height: 30_000 };
  jobs.add(jobOf(work, "node", 0));
  const calls: string[] = [];
  const deps: JudgeDeps = {
    jobs,
    seen: new SeenNonces(),
    hasher: {
      hash(height, _header, nonce) {
        calls.push(`hash ${height} ${nonce}`);
        return Promise.resolve({ mix: MIX, result });
      },
      hashClaim(height, _header, nonce, claim) {
        assert.equal(claim.mix.length, 32);
        const passes = claimed <= bytesToBigInt(claim.target);
        calls.push(passes ? `hash ${height} ${nonce}` : "filter");
        return Promise.resolve(passes ? { mix: MIX, result } : undefined);
      },
      isBusy: (error) => error instanceof BusyError,
    },
  };
  return { deps, calls, jobs };
}

function submission(change: Partial<Submission> = {}): Submission {
  return {
    ...{ login: "0x" + "11".repeat(20), worker: "rig1", ip: "10.0.0.1", headerHash: HEADER },
    ...{ nonce: "0x00000000000000ff", mix: "0x" + "cd".repeat(32) },
    ...change,
  };
}

Deno.test("judge() calls a result valid up to the share target and a candidate up to the block's", async () => {
  for (
    const [result, kind, candidate] of [
      [SHARE_TARGET, "valid", false],
      [SHARE_TARGET + 1n, "lowDifficulty", undefined],
      [BLOCK_TARGET + 1n, "valid", false],
      [BLOCK_TARGET, "valid", true],
      [0n, "valid", true],
    ] as const
  ) {
    const { deps } = setup(result);
    const verdict = await judge(deps, submission(), SHARE_TARGET);
    assert.equal(verdict.kind, kind);
    if (verdict.kind === "valid") assert.equal(verdict.share.candidate, candidate);
  }
});

Deno.test("judge() hashes at the job's height with the nonce as sent", async () => {
  const { deps, calls } = setup(0n);
  await judge(deps, submission(), SHARE_TARGET);
  assert.deepEqual(calls, ["hash 30000 255"]);
});

Deno.test("judge() refuses a claimed mix that cannot reach the target with two keccaks only", async () => {
  const { deps, calls } = setup(0n, SHARE_TARGET + 1n);
  assert.deepEqual(await judge(deps, submission(), SHARE_TARGET), { kind: "lowDifficulty" });
  assert.deepEqual(calls, ["filter"]);
  // Junk takes no room among the nonces seen: it is judged anew.
  assert.equal(deps.seen.has(HEADER, submission().nonce), false);
  assert.deepEqual(await judge(deps, submission(), SHARE_TARGET), { kind: "lowDifficulty" });
});

Deno.test("judge() calls a mix that is not the computed one bad, and computes a missing one", async () => {
  const { deps } = setup(0n);
  const wrong = submission({ mix: "0x" + "ce".repeat(32) });
  assert.deepEqual(await judge(deps, wrong, SHARE_TARGET), { kind: "badMix" });
  const { mix: _, ...without } = submission({ nonce: "0x0000000000000001" });
  const verdict = await judge(deps, without, SHARE_TARGET);
  assert.equal(verdict.kind === "valid" && verdict.share.mix, "0x" + "cd".repeat(32));
});

Deno.test("judge() spends no hash on unknown jobs, stale jobs and duplicates", async () => {
  const { deps, calls, jobs } = setup(0n);
  const unknown = submission({ headerHash: "0x" + "00".repeat(32) });
  assert.deepEqual(await judge(deps, unknown, SHARE_TARGET), { kind: "unknownJob" });
  const first = judge(deps, submission(), SHARE_TARGET);
  assert.deepEqual(await judge(deps, submission(), SHARE_TARGET), { kind: "duplicate" });
  await first;
  const work = { headerHash: "0x" + "ef".repeat(32), seedHash: HEADER, target: BLOCK_TARGET };
  jobs.add(jobOf({ ...work, height: 30_006 }, "node", 0));
  assert.equal(
    (await judge(deps, submission({ nonce: "0x0000000000000002" }), SHARE_TARGET)).kind,
    "valid",
  );
  jobs.add(jobOf({ ...work, headerHash: "0x" + "ee".repeat(32), height: 30_007 }, "node", 0));
  assert.deepEqual(await judge(deps, submission({ nonce: "0x0000000000000003" }), SHARE_TARGET), {
    kind: "stale",
  });
  assert.equal(calls.filter((call) => call.startsWith("hash")).length, 2);
});

Deno.test("judge() lets a share come again after the verifier was busy", async () => {
  const { deps } = setup(0n);
  const { hashClaim } = deps.hasher;
  deps.hasher.hashClaim = () => Promise.reject(new BusyError());
  assert.deepEqual(await judge(deps, submission(), SHARE_TARGET), { kind: "busy" });
  deps.hasher.hashClaim = hashClaim;
  assert.equal((await judge(deps, submission(), SHARE_TARGET)).kind, "valid");
});

Deno.test("readClaim() makes one spelling of every spelling and names the field that is wrong", () => {
  const [nonce, header, mix] = [
    "0x00000000000000FF",
    "0x" + "AB".repeat(32),
    "0x" + "cD".repeat(32),
  ];
  assert.deepEqual(readClaim([nonce, header, mix]), {
    nonce: "0x00000000000000ff",
    headerHash: "0x" + "ab".repeat(32),
    mix: "0x" + "cd".repeat(32),
  });
  assert.deepEqual(readClaim(["0xff", header, mix]), { field: "nonce" });
  assert.deepEqual(readClaim([nonce + "0", header, mix]), { field: "nonce" });
  assert.deepEqual(readClaim([nonce, header + "zz", mix]), { field: "header hash" });
  assert.deepEqual(readClaim([nonce, header, 5]), { field: "mix digest" });
  assert.deepEqual(readClaim([nonce, header]), { field: "params" });
  assert.deepEqual(readClaim("0x"), { field: "params" });
});
