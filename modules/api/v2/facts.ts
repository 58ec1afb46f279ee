/** What the configuration says that miners may know: names, fee, thresholds, ports. */
import type { Network } from "../../chain/mod.ts";
import type { Config, Region, Scheme } from "../../config/mod.ts";
import { epochOf } from "../../ethash/mod.ts";

/** A port that miners connect to. */
export interface Endpoint {
  name: string;
  port: number;
  tls: boolean;
  scheme: Scheme;
  /** At first (hashes). */
  difficulty: bigint;
  varDiff: boolean;
  dialects: "all" | "ethereumStratum";
}

/** What `/api/v2` shows of the configuration. */
export interface PoolFacts {
  name: string;
  /** Ticker; empty when the network is unknown here. */
  currency: string;
  network?: Pick<Network, "name" | "title" | "chainId" | "explorer" | "testnet">;
  /** Proof of work, as miners' programs call it. */
  algorithm: string;
  scheme: Scheme;
  feePercent: number;
  thresholdShannon: bigint;
  minThresholdShannon: bigint;
  payoutsIntervalMs: number;
  /** Confirmations at which a block matures. */
  depth: number;
  /** Paid to nobody: the pool's own address. */
  poolAddress: string;
  /** Short hashrate window (milliseconds). */
  shortWindowMs: number;
  /** Pause between two reports of an instance on its node (milliseconds). */
  nodeBeatMs: number;
  notice: string;
  /** The operator's colour on light and dark pages (#rrggbb). */
  accent?: { light: string; dark: string };
  publicHost: string;
  /** Places that miners connect to; empty: `publicHost`. */
  regions: readonly Region[];
  endpoints: readonly Endpoint[];
  /** Port of HTTP getwork; undefined: none. */
  getworkPort?: number;
  /** Parts that this process runs. */
  runs: { mining: boolean; unlocker: boolean; payer: boolean };
  /** Blocks from a height to the next epoch; undefined when there is none or it is unknown. */
  epochSwitchIn?(height: number): number | undefined;
}

/** The facts of a configuration; `network` as it was resolved. */
export function poolFacts(config: Config, network: Network | undefined): PoolFacts {
  const { api, proxy, unlocker, payouts } = config;
  const ports = proxy.stratum.enabled ? proxy.stratum.ports : [];
  return {
    name: api.poolName || (network === undefined ? "Mining pool" : `${network.title} pool`),
    currency: network?.currency ?? "",
    ...(network === undefined ? {} : { network, epochSwitchIn: epochSwitch(network) }),
    algorithm: network?.pow.algorithm ?? "etchash",
    scheme: ports[0]?.scheme ?? config.scheme,
    feePercent: Number(unlocker.poolFeeMillionths) / 1e6,
    thresholdShannon: payouts.thresholdShannon,
    minThresholdShannon: payouts.minThresholdShannon,
    ...{ payoutsIntervalMs: payouts.intervalMs, depth: unlocker.depth },
    ...{ poolAddress: payouts.address, shortWindowMs: api.hashrateWindowMs },
    nodeBeatMs: proxy.stateUpdateIntervalMs,
    ...{ notice: api.notice, publicHost: api.publicHost },
    regions: api.regions,
    ...(api.accent === undefined ? {} : { accent: api.accent }),
    endpoints: ports.map((port) => ({
      name: `${port.tls === undefined ? "stratum" : "stratum + TLS"} ${port.listen.port}`,
      ...{ port: port.listen.port, tls: port.tls !== undefined, scheme: port.scheme },
      ...{ difficulty: port.difficulty, varDiff: port.varDiff !== undefined },
      // Only extranonces tell the shares of different schemes apart.
      dialects: port.scheme === config.scheme ? "all" : "ethereumStratum",
    })),
    ...(proxy.enabled ? { getworkPort: proxy.listen.port } : {}),
    runs: {
      mining: proxy.enabled || proxy.stratum.enabled,
      ...{ unlocker: unlocker.enabled, payer: payouts.enabled },
    },
  };
}

function epochSwitch({ pow }: Network) {
  return (height: number): number | undefined => {
    const { nextHeight } = epochOf(pow, height);
    return Number.isFinite(nextHeight) ? nextHeight - height : undefined;
  };
}

/** Facts of an app that was told nothing: an API over a bare database. */
export const NO_FACTS: PoolFacts = {
  ...{ name: "Mining pool", currency: "", algorithm: "etchash", scheme: "prop", feePercent: 0 },
  ...{ thresholdShannon: 0n, minThresholdShannon: 0n, payoutsIntervalMs: 0, depth: 0 },
  ...{ poolAddress: "", shortWindowMs: 1_800_000, notice: "", publicHost: "", endpoints: [] },
  ...{ regions: [], nodeBeatMs: 3_000 },
  runs: { mining: false, unlocker: false, payer: false },
};

/** Changes facts in place to what a newer reading of the file says, as far as the parts do. */
export function takeOver(facts: PoolFacts, newer: PoolFacts): void {
  const { name, notice, accent, publicHost } = newer;
  const { thresholdShannon, minThresholdShannon, payoutsIntervalMs } = newer;
  if (accent === undefined) delete facts.accent;
  Object.assign(facts, {
    ...{ name, notice, publicHost, ...(accent === undefined ? {} : { accent }) },
    ...{ thresholdShannon, minThresholdShannon, payoutsIntervalMs },
    endpoints: facts.endpoints.map((endpoint) => {
      const to = newer.endpoints.find(({ port }) => port === endpoint.port);
      return to === undefined
        ? endpoint
        : { ...endpoint, difficulty: to.difficulty, varDiff: to.varDiff };
    }),
  });
}
