/**
 * The samples for HAProxy and nginx in front of two mining processes and an API: who the miner is,
 * where new miners go while one process drains, and what browsers get.
 */
import assert from "node:assert/strict";
import { silentLogger } from "../../modules/base/mod.ts";
import { openVerifier } from "../../modules/ethash/mod.ts";
import { DEFAULT_PAGE, servePage } from "../../modules/api/static.ts";
import { Hono } from "hono";
import { startDevChain } from "../../scripts/dev_chain/start.ts";
import { makeCertificate } from "../support/certificate.ts";
import { curl, installFronts, Miner, sample, startHaproxy, startNginx } from "../support/fronts.ts";
import { freePorts, type PoolPorts, startPool, type TestPool } from "../support/pool.ts";
import { freePort, until } from "../support/process.ts";
import { startRedis } from "../support/redis.ts";

const LOGIN = "0x" + "11".repeat(20);

interface Instance {
  pool: TestPool;
  ports: PoolPorts;
  health: number;
  /** Sessions by its own word, whether it is ready or not. */
  sessions(): Promise<number>;
}

Deno.test("the samples for HAProxy and nginx", async (t) => {
  await installFronts();
  const dir = await Deno.makeTempDir({ prefix: "quarry-front-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dir, { recursive: true }));
  const redis = stack.use(await startRedis());
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log: silentLogger });
  stack.defer(() => verifier.close());
  const chain = stack.use(
    await startDevChain({
      ...{ coinbase: "0x" + "ab".repeat(20), difficulty: 10n ** 15n, pow: verifier },
    }),
  );
  const certificate = makeCertificate("front");
  await Deno.writeTextFile(`${dir}/pool.pem`, certificate.cert + certificate.key);
  await Deno.writeTextFile(`${dir}/fullchain.pem`, certificate.cert);
  await Deno.writeTextFile(`${dir}/key.pem`, certificate.key);
  const instances = await Promise.all(["eu1", "eu2"].map(async (name): Promise<Instance> => {
    const ports = freePorts(), health = freePort();
    const config = configOf(name, dir, chain.url, redis.endpoint, ports, health);
    const pool = await startPool(`${dir}/${name}.json`, config, ports);
    const sessions = async () => {
      const response = await fetch(`http://127.0.0.1:${health}/readyz`);
      return (await response.json()).sessions;
    };
    return { pool, ports, health, sessions };
  }));
  for (const { pool } of instances) stack.use(pool);
  const [one, two] = instances as [Instance, Instance];
  const sawLogin = (ip: string) =>
    instances.some(({ pool }) =>
      pool.output().split("\n").some((line) =>
        line.includes("session.login") && line.includes(`"ip":"${ip}"`)
      )
    );
  const nginx = await nginxOf(dir, one, two);
  const web = { plain: freePort(), tls: freePort() };

  await t.step("nginx: the page, whole, small and under the pool's own policy", async () => {
    await using _ = await startNginx(dir, nginx.files, nginx.ports);
    const base = `https://localhost:${nginx.at.web}`;
    const trust = [
      "--cacert",
      `${dir}/fullchain.pem`,
      "--resolve",
      `localhost:${nginx.at.web}:127.0.0.1`,
    ];
    const get = (path: string, from: string, ...args: string[]) =>
      curl(base + path, from, ...trust, ...args);
    const own = new Hono().use("*", servePage(DEFAULT_PAGE));
    const door = await own.request("/", { headers: { accept: "text/html" } });
    const page = await get("/", "127.0.0.2");
    assert.equal(page.status, 200);
    assert.equal(page.body, await door.text());
    for (const [name, value] of door.headers) {
      if (/^(etag|vary|content-type)$/.test(name)) continue;
      assert.equal(page.headers.get(name), value, name);
    }
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.match(page.headers.get("strict-transport-security")!, /max-age/);
    assert.equal(
      (await get(`/miners/${LOGIN}`, "127.0.0.2")).body,
      page.body,
      "a page of the router",
    );
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.body)![1]!;
    const small = await get(
      script,
      "127.0.0.2",
      "-H",
      "Accept-Encoding: gzip",
      "-o",
      "/dev/null",
      "-D",
      "-",
    );
    assert.equal(small.headers.get("content-encoding"), "gzip");
    assert.equal(small.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.match(small.headers.get("content-type")!, /javascript/);
    for (const path of ["/assets/none.js", "/none.txt", "/healthz", "/readyz", `${script}.gz`]) {
      assert.equal((await get(path, "127.0.0.2")).status, 404, path);
    }
    const plain = await curl(`http://127.0.0.1:${nginx.at.plain}/x`, "127.0.0.2");
    assert.equal(plain.status, 301);

    await connectThrough(nginx.at.web, "pool.example", trust[1]!);

    // The API counts requests by the browser's address, whatever the browser says it is.
    const ask = (from: string) =>
      get("/api/v2/pool", from, "-H", `X-Forwarded-For: 10.9.8.${Math.floor(Math.random() * 200)}`);
    let last = 0;
    for (let i = 0; i < 12 && last !== 429; i++) last = (await ask("127.0.0.5")).status;
    assert.equal(last, 429, "one address has used its requests up");
    assert.notEqual((await ask("127.0.0.6")).status, 429, "another has not");
    const events = await get("/api/v2/events", "127.0.0.7", "--max-time", "2");
    assert.equal(events.status, 200, "the head of an open stream comes at once");
    assert.match(events.headers.get("content-type")!, /^text\/event-stream/);
    await getworkThrough(nginx.at.getwork, instances);
    await stratumThrough(
      { plain: nginx.at.stratum, tls: nginx.at.stratumTls },
      certificate.cert,
      sawLogin,
      10,
    );
  });

  await t.step("HAProxy: each miner's own address, TLS, getwork and the API", async () => {
    const at = { stratum: freePort(), tls: freePort(), getwork: freePort() };
    await Deno.writeTextFile(
      `${dir}/haproxy.cfg`,
      await sample("haproxy/haproxy.cfg", {
        "maxconn 20000": "maxconn 1000",
        "bind :8008": `bind 127.0.0.1:${at.stratum}`,
        "bind :8443": `bind 127.0.0.1:${at.tls}`,
        "bind :8888": `bind 127.0.0.1:${at.getwork}`,
        "bind :80\n": `bind 127.0.0.1:${web.plain}\n`,
        "bind :443": `bind 127.0.0.1:${web.tls}`,
        "/etc/haproxy/pool.pem": `${dir}/pool.pem`,
        "10.0.0.11:8008 send-proxy-v2 port 8081":
          `127.0.0.1:${one.ports.stratum} send-proxy-v2 port ${one.health}`,
        "10.0.0.12:8008 send-proxy-v2 port 8081":
          `127.0.0.1:${two.ports.stratum} send-proxy-v2 port ${two.health}`,
        "10.0.0.11:8888 port 8081": `127.0.0.1:${one.ports.getwork} port ${one.health}`,
        "10.0.0.12:8888 port 8081": `127.0.0.1:${two.ports.getwork} port ${two.health}`,
        "10.0.0.21:8080": `127.0.0.1:${one.ports.api}`,
        "10.0.0.22:8080": `127.0.0.1:${two.ports.api}`,
      }),
    );
    await using _ = await startHaproxy(`${dir}/haproxy.cfg`, [
      at.stratum,
      at.tls,
      at.getwork,
      web.tls,
    ]);
    await stratumThrough({ plain: at.stratum, tls: at.tls }, certificate.cert, sawLogin, 20);
    await getworkThrough(at.getwork, instances);
    const trust = [
      "--cacert",
      `${dir}/fullchain.pem`,
      "--resolve",
      `localhost:${web.tls}:127.0.0.1`,
    ];
    const stats = await curl(`https://localhost:${web.tls}/api/stats`, "127.0.0.2", ...trust);
    assert.equal(stats.status, 200);
    assert.ok("now" in JSON.parse(stats.body));
    await connectThrough(web.tls, "pool.example", trust[1]!);
    const ready = await curl(`https://localhost:${web.tls}/readyz`, "127.0.0.2", ...trust);
    assert.equal(ready.status, 404, "health is nobody's business outside");
    assert.equal((await curl(`http://127.0.0.1:${web.plain}/x`, "127.0.0.2")).status, 301);

    // A drained process keeps its miners and gets no new one.
    const old = await Promise.all(
      Array.from({ length: 6 }, (_, i) => Miner.connect(at.stratum, `127.0.0.${30 + i}`)),
    );
    for (const miner of old) stack.defer(() => miner.close());
    for (const miner of old) assert.equal(await miner.login(LOGIN), true);
    await until("both to have miners", async () => {
      const [a, b] = [await one.sessions(), await two.sessions()];
      return a > 0 && b > 0 && a + b === old.length;
    });
    Deno.kill(one.pool.pid, "SIGUSR1");
    await until("it to be not ready", async () => {
      const response = await fetch(`http://127.0.0.1:${one.health}/readyz`);
      const { reason } = await response.json();
      return response.status === 503 && /draining/.test(reason);
    });
    const alive = await fetch(`http://127.0.0.1:${one.health}/healthz`);
    assert.deepEqual([alive.status, await alive.json()], [200, { alive: true }]);
    const kept = await one.sessions(), others = await two.sessions();
    const late = await Promise.all(
      Array.from({ length: 4 }, (_, i) => Miner.connect(at.stratum, `127.0.0.${40 + i}`)),
    );
    for (const miner of late) stack.defer(() => miner.close());
    for (const miner of late) assert.equal(await miner.login(LOGIN), true);
    await until(
      "the new ones to be at the other",
      async () => await two.sessions() === others + late.length,
    );
    assert.equal(await one.sessions(), kept);
    for (const miner of old) {
      assert.equal(miner.closed, false);
      const { result } = await miner.ask("eth_getWork", []);
      assert.ok(Array.isArray(result), "an old miner still gets work");
    }
    for (const miner of [...old, ...late]) await miner.close();
  });
});

