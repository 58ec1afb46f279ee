/** Laws of a session in every dialect: terms as sent, one difficulty per header, nothing to gain. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock, silentLogger } from "../base/mod.ts";
import { type ScriptedDoor, scriptedDoor, scriptedJob } from "../../tests/support/door.ts";
import { Conversation } from "./conversation.ts";
import { dialectOf } from "./detect.ts";
import type { Dialect } from "./dialect.ts";

const LOGIN = "0x" + "11".repeat(20);
const MIX = "0x" + "cd".repeat(32);
const VAR_DIFF = {
  ...{ targetTimeMs: 5_000, minDiff: 1_000_000n, maxDiff: 10n ** 13n },
  ...{ variancePercent: 20, maxJump: 300 },
};
const TWO_256 = 1n << 256n;

/** The lines of a push. */
function linesOf(bytes: Uint8Array | undefined): string[] {
  return bytes === undefined ? [] : new TextDecoder().decode(bytes).trimEnd().split("\n");
}

/** The first requests of each dialect. */
const OPENINGS: Record<string, unknown[]> = {
  "eth-proxy": [{ id: 1, method: "eth_submitLogin", params: [LOGIN, "x"] }],
  "miner-proxy": [
    { id: 1, method: "mining.subscribe", params: [] },
    { id: 2, method: "mining.authorize", params: [LOGIN, "x"] },
  ],
  "EthereumStratum/1.0.0": [
    { id: 1, method: "mining.subscribe", params: ["miner", "EthereumStratum/1.0.0"] },
    { id: 2, method: "mining.authorize", params: [LOGIN, "x"] },
  ],
  "EthereumStratum/2.0.0": [
    { id: 0, method: "mining.hello", params: { agent: "miner" } },
    { id: 1, method: "mining.subscribe" },
    { id: 2, method: "mining.authorize", params: [LOGIN, "x"] },
  ],
};

/** What a miner works on: what it would name in a submission, and the target it was told. */
interface Work {
  jobId?: string;
  headerHash: string;
  target: bigint;
}

/** An honest miner that knows nothing but the pool's lines. */
class ScriptedMiner {
  readonly dialect: Dialect;
  readonly conversation: Conversation;
  /** All work it was ever given, the newest last. */
  readonly works: Work[] = [];
  extranonce = "";
  #target = 0n;
  #nonce = 0n;

  constructor(readonly door: ScriptedDoor, name: string, clock: FakeClock) {
    this.dialect = dialectOf(OPENINGS[name]![0])!;
    assert.equal(this.dialect.name, name);
    this.conversation = new Conversation(this.dialect, "10.0.0.1", {
      ...{ service: door.service, clock, log: silentLogger },
      terms: { difficulty: 2_000_000_000n, varDiff: VAR_DIFF, scheme: "prop" },
    });
  }

  async open(): Promise<void> {
    for (const request of OPENINGS[this.dialect.name]!) await this.#ask(request);
    if (this.dialect.name === "eth-proxy") {
      await this.#ask({ id: 3, method: "eth_getWork", params: [] });
    }
  }

