/** Solo mining by login and password: who gets it, and that nobody chooses it after hashing. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock, silentLogger } from "../base/mod.ts";
import type { Scheme } from "../intake/mod.ts";
import { type ScriptedDoor, scriptedDoor, scriptedJob } from "../../tests/support/door.ts";
import { HEIGHTS_AHEAD } from "./bindings.ts";
import { Conversation } from "./conversation.ts";
import { dialectOf } from "./detect.ts";
import { answer } from "./getwork.ts";

const A = "0x" + "11".repeat(20), B = "0x" + "22".repeat(20);
const MIX = "0x" + "cd".repeat(32);
const STRATUM_1 = ["miner", "EthereumStratum/1.0.0"];

/** A session that is told its requests one by one. */
class Peer {
  conversation: Conversation;
  extranonce = "";
  id = "";
  #dialect;
  #clock;

  constructor(readonly door: ScriptedDoor, method: string, params?: unknown, scheme?: Scheme) {
    this.#dialect = dialectOf({ method, params })!;
    this.#clock = new FakeClock();
    this.conversation = new Conversation(this.#dialect, "10.0.0.1", {
      ...{ service: door.service, clock: this.#clock, log: silentLogger },
      terms: { difficulty: 2_000_000_000n, scheme: scheme ?? "prop" },
    });
  }

