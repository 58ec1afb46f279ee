/** Every command of an operator on a running pool with two stratum workers, and what miners feel. */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes, silentLogger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { loadConfig } from "../../modules/config/mod.ts";
import { createKeys, openStore, readStatus } from "../../modules/ledger/mod.ts";
import { main as admin } from "../../scripts/admin.ts";
import { poolChecks } from "../../scripts/doctor/pool.ts";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { makeCertificate } from "../support/certificate.ts";
import { LineClient } from "../support/line_client.ts";
import { freePorts, startPool } from "../support/pool.ts";
import { freePort, startChild, until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";
import { TlsClient } from "../support/tls.ts";

const MINERS = ["0x" + "22".repeat(20), "0x" + "33".repeat(20)] as const;
/** Of the private key 1, which everybody knows. */
const WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
const WALLET_KEY = "0x" + "1".padStart(64, "0");
const SPACE = 1n << 256n;
const QUARRY = new URL("../../scripts/quarry", import.meta.url).pathname;

// node-redis keeps a timer of its own for a while after a server that went away.
Deno.test("an operator's commands on a running pool", { sanitizeOps: false }, async (t) => {
  const dir = await Deno.makeTempDir({ prefix: "quarry-admin-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = stack.use(await startRedis());
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, {
    log: silentLogger,
  });
  stack.defer(() => store.close());
  const keys = createKeys("t");
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => verifier.close());
  await verifier.prepare(1);
  const ports = freePorts();
  const tlsPort = freePort();
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: WALLET, difficulty: 1_000_000n, pow: verifier },
      alloc: { [WALLET]: 10n ** 21n },
    }),
  );
  const path = `${dir}/config.json`;
  const config = {
    ...{ threads: 2, coin: "t", name: "one", dataDir: `${dir}/data` },
    network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
    proxy: {
      ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 2 },
      stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
      blockRefreshInterval: "100ms",
    },
    stratumPorts: [{
      ...{ listen: `127.0.0.1:${tlsPort}`, difficulty: 2 },
      tls: { cert: "cert.pem", key: "key.pem" },
    }],
    unlocker: {
      ...{ enabled: true, interval: "1h", daemon: chain.url, depth: 32, immatureDepth: 16 },
    },
    payouts: {
      ...{ enabled: true, daemon: chain.url, requirePeers: 0, interval: "1h", confirmations: 1 },
      ...{ address: WALLET, signer: { privateKeyEnv: "TEST_KEY" }, threshold: 500_000_000 },
    },
    api: { enabled: true, listen: `127.0.0.1:${ports.api}`, statsCollectInterval: "1s" },
    upstream: [{ name: "dev", url: chain.url }],
    redis: { endpoint: redis.endpoint },
  };
  const certificates = [makeCertificate("first"), makeCertificate("second")] as const;
  const putCertificate = async ({ cert, key }: typeof certificates[0]) => {
    await Deno.writeTextFile(`${dir}/cert.pem`, cert);
    await Deno.writeTextFile(`${dir}/key.pem`, key);
  };
  await putCertificate(certificates[0]);
  const told = serviceManager(dir, stack);
  const pool = stack.use(await startPool(path, config, ports, { TEST_KEY: WALLET_KEY }));
  const settled = async (change: Record<string, unknown> = {}) =>
    await Deno.writeTextFile(path, JSON.stringify({ ...config, ...change }));

  /** What a command prints and ends with. */
  async function run(...args: string[]) {
    let text = "";
    const code = await admin([path, ...args], (more) => text += more);
    return { code, text };
  }
  async function done(...args: string[]): Promise<string> {
    const { code, text } = await run(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${text}`);
    return text;
  }
  // deno-lint-ignore no-explicit-any -- what the command prints
  const json = async (...args: string[]): Promise<any> => JSON.parse(await done(...args, "--json"));
  const logged = (event: string) => pool.output().split(`"event":"${event}"`).length - 1;
  const connect = async (login: string) => {
    const client = await LineClient.ethProxy(ports.stratum, login);
    stack.defer(() => {
      try {
        client.close();
      } catch { /* the test closed it */ }
    });
    return client;
  };
  const work = async (client: LineClient) =>
    (await client.ask("eth_getWork", [])).result as string[];
  const difficultyOf = (boundary: string) => SPACE / BigInt(boundary);
  let lastNonce = 0n;
  /** A share of at least `least` and less than `below`. */
  async function find(header: string, height: number, least: bigint, below: bigint) {
    while (true) {
      const nonce = ++lastNonce;
      const hash = await verifier.hash(height, hexToBytes(header), nonce);
      if (hash.result * least > SPACE || hash.result * below <= SPACE) continue;
      const text = "0x" + nonce.toString(16).padStart(16, "0");
      return [text, header, bytesToHex(hash.mix)] as const;
    }
  }

  await t.step("the socket is the pool's user's alone", async () => {
    const folder = `${dir}/data/t-one.admin`;
    assert.equal((await Deno.stat(folder)).mode! & 0o777, 0o700);
    assert.equal((await Deno.stat(`${folder}/admin.sock`)).mode! & 0o777, 0o600);
  });

  let one = await connect(MINERS[0]);
  let two = await connect(MINERS[1]);

  await t.step("status and sessions show who is there", async () => {
    await until("both sessions", async () => (await json("status")).mining.sessions === 2);
    assert.match(await done("status"), /sessions +2, banned addresses: 0/);
    const { sessions } = await json("sessions");
    assert.deepEqual(
      sessions.map((row: { login: string }) => row.login).sort(),
      [...MINERS],
    );
    assert.equal((await json("sessions", "--login", MINERS[1])).total, 1);
    assert.equal((await json("sessions", "--ip", "127.0.0.1")).total, 2);
    assert.match(await done("sessions"), /SESSION +ADDRESS +PORT[^]*eth-?proxy[^]*2 sessions/i);
  });

  await t.step("jobs and round show what was mined", async () => {
    const [header] = await work(one);
    assert.equal(await one.submitWhole(...await find(header!, 1, 2n, SPACE)), "true");
    const { jobs } = await json("jobs");
    assert.deepEqual([jobs[0].headerHash, jobs[0].valid, jobs[0].node], [header, 1, "dev"]);
    const round = await json("round");
    assert.deepEqual([round.rows, round.total], [[{ login: MINERS[0], difficulty: "2" }], "2"]);
    assert.match(await done("round"), /prop: 2 hashes by 1 logins/);
  });

  await t.step("drop and ban are felt, and end", async () => {
    const { sessions } = await json("sessions", "--login", MINERS[0]);
    await done("drop", sessions[0].id);
    assert.equal(await one.line(), null);
    assert.equal((await run("drop", "--login", MINERS[0])).code, 1);
    await done("drop", "--login", MINERS[1]);
    assert.equal(await two.line(), null);
    one = await connect(MINERS[0]);
    await done("ban", "127.0.0.1", "--minutes", "5", "--reason", "a test");
    assert.equal(await one.line(), null);
    // Whichever of the workers takes it.
    for (let i = 0; i < 6; i++) {
      const refused = await LineClient.connect(ports.stratum);
      assert.equal(await refused.line().catch(() => null), null);
      refused.close();
    }
    assert.match(await done("bans"), /127\.0\.0\.1 +\d min.* +a test/);
    await done("unban", "127.0.0.1");
    assert.equal((await run("unban", "127.0.0.1")).code, 1);
    one = await connect(MINERS[0]);
    two = await connect(MINERS[1]);
  });

  await t.step("a reload changes the next job, and refuses no share of this one", async () => {
    const height = chain.chain.head.header.number + 1;
    const [header, , boundary] = await work(one);
    assert.equal(difficultyOf(boundary!), 2n);
    const easy = () => find(header!, height, 2n, 32n);
    const getwork = async (method: string, params: unknown[]) => {
      const response = await fetch(`http://127.0.0.1:${ports.getwork}/${MINERS[1]}`, {
        ...{ method: "POST", body: JSON.stringify({ id: 1, method, params }) },
      });
      return (await response.json()).result;
    };
    assert.equal((await getwork("eth_getWork", []))[0], header);
    await settled({
      proxy: { ...config.proxy, difficulty: 32 },
      ...{ payouts: { ...config.payouts, threshold: 600_000_000 }, scheme: "pplns" },
      api: { ...config.api, notice: "at noon" },
    });
    const banned = "0x" + "44".repeat(20);
    await store.command("SADD", keys.blacklist(), banned);
    assert.ok((await connect(banned)).headerHash, "lists are read once a minute by themselves");
    told.length = 0;
    const summary = await done("reload");
    assert.match(summary, /Taken over:[^]*port\[127\.0\.0\.1:\d+\]\.difficulty: 2 → 32/);
    await until("the service manager's word", () => told.length >= 2);
    assert.match(told[0]!, /^RELOADING=1/);
    assert.match(told[1]!, /^READY=1/);
    const stranger = await LineClient.connect(ports.stratum);
    const refused = await stranger.ask("eth_submitLogin", [banned, "x"]);
    assert.match(JSON.stringify(refused), /blacklisted/);
    stranger.close();
    await until("the notice", async () => {
      const facts = await (await fetch(`http://127.0.0.1:${ports.api}/api/v2/pool`)).json();
      return facts.notice === "at noon" && facts.thresholdShannon === "600000000";
    });
    assert.match(summary, /payouts\.threshold: 500000000 → 600000000/);
    assert.match(summary, /Waits for a restart:[^]*scheme: prop → pplns/);
    assert.equal(await one.submitWhole(...await easy()), "true");
    assert.equal(await getwork("eth_submitWork", [...await easy()]), true);
    // Who comes after the change finds the job as it was given to the others.
    const three = await connect(MINERS[1]);
    assert.equal(difficultyOf((await work(three))[2]!), 2n);
    chain.chain.mine(1);
    const next = await until("the next job", async () => {
      const now = await work(one);
      return now[0] !== header && now;
    });
    assert.equal(difficultyOf(next[2]!), 32n);
    for (const client of [one, two, three]) {
      assert.equal(await client.submitWhole(...await easy()), "true", "of the job before");
      assert.equal(
        await client.submitWhole(...await find(next[0]!, height + 1, 32n, SPACE)),
        "true",
      );
    }
    assert.notEqual(
      await one.submitWhole(...await find(next[0]!, height + 1, 2n, 32n)),
      "true",
    );
  });

  await t.step("a reload takes up a certificate; a broken file changes nothing", async () => {
    (await Promise.all([TlsClient.connect(tlsPort, certificates[0])])).map((one) => one.close());
    await putCertificate(certificates[1]);
    await done("reload");
    const client = await TlsClient.connect(tlsPort, certificates[1]);
    await client.close();
    await settled({ proxy: { ...config.proxy, difficulty: 1_000, stratum: { listen: "no" } } });
    const { code, text } = await run("reload");
    assert.deepEqual([code, /proxy\.stratum\.listen/.test(text)], [1, true], text);
    const before = logged("config.notReloaded");
    Deno.kill(pool.pid, "SIGHUP");
    await until("the refusal", () => logged("config.notReloaded") > before);
    const [header] = await work(one);
    chain.chain.mine(1);
    const next = await until("the next job", async () => {
      const now = await work(one);
      return now[0] !== header && now;
    });
    assert.equal(difficultyOf(next[2]!), 32n);
    await settled();
    const reloaded = logged("config.reloaded");
    Deno.kill(pool.pid, "SIGHUP");
    await until("the reload", () => logged("config.reloaded") > reloaded);
  });

  const credit = (login: string) =>
    store.multi([
      ["HINCRBY", keys.miner(login), "balance", "700000000"],
      ["HINCRBY", keys.finances(), "balance", "700000000"],
    ]);
  const paid = (login: string) =>
    until(`a payment to ${login}`, async () => {
      chain.chain.mine(1, { transactions: true, uncles: false });
      return await store.command("HGET", keys.miner(login), "paid") === "700000000";
    });
  const payer = async () => {
    const body = await (await fetch(`http://127.0.0.1:${ports.api}/api/v2/status`)).json();
    return body.parts.find((part: { name: string }) => part.name === "payer");
  };

  await t.step("paused payments stay paused over a restart, and are made after it", async () => {
    await done("payouts", "pause", "--reason", "counting");
    assert.equal((await run("payouts", "pause")).code, 1);
    await until(
      "the pause on the page",
      async () => /paused by the operator: counting/.test((await payer()).reason),
    );
    assert.match((await payer()).mend, /payouts resume/);
    await credit(MINERS[0]);
    const { code, text } = await run("pay", "now");
    assert.deepEqual([code, /paused/.test(text)], [1, true]);
    one.close();
    two.close();
    const killedMs = Date.now();
    await pool.killAndRestart();
    // The new process has looked at what is due.
    await until("the pause, found again", async () => {
      const { reason, sinceMs } = (await readStatus({ store, keys })).payer!;
      return /^paused/.test(reason) && sinceMs > killedMs;
    });
    assert.match(await done("status"), /payments +paused by/);
    const seen = (await poolChecks(loadConfig(path).config)).map(({ finding }) => finding).join();
    assert.match(seen, /it runs as process \d+: mining.*payments are paused by .*counting/);
    assert.equal(await store.command("ZCARD", keys.own.paymentsOpen()), 0);
    assert.equal(await store.command("HGET", keys.miner(MINERS[0]), "balance"), "700000000");
    await done("payouts", "resume");
    await paid(MINERS[0]);
    await credit(MINERS[1]);
    await until("the payer at rest", async () => (await payer()).reason === "next run");
    await done("pay", "now");
    await paid(MINERS[1]);
  });

  await t.step("unlock now has a pass begin", async () => {
    const scanned = async () => Number(await store.command("GET", keys.own.blocksScanned()) ?? -1);
    chain.chain.mine(40);
    const before = await scanned();
    await done("unlock", "now");
    await until("the pass", async () => await scanned() > before);
  });

  await t.step("log sets the level and shows who did what", async () => {
    await done("log", "debug");
    const client = await connect(MINERS[0]);
    await until("lines for the curious", () => logged("session.login") > 0);
    client.close();
    await done("log", "info");
    const { acts } = await json("log", "--limit", "100");
    const whats = new Set(acts.map(({ what }: { what: string }) => what));
    for (
      const what of [
        ...["ban.set", "ban.ended", "session.dropped", "config.reloaded", "payouts.paused"],
        ...["payouts.resumed", "payer.asked", "unlocker.asked", "log.level"],
      ]
    ) assert.ok(whats.has(what), `${what} is not among ${[...whats]}`);
    const failed = acts.filter(({ facts }: { facts: { result: string } }) =>
      facts.result !== "done"
    );
    assert.ok(failed.length >= 4, "what was refused is written down too");
    assert.ok(acts.some(({ who }: { who: string }) => who === "SIGHUP"));
  });

  await t.step("mistakes are named: usage 2, refused or away 1", async () => {
    for (
      const wrong of [
        ...[["dance"], ["ban"], ["status", "--login", "x"], ["drop", "a", "b"], []],
        ...[["ban", "1.2.3"], ["log", "loud"]],
      ]
    ) assert.equal((await run(...wrong)).code, 2, wrong.join(" "));
    for (const refused of [["unban", "1.2.3.4"], ["drop"], ["drop", "9-999"]]) {
      assert.equal((await run(...refused)).code, 1, refused.join(" "));
    }
    const elsewhere = `${dir}/elsewhere.json`;
    await Deno.writeTextFile(elsewhere, JSON.stringify({ ...config, name: "two" }));
    let text = "";
    assert.equal(await admin([elsewhere, "status"], (more) => text += more), 1);
    assert.match(text, /No pool answers/);
  });

  await t.step("--drain waits for the last miner, then the pool ends", async () => {
    const last = await connect(MINERS[0]);
    const child = startChild(QUARRY, [path, "--drain", "--within=1"]);
    await until("the drain", () => /No new miners are taken; sessions: 1/.test(child.output()));
    await assert.rejects(async () => {
      const late = await LineClient.connect(ports.stratum);
      late.close();
    });
    assert.ok(await work(last), "who is there mines on");
    last.close();
    assert.equal(await child.exit, 0, child.output());
    assert.match(child.output(), /No session is left; the pool ends/);
    await until("the pool's end", () => logged("pool.stopped") === 1);
    assert.equal((await run("status")).code, 1);
  });
});

/** What a pool tells its service manager, one datagram each; its rights come from the environment. */
function serviceManager(dir: string, stack: AsyncDisposableStack): string[] {
  const told: string[] = [];
  const ear = Deno.listenDatagram({ transport: "unixpacket", path: `${dir}/manager.sock` });
  const variables = { NOTIFY_SOCKET: `${dir}/manager.sock`, RUNTIME_DIRECTORY: dir };
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  const hearing = (async () => {
    for await (const [bytes] of ear) told.push(new TextDecoder().decode(bytes));
  })();
  stack.defer(async () => {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
    ear.close();
    await hearing.catch(() => {});
  });
  return told;
}