  async #ask(request: unknown): Promise<string | undefined> {
    const { text, after } = await this.conversation.answer(this.dialect.read(request));
    for (const line of [text ?? "", ...linesOf(after)]) if (line !== "") this.hear(line);
    return text;
  }

  /** Takes a push, as the wire would. */
  push(forgetful: boolean): void {
    const set = this.door.service.renewedOffers();
    if (set === undefined) return;
    for (const line of linesOf(this.conversation.push(set, forgetful))) this.hear(line);
  }

  /** Understands a line as miners do. */
  hear(line: string): void {
    const { method, params, result } = JSON.parse(line);
    const with0x = (text: string) => text.startsWith("0x") ? text : "0x" + text;
    if (Array.isArray(result) && result.length === 3) {
      this.works.push({ headerHash: result[0], target: BigInt(result[2]) });
    } else if (Array.isArray(result)) this.extranonce = result[1];
    else if (method === "mining.set_difficulty") {
      // Difficulty 1 is 0x00000000ffff0000…
      const scaled = BigInt(Math.round(params[0] * 2 ** 40));
      this.#target = ((0xffffn << 208n) << 40n) / scaled;
    } else if (method === "mining.set_extranonce") this.extranonce = params[0];
    else if (method === "mining.set") {
      if (params.target !== undefined) this.#target = BigInt("0x" + params.target);
      if (params.extranonce !== undefined) this.extranonce = params.extranonce;
    } else if (method === "mining.notify") {
      const [jobId] = params;
      const [headerHash, target] = this.dialect.name === "miner-proxy"
        ? [params[1], BigInt(params[3])]
        : [with0x(params[2]), this.#target];
      this.works.push({ jobId, headerHash, target });
    }
  }

  /** Submits a share for work it was given once; gives the terms it was counted with. */
  async submit(work: Work) {
    const nonce = (this.#nonce += 256n).toString(16).padStart(16, "0");
    const part = nonce.slice(this.extranonce.length);
    const params = {
      "eth-proxy": [`0x${nonce}`, work.headerHash, MIX],
      "miner-proxy": ["x", work.jobId, `0x${nonce}`, work.headerHash, MIX],
      "EthereumStratum/1.0.0": ["x", work.jobId, part],
      "EthereumStratum/2.0.0": [work.jobId, part, "w-1"],
    }[this.dialect.name];
    const method = this.dialect.name === "eth-proxy" ? "eth_submitWork" : "mining.submit";
    const before = this.door.submissions.length;
    const answer = await this.#ask({ id: 7, method, params });
    assert.equal(this.door.submissions.length, before + 1, `${answer}`);
    const submission = this.door.submissions.at(-1)!;
    assert.equal(submission.headerHash, work.headerHash);
    assert.equal(submission.nonce, `0x${this.extranonce}${part}`);
    return this.door.terms.at(-1)!;
  }
}

const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("share" as const), back: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("job" as const), back: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("repeat" as const), back: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), back: fc.nat(90_000) }) },
);

