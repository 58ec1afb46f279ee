/** The parser: defaults, every kind of refusal, and what is accepted with a warning. */
import assert from "node:assert/strict";
import { ConfigError, parseConfig, type ParsedConfig } from "./mod.ts";

const CONTEXT = {
  baseDir: "/etc/quarry",
  readSecret(reference: { file: string } | { env: string }) {
    if ("env" in reference && reference.env === "SET") return "from-env";
    throw new Error("is not there");
  },
};
const FIXTURES = new URL("../../tests/fixtures/config/", import.meta.url);
const PAYER = "0x1111111111111111111111111111111111111111";

function parse(value: unknown): ParsedConfig {
  return parseConfig(JSON.stringify(value), CONTEXT);
}

/** The problems of a file, as "path: problem". */
function problemsOf(value: unknown): string[] {
  try {
    parse(value);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { mend } of error.problems) assert.notEqual(mend, "");
    return error.problems.map(({ path, problem }) => `${path}: ${problem}`);
  }
  return [];
}

function warningsOf(value: unknown): string[] {
  return parse(value).warnings.map(({ path }) => path);
}

Deno.test("parseConfig() gives an empty file the documented defaults", () => {
  const { config, warnings } = parse({});
  assert.deepEqual(warnings, []);
  assert.equal(config.threads, 2);
  assert.equal(config.coin, "eth");
  assert.equal(config.network, undefined);
  assert.equal(config.dataDir, "/etc/quarry/data");
  assert.deepEqual(config.proxy.stratum, {
    enabled: true,
    ports: [{
      listen: { hostname: "0.0.0.0", port: 8008 },
      ...{ difficulty: 2_000_000_000n, scheme: "prop", proxyProtocol: false },
    }],
    timeoutMs: 120_000,
    maxConn: 8192,
  });
  assert.equal(config.proxy.blockRefreshIntervalMs, 120);
  assert.equal(config.proxy.difficulty, 2_000_000_000n);
  assert.equal(config.proxy.policy.banning.timeoutMs, 1_800_000);
  assert.equal(config.api.payments, 50);
  assert.deepEqual(config.api.luckWindow, [64, 128, 256]);
  assert.deepEqual(config.upstreams, [
    {
      ...{ name: "main", url: "http://127.0.0.1:8545", timeoutMs: 10_000 },
      notifyFrom: ["127.0.0.1/32"],
    },
  ]);
  assert.equal(config.unlocker.poolFeeMillionths, 1_000_000n);
  assert.deepEqual([config.unlocker.depth, config.unlocker.immatureDepth], [120, 20]);
  assert.equal(config.payouts.intervalMs, 43_200_000);
  assert.equal(config.payouts.gasPriceWei, 50_000_000_000n);
  assert.equal(config.payouts.thresholdShannon, 500_000_000n);
  assert.equal(config.payouts.confirmations, 120);
  assert.equal(config.redis.password, "");
});

Deno.test("parseConfig() gives a frozen result", () => {
  const { config } = parse({});
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.proxy.policy.banning));
});

Deno.test("parseConfig() accepts the old manual's file as it is", () => {
  const text = Deno.readTextFileSync(new URL("manual-config.jsonc", FIXTURES));
  const { config, warnings } = parseConfig(text, CONTEXT);
  assert.deepEqual(warnings.map(({ path }) => path), ["unlocker.donate"]);
  assert.equal(config.coin, "exp");
  assert.equal(config.upstreams[1]!.url, "http://127.0.0.2:9656");
  assert.equal(config.payouts.address, "");
});

Deno.test("parseConfig() accepts the old pool's shipped example as it is", () => {
  const text = Deno.readTextFileSync(new URL("config.example.json", FIXTURES));
  const { config, warnings } = parseConfig(text, CONTEXT);
  assert.deepEqual(warnings.map(({ path }) => path).sort(), [
    "newrelicEnabled",
    "newrelicKey",
    "newrelicName",
    "newrelicVerbose",
    "unlocker.donate",
  ]);
  assert.equal(config.api.payments, 30);
  assert.equal(config.payouts.intervalMs, 7_200_000);
});

Deno.test("parseConfig() matches keys without regard to case, once each", () => {
  const { config } = parse({ PROXY: { Stratum: { MAXCONN: 7 } } });
  assert.equal(config.proxy.stratum.maxConn, 7);
  assert.match(problemsOf({ coin: "a", Coin: "b" })[0]!, /^coin: is given twice/);
});

