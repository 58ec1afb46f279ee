/** Stratum ports, difficulty, extranonces, schemes, pushed work and the policy's newer keys. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError, parseConfig, type ParsedConfig } from "./mod.ts";
import { multiple } from "./scalars.ts";

const CONTEXT = {
  baseDir: "/etc/quarry",
  readSecret(): string {
    throw new Error("is not there");
  },
};

function parse(value: unknown): ParsedConfig {
  return parseConfig(JSON.stringify(value), CONTEXT);
}

/** The one problem of a file, as "path: problem, mend". */
function problemOf(value: unknown): string {
  try {
    parse(value);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    assert.equal(error.problems.length, 1, error.message);
    const { path, problem, mend } = error.problems[0]!;
    assert.notEqual(mend, "");
    return `${path}: ${problem}, ${mend}`;
  }
  assert.fail(`accepted ${JSON.stringify(value)}`);
}

function warningsOf(value: unknown): string[] {
  return parse(value).warnings.map(({ path }) => path);
}

const VAR_DIFF = {
  ...{ targetTimeMs: 15_000, minDiff: 100_000_000n, maxDiff: 1_000_000_000_000_000n },
  ...{ variancePercent: 30, maxJump: 50 },
};

Deno.test("stratumPorts stand behind the first port and take its settings as defaults", () => {
  const { config, warnings } = parse({
    scheme: "prop",
    proxy: { difficulty: 5_000_000_000, varDiff: {}, tls: { cert: "a.pem", key: "/k/a.key" } },
    stratumPorts: [
      { listen: ":9009" },
      {
        ...{ listen: "127.0.0.1:9010", difficulty: "1000000000000", varDiff: false },
        ...{ scheme: "prop", tls: { cert: "b.pem", key: "b.key", only: true } },
      },
    ],
  });
  assert.deepEqual(warnings, []);
  assert.equal(config.scheme, "prop");
  assert.equal(config.proxy.stratum.enabled, true);
  assert.deepEqual(config.proxy.stratum.ports, [
    {
      listen: { hostname: "0.0.0.0", port: 8008 },
      ...{ difficulty: 5_000_000_000n, varDiff: VAR_DIFF, scheme: "prop" },
      tls: { cert: "/etc/quarry/a.pem", key: "/k/a.key", only: false },
      proxyProtocol: false,
    },
    {
      listen: { hostname: "0.0.0.0", port: 9009 },
      ...{ difficulty: 5_000_000_000n, varDiff: VAR_DIFF, scheme: "prop", proxyProtocol: false },
    },
    {
      listen: { hostname: "127.0.0.1", port: 9010 },
      ...{ difficulty: 1_000_000_000_000n, scheme: "prop", proxyProtocol: false },
      tls: { cert: "/etc/quarry/b.pem", key: "/etc/quarry/b.key", only: true },
    },
  ]);
});

Deno.test("each port has a scheme of its own, else the file's", () => {
  const port = { listen: ":9009", scheme: "solo" };
  const { config } = parse({ scheme: "pplns", stratumPorts: [port, { listen: ":9010" }] });
  assert.equal(config.scheme, "pplns");
  const schemes = config.proxy.stratum.ports.map((port) => port.scheme);
  assert.deepEqual(schemes, ["pplns", "solo", "pplns"]);
  assert.deepEqual(warningsOf({ scheme: "pplns", stratumPorts: [port, { listen: ":9010" }] }), [
    "stratumPorts.0.scheme",
  ]);
  assert.deepEqual(warningsOf({ scheme: "solo", stratumPorts: [port] }), []);
});

Deno.test("stratumPorts open although proxy.enabled closes getwork and the first port", () => {
  const file = { proxy: { enabled: false, stratum: {} }, stratumPorts: [{ listen: ":9009" }] };
  const { config, warnings } = parse(file);
  assert.deepEqual(warnings, []);
  assert.equal(config.proxy.enabled, false);
  assert.equal(config.proxy.stratum.enabled, true);
  assert.deepEqual(config.proxy.stratum.ports.map(({ listen }) => listen.port), [9009]);
  const closed = parse({ proxy: { stratum: { enabled: false } }, stratumPorts: [] }).config;
  assert.deepEqual([closed.proxy.stratum.enabled, closed.proxy.stratum.ports], [false, []]);
  assert.match(problemOf({ ...file, upstream: [] }), /^upstream: is empty/);
});

