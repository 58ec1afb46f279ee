/** Replays recorded conversations against a real listening door, line by line. */
import assert from "node:assert/strict";
import { targetOf, toHash } from "../base/mod.ts";
import {
  doorDeps,
  type ScriptedDoor,
  scriptedDoor,
  scriptedJob,
} from "../../tests/support/door.ts";
import { LineClient } from "../../tests/support/line_client.ts";
import { dialogueNames, readDialogue, Words } from "../../tests/support/dialogue.ts";
import type { Job } from "../work/mod.ts";
import { serveStratum, type StratumOptions, type StratumServer } from "./server.ts";

const MIX = "0x" + "cd".repeat(32);
const OPTIONS: StratumOptions = {
  ports: [{
    ...{ listen: { hostname: "127.0.0.1", port: 0 }, proxyProtocol: false },
    ...{ difficulty: 2_000_000_000n, scheme: "prop" },
  }],
  ...{ trustedProxies: [], maxConn: 4, timeoutMs: 60_000, loginTimeoutMs: 60_000 },
  reusePort: false,
};

async function withDoor(
  test: (door: ScriptedDoor, server: StratumServer) => Promise<void>,
  options: Partial<StratumOptions> = {},
): Promise<void> {
  const door = scriptedDoor();
  const server = await serveStratum({ ...OPTIONS, ...options }, {
    service: door.service,
    ...doorDeps,
  });
  try {
    await test(door, server);
  } finally {
    await server.close();
  }
}

const DIALOGUES = ["eth_proxy", "miner_proxy", "stratum1", "stratum2", "wrong_dialect"];