async function stratumThrough(
  at: { plain: number; tls: number },
  ca: string,
  sawLogin: (ip: string) => boolean,
  base: number,
) {
  for (const [i, trusted] of [undefined, ca].entries()) {
    const from = `127.0.0.${base + i}`;
    const miner = await Miner.connect(trusted === undefined ? at.plain : at.tls, from, trusted);
    assert.equal(await miner.login(LOGIN), true);
    const { result } = await miner.ask("eth_getWork", []);
    assert.equal((result as string[]).length >= 3, true);
    await until(`the pool to see ${from}`, () => sawLogin(from));
    await miner.close();
  }
}

/** What `/connect` tells miners is the name that the page was asked by, and no front's own. */
async function connectThrough(port: number, host: string, ca: string) {
  const { status, body } = await curl(
    `https://localhost:${port}/api/v2/connect`,
    "127.0.0.8",
    ...["--cacert", ca, "--resolve", `localhost:${port}:127.0.0.1`, "-H", `Host: ${host}:${port}`],
  );
  assert.equal(status, 200, body);
  const { endpoints, getwork } = JSON.parse(body);
  assert.ok(endpoints.length > 0);
  for (const one of endpoints) assert.equal(one.host, host);
  assert.equal(new URL(getwork.url).hostname, host);
}