Deno.test("varDiff is off by default, on as an object or true, off with false or enabled false", () => {
  const first = (varDiff?: unknown) =>
    parse({ proxy: { varDiff } }).config.proxy.stratum.ports[0]!.varDiff;
  assert.equal(first(), undefined);
  assert.equal(first(false), undefined);
  assert.equal(first({ enabled: false, targetTime: "9s" }), undefined);
  assert.deepEqual(first(true), VAR_DIFF);
  assert.deepEqual(first({}), VAR_DIFF);
});

Deno.test("varDiff reads open-etc-pool-friends' object, whose targetTime counts seconds", () => {
  const { config } = parse({
    proxy: {
      difficulty: 17179869184,
      varDiff: {
        ...{ minDiff: 17179869184, maxDiff: 68719476736, targetTime: 100 },
        ...{ variancePercent: 30, maxJump: 50 },
      },
    },
  });
  assert.deepEqual(config.proxy.stratum.ports[0]!.varDiff, {
    ...{ targetTimeMs: 100_000, minDiff: 17_179_869_184n, maxDiff: 68_719_476_736n },
    ...{ variancePercent: 30, maxJump: 50 },
  });
});

Deno.test("varDiff without bounds of its own takes in the port's difficulty", () => {
  const bounds = (difficulty: string) => {
    const { varDiff } = parse({ proxy: { difficulty, varDiff: {} } }).config.proxy.stratum
      .ports[0]!;
    return [varDiff!.minDiff, varDiff!.maxDiff];
  };
  assert.deepEqual(bounds("1000"), [1000n, 10n ** 15n]);
  assert.deepEqual(bounds(String(10n ** 20n)), [100_000_000n, 10n ** 20n]);
});

Deno.test("scheme, pplns, extranonce, niceHashMinDiff and fixedDiff have defaults", () => {
  const { config } = parse({});
  assert.equal(config.proxy.stratum.ports[0]!.scheme, "prop");
  assert.equal(config.pplns.windowMilli, 2_000n);
  assert.deepEqual([config.extranonce, config.instance], ["single", undefined]);
  assert.equal(config.proxy.niceHashMinDifficulty, 4_000_000_000n);
  assert.equal(config.proxy.soloByLogin, true);
  assert.equal(parse({ proxy: { soloByLogin: false } }).config.proxy.soloByLogin, false);
  assert.deepEqual(config.proxy.askedDifficulty, { min: 1_000_000n, max: 10n ** 15n });
  assert.equal(config.proxy.notifyListen, undefined);
  const { limits, banning } = config.proxy.policy;
  assert.deepEqual([limits.perAddress, limits.sharesPerSecond], [0, 0]);
  assert.equal(banning.firewall, undefined);
});

Deno.test("instance and extranonce go together", () => {
  const { config, warnings } = parse({ extranonce: "leased", instance: 255 });
  assert.deepEqual([config.extranonce, config.instance, warnings], ["leased", 255, []]);
  assert.equal(parse({ instance: 0, extranonce: "leased" }).config.instance, 0);
  assert.deepEqual(warningsOf({ instance: 3 }), ["instance"]);
});

Deno.test("multiple keeps every thousandth of pplns.window, as text and as number", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 9_999_999 }), (milli) => {
    const digits = String(milli).padStart(4, "0");
    const text = `${digits.slice(0, -3)}.${digits.slice(-3)}`;
    assert.equal(multiple.parse(text), BigInt(milli));
    assert.equal(multiple.parse(Number(text)), BigInt(milli));
  }));
  for (const bad of ["0", "0.000", "-1", "1.0001", "1e3", "", 0, -2, 1e21, 0.0001]) {
    assert.equal(multiple.safeParse(bad).success, false, String(bad));
  }
});

Deno.test("upstream[].notifyFrom is the address in url unless it is named", () => {
  const ranges = (url: string) => parse({ upstream: [{ url }] }).config.upstreams[0]!.notifyFrom;
  assert.deepEqual(ranges("http://10.1.2.3:8545"), ["10.1.2.3/32"]);
  assert.deepEqual(ranges("http://[2001:db8::7]:8545"), ["2001:db8::7/128"]);
  assert.deepEqual(ranges("http://localhost:8545"), ["127.0.0.0/8", "::1/128"]);
  assert.deepEqual(ranges("http://node.example"), []);
  const upstream = [
    { url: "http://node.example", ws: "wss://node.example/ws" },
    { url: "http://other.example", notifyFrom: ["192.0.2.0/24", "192.0.3.1"] },
  ];
  const { config, warnings } = parse({ proxy: { notifyListen: ":8899" }, upstream });
  assert.deepEqual(warnings.map(({ path }) => path), ["upstream.0.notifyFrom"]);
  assert.deepEqual(config.proxy.notifyListen, { hostname: "0.0.0.0", port: 8899 });
  assert.equal(config.upstreams[0]!.ws, "wss://node.example/ws");
  assert.deepEqual(config.upstreams[1]!.notifyFrom, ["192.0.2.0/24", "192.0.3.1/32"]);
  assert.deepEqual(warningsOf({ upstream }), []);
});