Deno.test("parseConfig() names the nearest key for an unknown one", () => {
  assert.throws(
    () => parse({ unlocker: { poolFees: 2 }, upstream: [{ url: "http://a", timout: "1s" }] }),
    (error) => {
      const problems = (error as ConfigError).problems;
      assert.deepEqual(problems.map(({ path, mend }) => [path, mend]), [
        ["unlocker.poolFees", 'did you mean "poolFee"?'],
        ["upstream.0.timout", 'did you mean "timeout"?'],
      ]);
      return true;
    },
  );
  assert.match(problemsOf({ xyzzy: 1 })[0]!, /xyzzy: is no known key/);
});

Deno.test("parseConfig() lists every problem at once, row by row and across rows", () => {
  const problems = problemsOf({
    threads: "2",
    proxy: { listen: "here", difficulty: 0, healthCheck: 1 },
    unlocker: { poolFee: 101, depth: 16, interval: "10 min" },
    payouts: { enabled: true, threshold: 1.5 },
  });
  const paths = problems.map((line) => line.split(":")[0]);
  for (
    const path of [
      ...["threads", "proxy.listen", "proxy.difficulty", "proxy.healthCheck"],
      ...["unlocker.poolFee", "unlocker.depth", "unlocker.interval"],
      ...["payouts.threshold", "payouts.address", "payouts.signer"],
    ]
  ) assert.ok(paths.includes(path), `${path} in ${paths}`);
});

Deno.test("parseConfig() refuses bad values with what stands there", () => {
  const cases: [unknown, RegExp][] = [
    [{ threads: 2.5 }, /threads: expected whole number, current value is 2.5/],
    [{ threads: null }, /threads: expected/],
    [{ api: [] }, /api: expected object/],
    [{ coin: "a b" }, /coin: has a form/],
    [{ name: "a:b" }, /name: contains ":"/],
    [{ upstream: [{ url: "ftp://a" }] }, /upstream.0.url: expected an http URL/],
    [{ upstream: [{}] }, /upstream.0.url: is missing/],
    [{ upstream: [] }, /upstream: is empty/],
    [{ upstream: ["a", "a"].map((name) => ({ name, url: "http://a" })) }, /1.name: is taken/],
    [{ coinbases: ["0x12"] }, /coinbases.0: expected an address/],
    [{ network: "clasic" }, /network: is no known chain/],
    [{ network: { chainId: 1 } }, /network.rewards: is missing/],
    [{ network: 5 }, /network: has the wrong type/],
    [{ log: { level: "loud" } }, /log.level: is none of the known values/],
    [{ payouts: { gas: 21000 } }, /payouts.gas: expected string/],
    [{ payouts: { gas: "2e4" } }, /payouts.gas: expected a whole number in quotes/],
    [{ payouts: { gas: "0x5207" } }, /payouts.gas: is below 21000/],
    [{ payouts: { autoGas: false, maxFee: "5" } }, /payouts.gasPrice: is above payouts.maxFee/],
    [{ proxy: { trustedProxies: ["10.0.0.0/33"] } }, /trustedProxies.0: expected an address/],
    [{ api: { hashrateWindow: "4h" } }, /api.hashrateLargeWindow: is shorter/],
    [{ api: { listen: "127.0.0.1:8008" } }, /api.listen: takes port 8008/],
    [{ unlocker: { immatureDepth: 8 } }, /unlocker.immatureDepth: must be at least 16/],
    [{ unlocker: { depth: 32, immatureDepth: 32 } }, /unlocker.depth: is 32, not more/],
    [{ unlocker: { poolFeeAddress: "0x0" } }, /poolFeeAddress: expected an address/],
    [{ redis: { password: { env: "UNSET" } } }, /redis.password: is not there/],
    [{ redis: { password: {} } }, /redis.password: needs exactly one/],
    [{ payouts: { enabled: true, address: PAYER } }, /payouts.signer: is missing/],
    [
      { payouts: { signer: { keyFile: "a", privateKeyEnv: "b" } } },
      /payouts.signer: has more than one/,
    ],
    [
      { payouts: { signer: { keystore: { file: "a" } } } },
      /keystore: has no passphrase/,
    ],
    [
      { payouts: { batch: { contract: PAYER }, feePaidBy: "miner" } },
      /payouts.batch: cannot be used with payouts.feePaidBy miner/,
    ],
    [{ payouts: { batch: { contract: PAYER }, autoGas: false } }, /cannot be used with .*autoGas/],
    [{ payouts: { batch: { contract: PAYER, size: 1 } } }, /payouts.batch.size/],
  ];
  for (const [value, expected] of cases) {
    const problems = problemsOf(value);
    assert.equal(problems.length, 1, `${JSON.stringify(value)}: ${problems}`);
    assert.match(problems[0]!, expected);
  }
});