  async ask(method: string, params: unknown): Promise<string> {
    const { text } = await this.conversation.answer(this.#dialect.read({ id: 1, method, params }));
    return text ?? "";
  }

  /** EthereumStratum/1.0.0, subscribed. */
  static async stratum1(door: ScriptedDoor, scheme?: Scheme): Promise<Peer> {
    const peer = new Peer(door, "mining.subscribe", STRATUM_1, scheme);
    peer.extranonce = JSON.parse(await peer.ask("mining.subscribe", STRATUM_1)).result[1];
    return peer;
  }

  /** EthereumStratum/2.0.0, subscribed. */
  static async stratum2(door: ScriptedDoor, resume?: string): Promise<Peer> {
    const peer = new Peer(door, "mining.hello");
    await peer.ask("mining.hello", {});
    peer.id = JSON.parse(await peer.ask("mining.subscribe", resume)).result;
    return peer;
  }

  /** A nonce of this session for a header, in the form that names it. */
  whole(nonce: string, n: number): Promise<string> {
    const name = this.#dialect.name === "eth-proxy" ? "eth_submitWork" : "mining.submit";
    const five = ["x", this.jobId, nonce, scriptedJob(n).headerHash, MIX];
    return this.ask(name, name === "eth_submitWork" ? five.slice(2) : five);
  }

  jobId = "";
  /** Takes the current job, as a push does. */
  push(): void {
    const set = this.door.service.renewedOffers()!;
    const lines = new TextDecoder().decode(this.conversation.push(set, false)).trimEnd();
    const last = JSON.parse(lines.split("\n").at(-1)!);
    if (last.method === "mining.notify") this.jobId = last.params[0];
  }
}

function nonce(extranonce: string, n: number): string {
  return "0x" + extranonce + n.toString(16).padStart(14 - extranonce.length, "0") + "c1";
}

for (const [login, password] of [[`solo:${A}.rig`, "x"], [`${A}.rig`, "m=solo"]] as const) {
  Deno.test(`a session that logs in as ${login.slice(0, 9)} with ${password} mines solo`, async () => {
    const door = scriptedDoor();
    const peer = await Peer.stratum1(door);
    assert.match(await peer.ask("mining.authorize", [login, password]), /"result":true/);
    const schemes: Scheme[] = [];
    for (let n = 1; n <= 4; n++) {
      if (n > 1) door.jobs.add(scriptedJob(n));
      peer.push();
      await peer.ask("mining.submit", [login, peer.jobId, nonce(peer.extranonce, n).slice(6)]);
      schemes.push(door.terms.at(-1)!.scheme);
      assert.deepEqual(
        [door.submissions.at(-1)!.login, door.submissions.at(-1)!.worker],
        [A, "rig"],
      );
    }
    // Headers that were there before it asked may have been hashed for the common round.
    assert.deepEqual(schemes, ["prop", "prop", "solo", "solo"]);
  });
}

Deno.test("a connection has one scheme, and a second login of another one is told so", async () => {
  const door = scriptedDoor();
  const solo = await Peer.stratum1(door);
  await solo.ask("mining.authorize", [`solo:${A}`, "x"]);
  assert.match(
    await solo.ask("mining.authorize", [B, "x"]),
    /mines solo: open another one for prop/,
  );
  assert.match(await solo.ask("mining.authorize", [B, "m=solo"]), /"result":true/);
  const prop = await Peer.stratum1(door);
  await prop.ask("mining.authorize", [A, "x"]);
  assert.match(
    await prop.ask("mining.authorize", [`solo:${A}`, "x"]),
    /mines prop: open another one for solo/,
  );
  // Also when both come at once.
  const both = await Peer.stratum2(door);
  const answers = await Promise.all(
    [`solo:${A}`, B].map((login) => both.ask("mining.authorize", [login, "x"])),
  );
  assert.match(answers[0]!, /"w-1"/);
  assert.match(answers[1]!, /This connection mines solo/);
});

Deno.test("a session that is resumed keeps its scheme", async () => {
  const door = scriptedDoor();
  for (const [first, then] of [[A, `solo:${A}`], [`solo:${A}`, A]]) {
    const before = await Peer.stratum2(door);
    await before.ask("mining.authorize", [first, "x"]);
    before.conversation.close();
    const after = await Peer.stratum2(door, before.id);
    assert.equal(after.id, before.id);
    assert.match(await after.ask("mining.authorize", [then, "x"]), /open another one/);
    assert.match(await after.ask("mining.authorize", [first, "x"]), /"w-1"/);
  }
});

Deno.test("solo is refused in words where no nonce belongs to a session, and where it is not offered", async () => {
  const door = scriptedDoor();
  const proxy = new Peer(door, "eth_submitLogin");
  const needs = /Solo mining needs EthereumStratum\/1.0.0 or 2.0.0: set the miner to stratum2/;
  assert.match(await proxy.ask("eth_submitLogin", [`solo:${A}`, "x"]), needs);
  assert.match(await proxy.ask("eth_submitLogin", [A, "d=4G,m=SOLO"]), needs);
  assert.match(await proxy.ask("eth_submitLogin", [A, "x"]), /"result":true/);
  const old = new Peer(door, "mining.subscribe", []);
  await old.ask("mining.subscribe", []);
  assert.match(await old.ask("mining.authorize", [`solo:${A}`, "x"]), needs);
  // A port of another scheme than the pool's has the same limit.
  const port = new Peer(door, "eth_submitLogin", [], "pplns");
  assert.match(await port.ask("eth_submitLogin", [A, "x"]), /This port \(pplns\) needs Ethereum/);
  const window = await Peer.stratum1(door, "pplns");
  assert.match(await window.ask("mining.authorize", [A, "x"]), /"result":true/);
  door.service.deps.soloByLogin = false;
  const off = await Peer.stratum1(door);
  assert.match(await off.ask("mining.authorize", [`solo:${A}`]), /Solo mining is not offered here/);
});

Deno.test("getwork by path says what solo needs, and serves no port of another scheme", async () => {
  const { service } = scriptedDoor();
  const ask = async (path: string, scheme: Scheme) => {
    const response = await answer(
      new Request(`http://pool/${path}`, {
        method: "POST",
        body: `{"id":1,"method":"eth_getWork"}`,
      }),
      "10.0.0.9",
      { limitHeadersBytes: 1_024, limitBodyBytes: 256 },
      {
        ...{ service, clock: new FakeClock(), log: silentLogger, addressOf: (peer) => peer },
        terms: { difficulty: 2_000_000_000n, scheme },
      },
    );
    return await response.text();
  };
  assert.match(await ask(`solo:${A}/rig`, "prop"), /"error":.*Solo mining needs EthereumStratum/);
  assert.match(await ask(`${A}/rig`, "solo"), /This port \(solo\) needs EthereumStratum/);
  assert.match(await ask(`${A}/rig`, "prop"), /"result":\["0x/);
});

Deno.test("solo waits for the ledger: no login before every door knows of it", async () => {
  const door = scriptedDoor();
  const { store } = door.service.deps.bindings.deps;
  const { bind } = store;
  store.bind = () => Promise.reject(new Error("Redis is away"));
  const peer = await Peer.stratum1(door);
  assert.match(await peer.ask("mining.authorize", [`solo:${A}`]), /Pool storage away/);
  assert.equal(peer.conversation.ready, false);
  store.bind = bind;
  assert.match(await peer.ask("mining.authorize", [`solo:${A}`]), /"result":true/);
});

Deno.test("solo logins, which cost nothing, take no more than a 32nd of all nonces", async () => {
  const door = scriptedDoor();
  const logIn = async () => {
    const peer = await Peer.stratum1(door);
    const answer = await peer.ask("mining.authorize", [`solo:${A}`]);
    peer.conversation.close();
    return answer;
  };
  for (let n = 0; n < 2_048; n++) assert.match(await logIn(), /"result":true/);
  assert.match(await logIn(), /Too many solo sessions at a time/);
  // Their nonces are free again when every job that they were bound for is too old.
  await door.service.sweepExtranonces(0);
  for (let n = 2; n < 12; n++) door.jobs.add(scriptedJob(n));
  await door.service.sweepExtranonces(0);
  assert.match(await logIn(), /"result":true/);
});

/** What a miner that wants to gain can do, in any order. */
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("job", "job", "job", "sweep") }) },
  fc.record({ kind: fc.constantFrom("openSolo", "openProp", "close"), which: fc.nat(3) }),
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ kind: fc.constantFrom("own", "proxy", "five", "getwork"), which: fc.nat(3) },
      ...{ back: fc.nat(8), prefix: fc.nat(5) },
    }),
  },
);