Deno.test("proxyProtocol believes trustedProxies, or near proxies with a warning", () => {
  const ports = [{ listen: ":9009" }, { listen: ":9010", proxyProtocol: true }];
  const { config, warnings } = parse({ stratumPorts: ports });
  assert.deepEqual(warnings.map(({ path }) => path), ["stratumPorts.1.proxyProtocol"]);
  assert.ok(config.proxy.trustedProxies.includes("127.0.0.0/8"));
  const named = parse({ proxy: { proxyProtocol: true, trustedProxies: ["192.0.2.1"] } });
  assert.deepEqual(named.warnings, []);
  assert.deepEqual(named.config.proxy.trustedProxies, ["192.0.2.1/32"]);
  assert.equal(named.config.proxy.behindReverseProxy, false);
  assert.deepEqual(warningsOf({ proxy: { proxyProtocol: true } }), ["proxy.proxyProtocol"]);
});

Deno.test("policy.banning names one firewall: ipset, or nftables in its place", () => {
  const firewall = (banning: unknown) =>
    parse({ proxy: { policy: { banning } } }).config.proxy.policy.banning.firewall;
  assert.deepEqual(firewall({ enabled: true, ipset: "blacklist" }), {
    ...{ kind: "ipset", set: "blacklist" },
  });
  assert.equal(firewall({ enabled: true, ipset: "" }), undefined);
  const nftables = { kind: "nftables", family: "inet", table: "quarry", set: "banned" };
  assert.deepEqual(firewall({ nftables: "inet quarry banned" }), nftables);
  assert.deepEqual(firewall({ nftables: "inet quarry banned", ipset: "blacklist" }), nftables);
  assert.deepEqual(warningsOf({ proxy: { policy: { banning: { ipset: "blacklist" } } } }), []);
  assert.deepEqual(
    warningsOf({
      proxy: {
        policy: { banning: { enabled: true, ipset: "blacklist", nftables: "ip quarry banned" } },
      },
    }),
    ["proxy.policy.banning.ipset"],
  );
});

Deno.test("keys of the first port say when that port is closed", () => {
  const tls = { cert: "a.pem", key: "a.key" };
  assert.deepEqual(warningsOf({ proxy: { enabled: false, tls } }), ["proxy.tls"]);
  assert.deepEqual(
    warningsOf({ proxy: { stratum: { enabled: false }, tls } }),
    ["proxy.tls"],
  );
});