for (const name of Object.keys(OPENINGS)) {
  Deno.test(`Conversation counts every honest ${name} share at what it was told, through any retarget`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 80 }), async (events) => {
        const door = scriptedDoor();
        const clock = new FakeClock();
        const miner = new ScriptedMiner(door, name, clock);
        await miner.open();
        assert.equal(miner.works.length, 1);
        let n = 1;
        const perHeader = new Map<string, bigint>();
        for (const { kind, back } of events) {
          if (kind === "pass") await clock.advance(back);
          else if (kind === "job") {
            door.jobs.add(scriptedJob(++n));
            miner.push(back);
          } else if (kind === "repeat") miner.push(back);
          else {
            // Late shares count too: for any of the last jobs.
            const work = miner.works.at(-1 - back) ?? miner.works.at(-1)!;
            const terms = await miner.submit(work);
            // Whatever meets the target that the miner was told meets the one it is judged by, and
            // both are the same but for a rounding of 16 millionths.
            assert.ok(terms.target >= work.target, `${terms.target} < ${work.target}`);
            assert.ok(terms.target - work.target <= terms.target / 60_000n);
            assert.equal(terms.target, TWO_256 / terms.difficulty);
            // One difficulty per header: nothing can be chosen after hashing.
            const known = perHeader.get(work.headerHash) ?? terms.difficulty;
            assert.equal(terms.difficulty, known);
            perHeader.set(work.headerHash, known);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
}

Deno.test("Conversation holds Innosilicon to a new difficulty one header after it was told", async () => {
  const door = scriptedDoor();
  const clock = new FakeClock();
  const request = { id: 1, method: "mining.subscribe", params: ["innominer/a10-1.1.0"] };
  const dialect = dialectOf(request)!;
  const conversation = new Conversation(dialect, "10.0.0.1", {
    ...{ service: door.service, clock, log: silentLogger },
    terms: { difficulty: 2n ** 32n, varDiff: VAR_DIFF, scheme: "prop" },
  });
  const ask = (request: unknown) => conversation.answer(dialect.read(request));
  await ask(request);
  const login = await ask({ id: 2, method: "mining.authorize", params: [LOGIN, "x"] });
  let jobId = JSON.parse(linesOf(login.after)[1]!).params[0];
  const submit = async (nonce: string) => {
    await ask({ id: 3, method: "mining.submit", params: ["x", jobId, nonce] });
    return door.terms.at(-1)!.difficulty;
  };
  for (let i = 0; i < 40; i++) assert.equal(await submit(`00000000${i + 10}c1`), 2n ** 32n);
  await clock.advance(10_000);
  const next = (n: number) => {
    door.jobs.add(scriptedJob(n));
    const bytes = conversation.push(door.service.renewedOffers()!, false);
    const lines = linesOf(bytes).map((line) => JSON.parse(line));
    jobId = lines.at(-1).params[0];
    return lines.map(({ method, params }) => method === "mining.set_difficulty" ? params[0] : 0);
  };
  const [told] = next(2);
  assert.ok(told > 1, `${told}`);
  assert.equal(await submit("0000000099c1"), 2n ** 32n);
  next(3);
  assert.equal(await submit("0000000099c2"), BigInt(told * 2 ** 32));
});

Deno.test("Conversation fixes the difficulty that a password asks for, within its bounds", async () => {
  for (
    const [password, difficulty] of [
      ["d=8G", 8_000_000_000n],
      ["d=1000000000T", 155_381_888_059_095n],
      ["d=1k", 1_000_000n],
      ["x", 2_000_000_000n],
    ] as const
  ) {
    const door = scriptedDoor();
    const { service } = door;
    const dialect = dialectOf({ method: "eth_submitLogin" })!;
    const conversation = new Conversation(dialect, "10.0.0.1", {
      ...{ service, clock: new FakeClock(), log: silentLogger },
      terms: { difficulty: 2_000_000_000n, scheme: "prop" },
    });
    const ask = (method: string, params: unknown[]) =>
      conversation.answer(dialect.read({ id: 1, method, params }));
    await ask("eth_submitLogin", [LOGIN, password]);
    await ask("eth_getWork", []);
    await ask("eth_submitWork", ["0x00000000000000c1", scriptedJob(1).headerHash, MIX]);
    // 10^15 is more than the block's own difficulty, which is never exceeded.
    assert.equal(door.terms[0]!.difficulty, difficulty);
  }
});

Deno.test("Conversation answers a session that sends too many shares, and counts none of these", async () => {
  const door = scriptedDoor();
  door.policy.options.limits.sharesPerSecond = 2;
  const clock = new FakeClock();
  const dialect = dialectOf({ method: "eth_submitLogin" })!;
  const conversation = new Conversation(dialect, "10.0.0.1", {
    ...{ service: door.service, clock, log: silentLogger },
    terms: { difficulty: 2_000_000_000n, scheme: "prop" },
  });
  const ask = async (method: string, params: unknown[]) =>
    (await conversation.answer(dialect.read({ id: 1, method, params }))).text!;
  await ask("eth_submitLogin", [LOGIN]);
  const submit = (n: number) => {
    const nonce = `0x${n.toString(16).padStart(14, "0")}c1`;
    return ask("eth_submitWork", [nonce, scriptedJob(1).headerHash, MIX]);
  };
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => submit(n)));
  const refused = answers.filter((answer) => /Too many shares/.test(answer)).length;
  assert.ok(refused > 50 && refused < 100, `${refused}`);
  assert.equal(door.submissions.length, 100 - refused);
  await clock.advance(1_000);
  assert.match(await submit(1_000), /"result":true/);
});