Deno.test("parseConfig() refuses what only later versions can do, never ignores it", () => {
  const cases: [unknown, string][] = [
    [{ redis: { managed: {} } }, "redis.managed"],
  ];
  for (const [value, path] of cases) {
    const problems = problemsOf(value);
    assert.equal(problems.length, 1, JSON.stringify(value));
    assert.match(problems[0]!, new RegExp(`${path}: is not supported yet by this version`));
  }
  assert.match(problemsOf({ scheme: "pps" })[0]!, /is none of the known values/);
});

Deno.test("parseConfig() reads where the full dataset is kept and how large it may be", () => {
  const read = (verifier: unknown) => parse({ dataDir: "/d", verifier }).config.verifier;
  assert.deepEqual(read({}), { dag: "off", dir: "/d/dag" });
  assert.deepEqual(read({ dag: "file", dir: "/big", memoryLimit: "6GiB", threads: 3 }), {
    ...{ dag: "file", dir: "/big", memoryLimitBytes: 6 * 2 ** 30, threads: 3 },
  });
  assert.equal(read({ dag: "memory", memoryLimit: 5_000 }).memoryLimitBytes, 5_000);
  assert.match(problemsOf({ verifier: { memoryLimit: "lots" } })[0]!, /verifier\.memoryLimit/);
  assert.match(problemsOf({ verifier: { dag: "full" } })[0]!, /verifier\.dag/);
});

Deno.test("parseConfig() judges the rest of a file whose lists and objects do not fit", () => {
  const problems = problemsOf({
    threads: "two",
    upstream: [{ name: "a" }, { name: "b", url: 5 }],
    unlocker: { enabled: true, depth: 3 },
    payouts: { enabled: true, address: "0x0", signer: { keyFile: 7 } },
  });
  for (
    const path of ["threads", "upstream", "unlocker.depth", "payouts.address", "payouts.signer"]
  ) {
    assert.ok(problems.some((line) => line.startsWith(path)), `${path} in ${problems.join("; ")}`);
  }
});

Deno.test("parseConfig() switches stratum off with proxy.enabled, and says so", () => {
  const file = { proxy: { enabled: false, stratum: { enabled: true } } };
  assert.equal(parse(file).config.proxy.stratum.enabled, false);
  assert.deepEqual(warningsOf(file), ["proxy.enabled"]);
  assert.deepEqual(warningsOf({ proxy: { enabled: false } }), []);
});

Deno.test("parseConfig() trusts near proxies only when none are named, and says so", () => {
  const file = { proxy: { behindReverseProxy: true } };
  assert.deepEqual(warningsOf(file), ["proxy.behindReverseProxy"]);
  assert.ok(parse(file).config.proxy.trustedProxies.includes("127.0.0.0/8"));
  const named = parse({ proxy: { behindReverseProxy: true, trustedProxies: ["192.0.2.1"] } });
  assert.deepEqual(named.config.proxy.trustedProxies, ["192.0.2.1/32"]);
  assert.deepEqual(named.warnings, []);
  assert.deepEqual(warningsOf({ proxy: { trustedProxies: ["192.0.2.1"] } }), [
    "proxy.trustedProxies",
  ]);
});

Deno.test("parseConfig() reads a private chain and lets its depths be short", () => {
  const { config } = parse({
    network: {
      chainId: 1337,
      algorithm: "etchash",
      ecip1099Height: 0,
      rewards: [{ fromHeight: 0, reward: "2.5" }, { fromHeight: 10, reward: "2" }],
      depth: 4,
    },
  });
  assert.deepEqual(config.network, {
    chainId: 1337,
    ...{ name: "private", testnet: false },
    algorithm: "etchash",
    ecip1099Height: 0,
    rewards: [
      { fromHeight: 0, rewardWei: 2_500_000_000_000_000_000n },
      { fromHeight: 10, rewardWei: 2_000_000_000_000_000_000n },
    ],
    uncleRule: "ethereum",
    baseFee: "none",
  });
  assert.deepEqual([config.unlocker.depth, config.unlocker.immatureDepth], [4, 3]);
  assert.equal(config.payouts.confirmations, 4);
});