Deno.test("the newer keys refuse bad values with what stands there and the mend", () => {
  const listen = ":9009";
  const cases: [unknown, RegExp][] = [
    [{ scheme: "pps" }, /^scheme: is none of the known values.*"pps", write one of "prop"/],
    [{ scheme: { pplns: {} } }, /^scheme: /],
    [{ pplns: { window: "two" } }, /^pplns.window: expected a multiple.*"two"/],
    [{ pplns: { window: 0 } }, /^pplns.window: expected a multiple/],
    [{ instance: 256 }, /^instance: must be at most 255, current value is 256/],
    [{ instance: -1 }, /^instance: must be at least 0/],
    [{ extranonce: "none" }, /^extranonce: is none of the known values/],
    [{ stratumPorts: {} }, /^stratumPorts: expected array/],
    [{ stratumPorts: [{}] }, /^stratumPorts.0.listen: is missing/],
    [{ stratumPorts: [{ listen: "here" }] }, /^stratumPorts.0.listen: expected host:port/],
    [{ stratumPorts: [{ listen, dificulty: 1 }] }, /stratumPorts.0.dificulty.*"difficulty"/],
    [{ stratumPorts: [{ listen, difficulty: 0 }] }, /stratumPorts.0.difficulty: must be at least/],
    [{ stratumPorts: [{ listen, scheme: "x" }] }, /stratumPorts.0.scheme: is none of/],
    [{ stratumPorts: [{ listen, varDiff: 5 }] }, /stratumPorts.0.varDiff: has the wrong type/],
    [{ stratumPorts: [{ listen, tls: { cert: "a" } }] }, /stratumPorts.0.tls.key: is missing/],
    [{ proxy: { varDiff: { targetTime: "soon" } } }, /proxy.varDiff.targetTime: expected a dur/],
    [{ proxy: { varDiff: { targetTime: 0 } } }, /proxy.varDiff.targetTime: expected a duration/],
    [{ proxy: { varDiff: { minDiff: 9, maxDiff: 8 } } }, /varDiff.minDiff: is above maxDiff/],
    [
      { proxy: { varDiff: { minDiff: 5_000_000_000 } } },
      /proxy.difficulty: is 2000000000, outside the bounds of varDiff, 5000000000 to/,
    ],
    [{ proxy: { varDiff: { maxJump: 0 } } }, /proxy.varDiff.maxJump: must be at least 1/],
    [{ proxy: { varDiff: { variancePercent: 100 } } }, /variancePercent: must be at most 99/],
    [{ proxy: { fixedDiff: { min: 9, max: 8 } } }, /fixedDiff.min: is above proxy.fixedDiff.max/],
    [{ proxy: { niceHashMinDiff: -1 } }, /proxy.niceHashMinDiff: must be at least 1/],
    [{ proxy: { notifyListen: "8899" } }, /proxy.notifyListen: expected host:port/],
    [{ upstream: [{ url: "http://a", ws: "http://a" }] }, /upstream.0.ws: expected a ws URL/],
    [{ upstream: [{ url: "http://a", notifyFrom: ["x"] }] }, /notifyFrom.0: expected an address/],
    [{ proxy: { policy: { limits: { perAddress: -1 } } } }, /limits.perAddress: must be at least/],
    [{ proxy: { policy: { limits: { sharesPerSecond: "9" } } } }, /sharesPerSecond: expected num/],
    [{ proxy: { policy: { banning: { ipset: "a b" } } } }, /ipset: expected the name of a set/],
    [{ proxy: { policy: { banning: { ipset: "-exist" } } } }, /ipset: expected the name of a set/],
    [
      { proxy: { policy: { banning: { nftables: "banned" } } } },
      /nftables: expected family, table/,
    ],
    [{ proxy: { policy: { banning: { nftables: "inet a b;c" } } } }, /nftables: expected family/],
    [{ proxy: { stratum: { certFile: "a.pem" } } }, /certFile: is no key.*write proxy.tls.cert/],
  ];
  for (const [value, expected] of cases) {
    assert.match(problemOf(value), expected, JSON.stringify(value));
  }
});

Deno.test("no two doors share a port", () => {
  const cases: [unknown, RegExp][] = [
    [
      { stratumPorts: [{ listen: ":8008" }] },
      /stratumPorts.0.listen: takes port 8008, which proxy/,
    ],
    [
      { stratumPorts: [{ listen: "127.0.0.1:8080" }] },
      /api.listen: takes port 8080, which stratum/,
    ],
    [
      { proxy: { notifyListen: ":8888" } },
      /proxy.notifyListen: takes port 8888, which proxy.listen/,
    ],
    [
      { stratumPorts: [{ listen: ":9009" }, { listen: "[::]:9009" }] },
      /stratumPorts.1.listen: takes port 9009, which stratumPorts.0.listen has/,
    ],
  ];
  for (const [value, expected] of cases) assert.match(problemOf(value), expected);
  const free = { proxy: { enabled: false }, stratumPorts: [{ listen: ":8008" }] };
  assert.deepEqual(parse(free).warnings, []);
  const apart = [{ listen: "127.0.0.1:9009" }, { listen: "127.0.0.2:9009" }];
  assert.equal(parse({ stratumPorts: apart }).config.proxy.stratum.ports.length, 3);
});

Deno.test("keys of the newer rows match without regard to case too", () => {
  const { config } = parse({
    STRATUMPORTS: [{ LISTEN: ":9009", VARDIFF: { TARGETTIME: "20s" } }],
    PPLNS: { Window: 1.5 },
  });
  assert.equal(config.proxy.stratum.ports[1]!.varDiff!.targetTimeMs, 20_000);
  assert.equal(config.pplns.windowMilli, 1_500n);
});