Deno.test("no order of submissions, sessions and doors gives a nonce of a header two schemes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 150, size: "max" }), async (steps) => {
      const door = scriptedDoor();
      const { service } = door;
      const proxy = new Peer(door, "eth_submitLogin");
      await proxy.ask("eth_submitLogin", [A, "x"]);
      const peers: (Peer | undefined)[] = [];
      /** Every extranonce that was ever seen, and those that are easy to guess. */
      const prefixes = ["0000", "0001", "0002", "0003"];
      const schemes = new Map<string, Scheme>();
      let n = 1;
      const notice = (peer: Peer, kind: string) => {
        const { headerHash, nonce } = door.submissions.at(-1)!;
        const { scheme } = door.terms.at(-1)!;
        const key = `${headerHash}:${nonce.slice(2, 6)}`;
        // The same for all nonces of an extranonce, so that it cannot be chosen by the nonce either.
        assert.equal(scheme, schemes.get(key) ?? scheme, `${kind} of ${peer.extranonce}, ${key}`);
        schemes.set(key, scheme);
      };
      for (const action of steps) {
        const { kind } = action;
        if (kind === "job") door.jobs.add(scriptedJob(++n));
        else if (kind === "sweep") await service.sweepExtranonces(0);
        else if (!("which" in action)) continue;
        else if (kind === "openSolo" || kind === "openProp") {
          peers[action.which]?.conversation.close();
          const peer = peers[action.which] = await Peer.stratum1(door);
          prefixes.push(peer.extranonce);
          await peer.ask("mining.authorize", [kind === "openSolo" ? `solo:${A}` : A, "x"]);
          peer.push();
        } else if (kind === "close") {
          peers[action.which]?.conversation.close();
          peers[action.which] = undefined;
        } else if ("back" in action) {
          const peer = peers[action.which];
          const job = Math.max(1, n - action.back);
          // A job too old is refused whatever its scheme.
          if (job <= n - 7) continue;
          const prefix = prefixes.at(-1 - action.prefix % prefixes.length)!;
          const count = door.submissions.length;
          if (kind === "proxy") await proxy.whole(nonce(prefix, count), job);
          else if (kind === "getwork") {
            const claim = { headerHash: scriptedJob(job).headerHash, nonce: nonce(prefix, count) };
            const miner = { login: B, worker: "0", ip: "10.0.0.2" };
            const terms = { difficulty: 2_000_000_000n, scheme: "prop" as const };
            await service.submitUnassigned(miner, { ...claim, mix: MIX }, terms);
          } else if (peer !== undefined) {
            peer.push();
            const own = kind === "own" ? peer.extranonce : prefix;
            await peer.whole(nonce(own, count), n);
          }
          if (door.submissions.length > count) notice(peer ?? proxy, kind);
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("Bindings end as they began, two heights ahead, and are forgotten when no job needs them", async () => {
  const door = scriptedDoor();
  const { service, jobs } = door;
  const { bindings } = service.deps;
  const peer = await Peer.stratum1(door);
  await peer.ask("mining.authorize", [`solo:${A}`]);
  const schemeAt = (height: number) => bindings.schemeOf(nonce(peer.extranonce, 1), height);
  const from = jobs.highest + HEIGHTS_AHEAD;
  assert.deepEqual([await schemeAt(from - 1), await schemeAt(from)], ["prop", "solo"]);
  for (let n = 2; n <= 5; n++) jobs.add(scriptedJob(n));
  peer.conversation.close();
  await service.sweepExtranonces(0);
  const to = jobs.highest + HEIGHTS_AHEAD;
  assert.deepEqual([await schemeAt(to - 1), await schemeAt(to)], ["solo", "prop"]);
  for (let n = 6; jobs.highest < to + 7; n++) jobs.add(scriptedJob(n));
  assert.equal(await schemeAt(to - 1), "solo");
  await service.sweepExtranonces(0);
  assert.equal(await schemeAt(to - 1), "prop");
});

Deno.test("Bindings ends what an earlier run left, and gives it back", async () => {
  const door = scriptedDoor();
  const { service, jobs } = door;
  const { bindings, extranonces } = service.deps;
  const span = { scheme: "solo" as const, fromHeight: 3 };
  await bindings.deps.store.bind("0001", span);
  bindings.adopt(extranonces.withhold(["0001"]));
  assert.equal((await Peer.stratum1(door)).extranonce, "0002");
  const schemeAt = (height: number) => bindings.schemeOf(nonce("0001", 1), height);
  // Still bound for the jobs that its former session may have.
  assert.equal(await schemeAt(jobs.highest), "solo");
  await service.sweepExtranonces(0);
  const to = jobs.highest + HEIGHTS_AHEAD;
  assert.deepEqual([await schemeAt(to - 1), await schemeAt(to)], ["solo", "prop"]);
  for (let n = 2; jobs.highest < to + 7; n++) jobs.add(scriptedJob(n));
  await service.sweepExtranonces(0);
  assert.deepEqual(await bindings.deps.store.find(["0001"]), [undefined]);
  assert.equal(bindings.release("0001"), false);
});