for (const name of DIALOGUES.flatMap(dialogueNames)) {
  Deno.test(`serveStratum() holds the dialogue ${name}`, async () => {
    const steps = await readDialogue(name);
    await withDoor(async (door, server) => {
      const client = await LineClient.connect(server.ports[0]!);
      const words = new Words();
      words.set("MIX", MIX);
      let n = 1;
      let draining: Promise<void> | undefined;
      let job = useJob(words, scriptedJob(n));
      for (const { kind, text, line } of steps) {
        if (kind === "→") await client.send(words.fill(text));
        else if (kind === "←") words.match(text, await client.line(), `${name}, line ${line}`);
        else if (text === "drain") draining = server.close();
        else if (text === "closed") assert.equal(await client.line().catch(() => null), null);
        else {
          if (text !== "repeat") {
            const next = scriptedJob(++n);
            job = useJob(words, text === "refresh" ? { ...next, height: job.height } : next);
            door.jobs.add(job);
          }
          server.broadcast();
        }
      }
      client.conn.close();
      await draining;
      assert.equal(
        door.submissions.length > 0,
        steps.some(({ text }) => /submit"|submitW/.test(text)),
      );
      for (const { headerHash, nonce } of door.submissions) {
        assert.match(headerHash, /^0x[0-9a-f]{64}$/);
        assert.match(nonce, /^0x[0-9a-f]{16}$/);
      }
    });
  });
}

/** Puts a job's texts into the words of a dialogue. */
function useJob(words: Words, job: Job): Job {
  words.set("OLDHEADER", words.get("HEADER") ?? "");
  const texts = {
    HEADER: job.headerHash,
    SEED: job.seedHash,
    TARGET: toHash(targetOf(2_000_000_000n)),
  };
  for (const [word, value] of Object.entries(texts)) {
    words.set(word, value);
    words.set(`${word}64`, value.slice(2));
  }
  return job;
}

Deno.test("serveStratum() takes the worker from submission, login member or login text", async () => {
  await withDoor(async (door, server) => {
    const client = await LineClient.connect(server.ports[0]!);
    const login = "0x" + "11".repeat(20);
    const { headerHash } = scriptedJob(1);
    const submit = (extra: object) =>
      client.send(JSON.stringify({
        ...{ id: 4, method: "eth_submitWork", params: ["0x00000000000000c1", headerHash, MIX] },
        ...extra,
      }));
    await client.send(`{"id":1,"method":"eth_submitLogin","params":["${login}.text"]}`);
    await submit({});
    await submit({ worker: "fromSubmission" });
    await submit({ worker: "not a name, thirty-three characters" });
    await client.send(
      `{"id":1,"method":"eth_submitLogin","params":["${login}.text"],"worker":"member"}`,
    );
    await submit({});
    for (let i = 0; i < 6; i++) assert.match((await client.line())!, /"result":true/);
    client.conn.close();
    assert.deepEqual(door.submissions.map(({ worker }) => worker), [
      ...["text", "fromSubmission", "text", "member"],
    ]);
  });
});

Deno.test("serveStratum() counts workers beyond the maximum of a login under 0", async () => {
  await withDoor(async (door, server) => {
    const client = await LineClient.connect(server.ports[0]!);
    await client.send(`{"id":1,"method":"eth_submitLogin","params":["0x${"11".repeat(20)}"]}`);
    await client.line();
    const { headerHash } = scriptedJob(1);
    for (let i = 0; i < 6; i++) {
      const params = ["0x00000000000000c1", headerHash, MIX];
      await client.send(
        JSON.stringify({ id: i, method: "eth_submitWork", params, worker: `w${i}` }),
      );
      await client.line();
    }
    client.conn.close();
    assert.deepEqual(door.submissions.map(({ worker }) => worker), [
      ...["w0", "w1", "w2", "w3", "0", "0"],
    ]);
  });
});

Deno.test("serveStratum() takes names and hashrates of a login only from its accepted shares", async () => {
  await withDoor(async (door, server) => {
    const client = await LineClient.connect(server.ports[0]!);
    const { headerHash } = scriptedJob(1);
    const ask = async (method: string, params: unknown[], worker: string) => {
      await client.send(JSON.stringify({ id: 1, method, params, worker }));
      return await client.line();
    };
    const login = ["0x" + "11".repeat(20)];
    // Somebody else logs in as the miner under many names, has shares refused and reports rates.
    for (let i = 0; i < 6; i++) {
      await ask("eth_submitLogin", login, `foreign${i}`);
      await ask("eth_submitWork", ["0x00000000000000d3", headerHash, MIX], `foreign${i}`);
      await ask("eth_submitHashrate", ["0xffff", headerHash], `foreign${i}`);
    }
    assert.equal(door.reported.length, 0);
    await ask("eth_submitWork", ["0x00000000000000c1", headerHash, MIX], "rig");
    assert.equal(door.submissions.at(-1)!.worker, "rig");
    await ask("eth_submitHashrate", ["0xffff", headerHash], "rig");
    assert.deepEqual(door.reported.map(({ miner, hashrateHps }) => [miner.worker, hashrateHps]), [
      ["rig", 0xffffn],
    ]);
    client.conn.close();
  });
});

Deno.test("serveStratum() turns a miner away that is blacklisted while it mines", async () => {
  await withDoor(async (door, server) => {
    const client = await LineClient.connect(server.ports[0]!);
    const login = "0x" + "11".repeat(20);
    await client.send(`{"id":1,"method":"eth_submitLogin","params":["${login}"]}`);
    assert.match((await client.line())!, /"result":true/);
    door.policy.setLists({ blacklist: new Set([login]), whitelist: new Set() });
    const params = ["0x00000000000000c1", scriptedJob(1).headerHash, MIX];
    await client.send(JSON.stringify({ id: 2, method: "eth_submitWork", params }));
    assert.match((await client.line())!, /blacklisted/);
    assert.equal(await client.line().catch(() => null), null);
    assert.deepEqual(door.submissions, []);
    client.conn.close();
  });
});

Deno.test("serveStratum() serves no work while it is not ready, and says so", async () => {
  await withDoor(async (door, server) => {
    door.healthy = false;
    const client = await LineClient.connect(server.ports[0]!);
    await client.send(`{"id":5,"method":"eth_getWork","params":[]}`);
    assert.equal(
      await client.line(),
      `{"id":5,"jsonrpc":"2.0","result":null,"error":{"code":0,"message":"Work not ready"}}`,
    );
    client.conn.close();
  });
});

Deno.test("serveStratum() refuses connections over maxConn at once and goes on accepting", async () => {
  await withDoor(async (_door, server) => {
    const held = await Promise.all([1, 2, 3, 4].map(() => LineClient.connect(server.ports[0]!)));
    for (const client of held) {
      await client.send(`{"id":5,"method":"eth_getWork","params":[]}`);
      assert.match((await client.line())!, /"result":\[/);
    }
    const refused = await LineClient.connect(server.ports[0]!);
    assert.equal(await refused.line().catch(() => null), null);
    refused.conn.close();
    held[0]!.conn.close();
    while (server.sessions > 3) await new Promise((resolve) => setTimeout(resolve, 5));
    const taken = await LineClient.connect(server.ports[0]!);
    await taken.send(`{"id":5,"method":"eth_getWork","params":[]}`);
    assert.match((await taken.line())!, /"result":\[/);
    for (const client of [...held.slice(1), taken]) client.conn.close();
  });
});

Deno.test("serveStratum() ends a line that is too long with an answer and a closed socket", async () => {
  await withDoor(async (_door, server) => {
    const client = await LineClient.connect(server.ports[0]!);
    await client.send("x".repeat(10_000));
    assert.match((await client.line())!, /longer than 4096 bytes/);
    assert.equal(await client.line().catch(() => null), null);
    client.conn.close();
    while (server.sessions > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

Deno.test("serveStratum() lets go of connections that never log in", async () => {
  await withDoor(async (_door, server) => {
    const client = await LineClient.connect(server.ports[0]!);
    assert.equal(await client.line().catch(() => null), null);
    client.conn.close();
  }, { loginTimeoutMs: 1 });
});

Deno.test("serveStratum() answers in the order of the requests, however slow one is", async () => {
  const door = scriptedDoor();
  const { submit } = door.service.deps;
  door.service.deps.submit = async (submission, terms) => {
    if (submission.nonce.endsWith("c1")) await new Promise((resolve) => setTimeout(resolve, 50));
    return await submit(submission, terms);
  };
  const server = await serveStratum(OPTIONS, { service: door.service, ...doorDeps });
  const client = await LineClient.connect(server.ports[0]!);
  const { headerHash } = scriptedJob(1);
  await client.send(`{"id":1,"method":"eth_submitLogin","params":["0x${"11".repeat(20)}"]}`);
  for (const [id, end] of [[41, "c1"], [42, "d3"], [43, "c2"]]) {
    const params = [`0x00000000000000${end}`, headerHash, MIX];
    await client.send(JSON.stringify({ id, method: "eth_submitWork", params }));
  }
  const ids = [];
  for (let i = 0; i < 4; i++) ids.push(JSON.parse((await client.line())!).id);
  assert.deepEqual(ids, [1, 41, 42, 43]);
  client.conn.close();
  await server.close();
});
