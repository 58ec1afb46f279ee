/** What mining is opened with, from the configuration. */
import type { Network } from "../chain/mod.ts";
import { type Config, plain, stateDir } from "../config/mod.ts";
import type { StratumWorkerOptions } from "./messages.ts";
import type { MiningOptions } from "./mining.ts";
import type { Adjustment } from "./questions.ts";

/**
 * The options of {@linkcode openMining}.
 *
 * @param network undefined for a chain that is not known: mining goes on as plain Ethash
 * @param libraryPath the native verifier's file; missing: where it is built
 */
export function miningOptions(
  config: Config,
  network: Network | undefined,
  libraryPath?: string,
): MiningOptions {
  const { proxy } = config;
  const { threads } = config;
  const { memoryLimitBytes } = config.verifier;
  // Each door of each worker holds so many connections.
  const maxConn = Math.ceil(proxy.stratum.maxConn / threads);
  const [first] = proxy.stratum.ports;
  const verifierThreads = config.verifier.threads ?? navigator.hardwareConcurrency;
  return {
    ...{ name: config.name, workers: threads, journalDir: stateDir(config) },
    extranonce: {
      leased: config.extranonce === "leased",
      ...(config.instance === undefined ? {} : { instance: config.instance }),
    },
    watching: watchingOptions(config, network),
    maxFails: proxy.maxFails,
    stateUpdateIntervalMs: proxy.stateUpdateIntervalMs,
    worker: {
      ...{ prefix: config.coin, redis: plain(config.redis), logLevel: config.log.level },
      // One for shares and, when the pool is large enough, one for everything else.
      connections: Math.floor(config.redis.poolSize / threads) >= 2 ? 2 : 1,
      rule: network?.pow ?? { algorithm: "ethash" },
      ...(network?.powEndsHeight === undefined ? {} : { powEndsHeight: network.powEndsHeight }),
      ...(libraryPath === undefined ? {} : { libraryPath }),
      // The native library is one for all workers, and so are its threads.
      verifierThreads,
      dag: {
        ...{ mode: config.verifier.dag, dir: config.verifier.dir },
        ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
      },
      ...{ upstreams: plain(config.upstreams), difficulty: proxy.difficulty },
      niceHashMinDifficulty: proxy.niceHashMinDifficulty,
      askedDifficulty: { ...proxy.askedDifficulty },
      soloByLogin: proxy.soloByLogin,
      ...{ scheme: config.scheme, pplnsWindowMilli: config.pplns.windowMilli },
      ...{ maxWorkers: proxy.maxWorkers, healthCheck: proxy.healthCheck },
      hashrateExpirationMs: proxy.hashrateExpirationMs,
      policy: plain(proxy.policy),
      ...(first !== undefined
        ? {
          stratum: {
            maxConn,
            ...{ timeoutMs: proxy.stratum.timeoutMs, loginTimeoutMs: proxy.loginTimeoutMs },
            ports: plain(proxy.stratum.ports),
            trustedProxies: [...proxy.trustedProxies],
          },
        }
        : {}),
      ...(proxy.enabled
        ? {
          getwork: {
            ...{ ...proxy.listen, maxConn },
            ...{ limitHeadersBytes: proxy.limitHeadersBytes, limitBodyBytes: proxy.limitBodyBytes },
            // The ranges may be there for PROXY headers alone.
            trustedProxies: proxy.behindReverseProxy ? [...proxy.trustedProxies] : [],
          },
        }
        : {}),
    },
  };
}

function watchingOptions(
  config: Config,
  network: Network | undefined,
): MiningOptions["watching"] {
  const { proxy } = config;
  return {
    ...(network === undefined ? {} : { chainId: network.chainId }),
    blockRefreshIntervalMs: proxy.blockRefreshIntervalMs,
    upstreamCheckIntervalMs: config.upstreamCheckIntervalMs,
    ...(proxy.notifyListen === undefined
      ? {}
      : { notify: { ...proxy.notifyListen, nodes: plain(config.upstreams) } }),
    heads: config.upstreams.flatMap(({ name, ws }) => ws === undefined ? [] : [{ name, ws }]),
  };
}

/** What of a configuration may be taken over while miners are there. */
export function adjustmentOf({ proxy }: Config): Adjustment {
  const { banning, limits } = plain(proxy.policy);
  return {
    ports: plain(proxy.stratum.ports).map(({ listen, difficulty, varDiff }) => ({
      ...{ listen, difficulty },
      ...(varDiff === undefined ? {} : { varDiff }),
    })),
    difficulty: proxy.difficulty,
    niceHashMinDifficulty: proxy.niceHashMinDifficulty,
    askedDifficulty: { ...proxy.askedDifficulty },
    maxWorkers: proxy.maxWorkers,
    policy: { banning, limits },
    ...{ timeoutMs: proxy.stratum.timeoutMs, loginTimeoutMs: proxy.loginTimeoutMs },
  };
}

/** What a worker is started with after a change: as those that run have it. */
export function adjusted(
  start: StratumWorkerOptions,
  { ports, policy, timeoutMs, loginTimeoutMs, ...plainOnes }: Adjustment,
): StratumWorkerOptions {
  const { firewall: _, ...banning } = policy.banning;
  const { stratum } = start;
  return {
    ...{ ...start, ...plainOnes },
    policy: { ...start.policy, banning, limits: policy.limits },
    ...(stratum === undefined ? {} : {
      stratum: {
        ...{ ...stratum, timeoutMs, loginTimeoutMs },
        ports: stratum.ports.map((port) => {
          const { listen: { hostname, port: number } } = port;
          const to = ports.find(({ listen }) =>
            listen.hostname === hostname && listen.port === number
          );
          const { varDiff: _, ...others } = port;
          return to === undefined ? port : { ...others, ...to };
        }),
      },
    }),
  };
}