Deno.test("parseConfig() takes secrets by reference and paths from the file's folder", () => {
  const { config } = parse({
    redis: { password: { env: "SET" } },
    payouts: {
      enabled: true,
      address: PAYER.toUpperCase().replace("X", "x"),
      signer: {
        keystore: { file: "key.json", passphraseFile: "/run/pass" },
      },
    },
  });
  assert.equal(config.redis.password, "from-env");
  assert.equal(config.payouts.address, PAYER);
  assert.deepEqual(config.payouts.signer, {
    kind: "keystore",
    file: "/etc/quarry/key.json",
    passphrase: { file: "/run/pass" },
  });
});

Deno.test("parseConfig() reads the limits of payments, and refuses ones that contradict each other", () => {
  const read = (payouts: unknown) => parse({ payouts }).config.payouts;
  const plain = read({});
  assert.deepEqual(
    [plain.dailyCapShannon, plain.minThresholdShannon, plain.feePaidBy, plain.gasLimit],
    [undefined, 500_000_000n, "pool", 200_000n],
  );
  const set = read({
    ...{ autoGas: false, gas: "0x7530", gasPrice: "0x3b9aca00", gasLimit: "30000" },
    ...{ threshold: 100, minThreshold: 50, dailyCap: 1_000, feePaidBy: "miner" },
  });
  assert.deepEqual([set.gas, set.gasPriceWei, set.gasLimit], [30_000n, 10n ** 9n, 30_000n]);
  assert.deepEqual(
    [set.minThresholdShannon, set.dailyCapShannon, set.feePaidBy],
    [50n, 1_000n, "miner"],
  );
  const cases: [unknown, RegExp][] = [
    [{ minThreshold: 101, threshold: 100 }, /minThreshold: is above payouts.threshold/],
    [{ dailyCap: 99, threshold: 100 }, /dailyCap: is below payouts.threshold/],
    [{ gasLimit: "20999" }, /gasLimit: is below 21000/],
    [{ autoGas: false, gas: "30000", gasLimit: "29999" }, /gasLimit: is below payouts.gas/],
    [{ feePaidBy: "nobody" }, /feePaidBy: is none of the known values/],
  ];
  for (const [payouts, message] of cases) assert.match(problemsOf({ payouts })[0]!, message);
});

Deno.test("parseConfig() reads every kind of signer", () => {
  const read = (signer: unknown) => parse({ payouts: { signer } }).config.payouts.signer;
  assert.deepEqual(read({ keyFile: "a" }), { kind: "key", key: { file: "/etc/quarry/a" } });
  assert.deepEqual(read({ privateKeyEnv: "A" }), { kind: "key", key: { variable: "A" } });
  assert.deepEqual(read({ keyCredential: "a" }), { kind: "key", key: { credential: "a" } });
  assert.deepEqual(read({ remote: "https://signer:9000" }), {
    kind: "remote",
    url: "https://signer:9000",
  });
  assert.deepEqual(read({ node: true }), { kind: "node" });
  const sources = [{ passphraseEnv: "A" }, { passphraseCredential: "a" }];
  assert.deepEqual(
    sources.map((source) => read({ keystore: { file: "/k", ...source } })),
    [{ variable: "A" }, { credential: "a" }]
      .map((passphrase) => ({ kind: "keystore", file: "/k", passphrase })),
  );
  const twice = { keystore: { file: "/k", passphraseEnv: "A", passphraseFile: "b" } };
  assert.match(problemsOf({ payouts: { signer: twice } })[0]!, /has more than one passphrase/);
  for (const name of ["../a", "..", ""]) {
    assert.match(problemsOf({ payouts: { signer: { keyCredential: name } } })[0]!, /keyCredential/);
  }
});

Deno.test("parseConfig() puts the operator's socket beside the journals, or where it is told", () => {
  const socketOf = (api: unknown, coin = "etc") =>
    parseConfig(JSON.stringify({ coin, name: "eu1", dataDir: "data", api }), {
      ...{ baseDir: "/srv", readSecret: () => "" },
    }).config.api.adminSocket;
  assert.equal(socketOf({}), "/srv/data/etc-eu1.admin/admin.sock");
  assert.equal(socketOf({ adminSocket: "/run/quarry/admin.sock" }), "/run/quarry/admin.sock");
  assert.equal(socketOf({ adminSocket: "" }), undefined);
  assert.match(
    problemsOf({ api: { adminSocket: "/" + "x".repeat(107) } })[0]!,
    /107 bytes at most/,
  );
});
