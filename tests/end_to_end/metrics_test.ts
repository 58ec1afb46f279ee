/** What Prometheus and OpenTelemetry see of a running pool, from the first share to the payment. */
import assert from "node:assert/strict";
import { bytesToHex, hexToBytes } from "../../modules/base/mod.ts";
import { METERS } from "../../modules/metrics/mod.ts";
import { LineClient } from "../support/line_client.ts";
import { freePort, until } from "../support/process.ts";
import { openWholePool, quickUnlocker } from "../support/whole_pool.ts";

const MINER = "0x" + "22".repeat(20);
const DIFFICULTY = 64n;
/** Of the private key 1, which everybody knows. */
const WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf";
const WALLET_KEY = "0x" + "1".padStart(64, "0");
const SHARES = 150;

/** Metrics without a series here: nobody is banned, no worker dies, no node answers twice. */
const SILENT = new Set(["quarry_bans_total"]);

Deno.test("metrics count what was done, and traces show its way", async () => {
  await using stack = new AsyncDisposableStack();
  const collector = stack.use(startCollector());
  const metricsPort = freePort();
  const { pow: verifier, chain, ports } = await openWholePool(stack, {
    ...{ difficulty: DIFFICULTY, coinbase: WALLET, alloc: { [WALLET]: 10n ** 21n } },
    config: (node) => ({
      metrics: { listen: `127.0.0.1:${metricsPort}` },
      unlocker: quickUnlocker(node),
      payouts: {
        ...{ enabled: true, daemon: node, requirePeers: 0, interval: "1s", confirmations: 1 },
        ...{ address: WALLET, signer: { privateKeyEnv: "TEST_KEY" }, threshold: 500_000_000 },
      },
    }),
    env: {
      ...{ TEST_KEY: WALLET_KEY, OTEL_DENO: "true", OTEL_BSP_SCHEDULE_DELAY: "200" },
      ...{ OTEL_EXPORTER_OTLP_PROTOCOL: "http/json", OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    },
  });
  const client = await LineClient.ethProxy(ports.stratum, MINER);
  stack.defer(() => client.close());
  const { result } = await client.ask("eth_getWork", []);
  const header = (result as string[])[0]!;
  // What alerts compare begins at zero: Prometheus sees no increase in a first value.
  for (
    const series of [
      'quarry_candidates_total{worker="stratum 0"}',
      'quarry_node_solutions_total{node="dev",answer="accepted",worker="main"}',
    ]
  ) await until(series, async () => await valueOf(series) === 0);
  let sent = 0;
  let first: string | undefined;
  let block: { nonce: string; mix: string } | undefined;
  for (let n = 1; sent < SHARES || block === undefined; n++) {
    const nonce = "0x" + n.toString(16).padStart(16, "0");
    const hash = await verifier.hash(1, hexToBytes(header), BigInt(nonce));
    const mix = bytesToHex(hash.mix);
    if (hash.result * DIFFICULTY < 1n << 256n) block ??= { nonce, mix };
    else if (sent < SHARES) {
      assert.equal(await client.submitWhole(nonce, header, mix), "true");
      first ??= nonce;
      sent++;
    }
  }
  await client.submitWhole(first!, header, "0x" + "00".repeat(32));
  assert.equal(await client.submitWhole(block.nonce, header, block.mix), "true");
  await until("the block in the chain", () => chain.chain.head.header.number >= 1);
  chain.chain.mine(40, { transactions: false, uncles: false });
  await until("the payment", async () => {
    chain.chain.mine(1, { transactions: true, uncles: false });
    return (await valueOf('quarry_money_shannon{state="paid",worker="main"}')) > 0;
  }, 60_000);

  async function scrape(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  }
  async function valueOf(series: string): Promise<number> {
    const line = (await scrape()).split("\n").find((one) => one.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? NaN);
  }

  const shares = (verdict: string) =>
    `quarry_shares_total{verdict="${verdict}",worker="stratum 0"}`;
  await until(
    "all shares in the metrics",
    async () => await valueOf(shares("accepted")) === SHARES + 1,
  );
  const inStratum = (name: string) => valueOf(`${name}{worker="stratum 0"}`);
  assert.equal(await valueOf(shares("duplicate")), 1);
  assert.equal(await inStratum("quarry_share_difficulty_total"), SHARES + 1);
  assert.equal(await inStratum("quarry_candidates_total"), 1);
  assert.equal(await inStratum("quarry_sessions"), 1);
  assert.equal(await inStratum("quarry_redis_batch_shares_sum"), SHARES);
  assert.ok(await inStratum("quarry_event_loop_lag_seconds_count") > 10);
  const answered = 'quarry_submit_seconds_count{verdict="accepted",worker="stratum 0"}';
  assert.equal(await valueOf(answered), SHARES + 1);
  assert.equal(await valueOf('quarry_node_healthy{node="dev",worker="main"}'), 1);
  assert.equal(await valueOf('quarry_lease_held{role="payer",worker="main"}'), 1);
  const found =
    'quarry_log_events_total{level="info",room="stratum",event="block.found",worker="main"}';
  assert.equal(await valueOf(found), 1);

  await until("every metric of the table", async () => {
    const text = await scrape();
    const missing = Object.keys(METERS).filter((name) =>
      !SILENT.has(name) && !text.includes(`# TYPE ${name} `)
    );
    return missing.length === 0;
  });

  const wanted = ["share", "share.judge", "share.record", "block.candidate", "block.credit"];
  wanted.push("block.mature", "payment.pay", "payment.sign", "payment.send", "payment.confirm");
  await until("all spans", () => wanted.every((name) => collector.spans.has(name)));
  const parents = [["share.judge", "share"], ["payment.send", "payment.pay"]] as const;
  for (const [child, parent] of parents) {
    assert.ok(
      collector.spans.get(child)!.some(({ parentSpanId }) =>
        collector.spans.get(parent)!.some(({ spanId }) => spanId === parentSpanId)
      ),
      `${child} below ${parent}`,
    );
  }
  assert.doesNotMatch(collector.text(), new RegExp(WALLET_KEY.slice(2)));
});

interface Span {
  name: string;
  spanId: string;
  parentSpanId?: string;
}

/** A collector that keeps what it is sent by OTLP as JSON. */
function startCollector() {
  const spans = new Map<string, Span[]>();
  let text = "";
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const body = await request.text();
      if (!request.url.endsWith("/v1/traces")) return Response.json({});
      text += body;
      const { resourceSpans } = JSON.parse(body) as {
        resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
      };
      for (const span of resourceSpans.flatMap((one) => one.scopeSpans.flatMap((s) => s.spans))) {
        spans.set(span.name, [...spans.get(span.name) ?? [], span]);
      }
      return Response.json({});
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    spans,
    text: () => text,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
