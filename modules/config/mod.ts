/**
 * The configuration: a file of open-ethereum-pool comes in, a frozen typed Config goes out.
 * Every problem is reported at once, by path and with its mend.
 * This room never opens a socket and never reads the paying key.
 */
export { type ConfigChange, RunningConfig } from "./changes.ts";
export type { ConfigContext, SecretReference } from "./build.ts";
export { checkReport, loadConfig, type LoadedConfig, warningLine } from "./load.ts";
export { parseConfig, type ParsedConfig } from "./parse.ts";
export { ConfigError, type Problem, problemLine, type Warning } from "./problem.ts";
export { durationMs, type ListenAddress, WHOLE_IN_MILLIONTHS } from "./scalars.ts";
export { type Mutable, plain, stateDir } from "./plain.ts";
export { NETWORK_NAMES } from "./schema.ts";
export type {
  AlertsConfig,
  ApiConfig,
  Config,
  FirewallConfig,
  NetworkName,
  PayoutsConfig,
  PolicyConfig,
  PrivateNetwork,
  ProxyConfig,
  RedisConfig,
  Region,
  Scheme,
  SecretSource,
  SignerConfig,
  StratumPortConfig,
  TlsConfig,
  UnlockerConfig,
  UpstreamConfig,
  VarDiffConfig,
} from "./types.ts";