async function getworkThrough(port: number, instances: Instance[]) {
  const from = "127.0.0.9";
  const ask = (method: string, params: unknown[]) =>
    curl(
      `http://127.0.0.1:${port}/${LOGIN}/rig`,
      from,
      ...["-H", "Content-Type: application/json", "-H", "X-Forwarded-For: 10.1.1.1"],
      ...["-d", JSON.stringify({ id: 1, method, params })],
    );
  const work = await ask("eth_getWork", []);
  assert.equal(work.status, 200);
  const { result: [header] } = JSON.parse(work.body);
  // A share that cannot be: its refusal is logged with the address that it came from.
  const bad = await ask("eth_submitWork", ["0x" + "01".repeat(8), header, "0x" + "02".repeat(32)]);
  assert.notEqual(JSON.parse(bad.body).result, true);
  await until(
    "the refusal to be logged with the miner's address",
    () =>
      instances.some(({ pool }) =>
        pool.output().split("\n").some((line) =>
          line.includes("share.rejected") && line.includes(`"ip":"${from}"`)
        )
      ),
  );
}

async function nginxOf(dir: string, one: Instance, two: Instance) {
  const at = {
    ...{ plain: freePort(), web: freePort(), getwork: freePort() },
    ...{ stratum: freePort(), stratumTls: freePort() },
  };
  const files = { http: `${dir}/http.conf`, stream: `${dir}/stream.conf` };
  await Deno.writeTextFile(
    files.http,
    await sample("nginx/quarry.conf", {
      "listen 80;": `listen 127.0.0.1:${at.plain};`,
      "listen 443 ssl http2;": `listen 127.0.0.1:${at.web} ssl http2;`,
      "listen 8888;": `listen 127.0.0.1:${at.getwork};`,
      "10.0.0.21:8080": `127.0.0.1:${one.ports.api}`,
      "10.0.0.11:8888": `127.0.0.1:${one.ports.getwork}`,
      "10.0.0.12:8888": `127.0.0.1:${two.ports.getwork}`,
      "/etc/nginx/pool/": `${dir}/`,
      "/usr/lib/quarry/frontend/dist": DEFAULT_PAGE,
      "/etc/nginx/quarry-page-headers.conf":
        new URL("../../config/nginx/quarry-page-headers.conf", import.meta.url).pathname,
    }),
  );
  await Deno.writeTextFile(
    files.stream,
    await sample("nginx/quarry-stream.conf", {
      "listen 8008 ": `listen 127.0.0.1:${at.stratum} `,
      "listen 8443 ssl": `listen 127.0.0.1:${at.stratumTls} ssl`,
      "10.0.0.11:8008": `127.0.0.1:${one.ports.stratum}`,
      "10.0.0.12:8008": `127.0.0.1:${two.ports.stratum}`,
      "/etc/nginx/pool/": `${dir}/`,
    }),
  );
  return { at, files, ports: [at.web, at.getwork, at.stratum, at.stratumTls] };
}

function configOf(
  name: string,
  dir: string,
  node: string,
  redis: string,
  ports: PoolPorts,
  health: number,
) {
  return {
    ...{ threads: 1, coin: "t", name, dataDir: `${dir}/${name}`, extranonce: "leased" },
    ...{ log: { level: "debug" }, health: { listen: `127.0.0.1:${health}` } },
    network: { chainId: 1337, algorithm: "ethash", rewards: [{ fromHeight: 0, reward: "2" }] },
    proxy: {
      ...{ enabled: true, listen: `127.0.0.1:${ports.getwork}`, difficulty: 1_000 },
      ...{ behindReverseProxy: true, proxyProtocol: true, trustedProxies: ["127.0.0.1/32"] },
      stratum: { enabled: true, listen: `127.0.0.1:${ports.stratum}` },
    },
    api: { enabled: true, listen: `127.0.0.1:${ports.api}`, rateLimit: 8 },
    upstream: [{ name: "dev", url: node }],
    redis: { endpoint: redis },
  };
}
