/**
 * Reads the configuration, opens the rooms bottom-up, and closes them top-down on a signal.
 *
 *   deno task pool config.json            runs what the file enables
 *   deno task pool config.json --check    says everything that is wrong with the file
 *   deno task pool config.json --drain    has the running pool take no new miners, then end;
 *                                         [--within=MINUTES] [--keep]
 *
 * SIGHUP has it read the file again, SIGUSR1 drain, SIGTERM and SIGINT end.
 */
import pino from "pino";
import type { AlertsWorkerOptions, ToAlerts } from "./modules/alerts/mod.ts";
import {
  type Api,
  poolFacts,
  serveApi,
  serveHealth,
  serveMetrics,
  type SettingsOptions,
} from "./modules/api/mod.ts";
import {
  createLogger,
  type Facts,
  type Logger,
  type LogLevel,
  type LogSink,
  systemClock,
} from "./modules/base/mod.ts";
import { type Network, type NodeOptions, resolveNetwork } from "./modules/chain/mod.ts";
import {
  checkReport,
  type Config,
  ConfigError,
  loadConfig,
  plain,
  stateDir,
} from "./modules/config/mod.ts";
import { defaultLibraryPath } from "./modules/ethash/mod.ts";
import {
  type PayerWorkerOptions,
  RESOLVE_PAYOUT_NOTICE,
  type ToPayer,
} from "./modules/payouts/mod.ts";
import {
  ownNotifySocket,
  type Surroundings,
  type WorkerName,
  workerRights,
} from "./modules/permissions/mod.ts";
import type { StatsWorkerOptions } from "./modules/stats/mod.ts";
import { count } from "./modules/metrics/mod.ts";
import { type Mining, miningOptions, openMining } from "./modules/stratum/mod.ts";
import { type ToUnlocker, unlockerOptions } from "./modules/unlocker/mod.ts";
import {
  openServiceManager,
  type ServiceManager,
  serviceSettings,
  supervise,
  type Supervised,
} from "./modules/workers/mod.ts";
import { drain } from "./scripts/admin.ts";
import { type Handles, openOperation } from "./scripts/pool/operation.ts";
import { openOperatorDoor } from "./scripts/pool/operator_door.ts";
import { VERSION } from "./scripts/version.ts";

const USAGE = "Usage: deno task pool CONFIG.json [--check | --drain [--within=MINUTES] [--keep]]";
/** How long a drain waits for its last session. */
const DRAIN_MINUTES = 10;
/** A miner's own threshold may be as many times the pool's. */
const THRESHOLD_FACTOR = 10_000n;
/** A stop that takes longer than this is cut short (milliseconds). */
const STOP_MS = 15_000;

/** What every opened part can do. */
interface Part {
  name: string;
  stop(): Promise<boolean | void>;
}

if (import.meta.main) await main(Deno.args);

/** Runs the pool until a signal, with what a configuration enables. */
export async function main(args: string[]): Promise<void> {
  if (args.includes("--help")) return fail(USAGE, 0);
  const [path, ...more] = args.filter((arg) =>
    !/^--(check|drain|keep|within=\d+(\.\d+)?)$/.test(arg)
  );
  if (path === undefined || path.startsWith("-") || more.length > 0) return fail(USAGE, 2);
  if (args.includes("--drain")) {
    const within = args.find((arg) => arg.startsWith("--within="))?.split("=")[1];
    const withinMs = Number(within ?? DRAIN_MINUTES) * 60_000;
    return Deno.exit(await drain(path, withinMs, args.includes("--keep")));
  }
  if (args.includes("--check")) {
    const { lines, exitCode } = checkReport(path);
    return fail(lines.join("\n"), exitCode);
  }
  const { config, warnings } = load(path);
  const sink = pinoSink();
  const level = { now: config.log.level };
  const log = createLogger(sink, "main", () => level.now);
  await giveUp(config);
  for (const warning of warnings) log.warn("config.warning", { ...warning });
  if (Deno.env.has("RESOLVE_PAYOUT")) log.warn("payouts.resolve", { note: RESOLVE_PAYOUT_NOTICE });
  const service = serviceOf(config, log);
  const ending = untilSignal(log, service);
  const end = ending.signal;
  const hangUp = onHangUp(log);
  try {
    await service.status("opening its parts, waiting for the nodes");
    const stop = () => {
      log.info("pool.stopping", { signal: "operator" });
      void service.stopping();
      ending.abort(new Error("stopped by the operator"));
    };
    const parts = await open(config, {
      ...{ log, sink, level, service, path, hangUp, stop, signal: end },
    });
    const names = parts.map((part) => part.name);
    log.info("pool.started", { parts: names });
    await service.ready(names.join(", "));
    await new Promise((resolve) => end.addEventListener("abort", resolve, { once: true }));
    await close(parts, log, service);
  } catch (error) {
    if (end.aborted) return Deno.exit(0);
    log.error("pool.failed", { error });
    Deno.exit(1);
  }
}

/** What the parts are opened with. */
interface OpenDeps {
  log: Logger;
  sink: LogSink;
  level: { now: LogLevel };
  service: ServiceManager;
  /** The configuration's file. */
  path: string;
  signal: AbortSignal;
  hangUp: HangUp;
  /** Ends the process as a signal does. */
  stop(): void;
}

/** Opens what the configuration enables: mining, unlocker, payer, statistics and API. */
async function open(
  config: Config,
  deps: OpenDeps,
): Promise<Part[]> {
  const { log } = deps;
  const parts: Part[] = [];
  const handles: Handles = { workers: [] };
  const common = {
    ...{ prefix: config.coin, redis: plain(config.redis), logLevel: config.log.level },
    instance: config.name,
  };
  const surroundings: Surroundings = { library: defaultLibraryPath(), env: Deno.env.get };
  const worker = <In>(name: Exclude<WorkerName, "stratum">, options: unknown): Supervised<In> => {
    const running = supervise<unknown, In>({
      ...{ name, options, url: new URL(`./modules/${name}/worker.ts`, import.meta.url) },
      // The room has logged it itself.
      onEvent: (event, facts) => log.for(name).debug(event, facts),
      onHung: () => hung(name, log),
      permissions: workerRights(name, config, surroundings),
    }, { ...deps, clock: systemClock });
    parts.push({ name, stop: () => running.stop(STOP_MS) });
    handles.workers.push(running as Supervised<never>);
    return running;
  };

  const { unlocker, payouts, api, proxy } = config;
  const mines = proxy.enabled || proxy.stratum.enabled;
  const network = mines || unlocker.enabled || payouts.enabled || config.network !== undefined
    ? await resolveNetwork({ network: config.network, nodes: nodesOf(config) }, {
      ...{ ...deps, clock: systemClock },
    })
    : undefined;
  let mining: Mining | undefined;
  if (mines) {
    mining = await openMining({
      ...miningOptions(config, network, surroundings.library),
      permissions: workerRights("stratum", config, surroundings),
    }, {
      ...{ log, sink: deps.sink, clock: systemClock, signal: deps.signal },
      onHung: () => hung("stratum", log),
      onEvent: (event: string, facts: Facts) => log.for("stratum").info(event, facts),
    });
    handles.mining = mining;
    parts.push({ name: "mining", stop: () => mining!.stop(STOP_MS) });
    Deno.addSignalListener("SIGUSR1", () => mining!.drain());
  }
  if (unlocker.enabled && known(network, "unlocker", log)) {
    handles.unlocker = worker<ToUnlocker>("unlocker", unlockerOptions(config, network));
  }
  if (payouts.enabled && known(network, "payouts", log)) {
    const journal = `${stateDir(config)}/payments.journal`;
    const chain = { chainId: network.chainId };
    const options = { ...common, network: chain, payouts: plain(payouts), journal };
    const running = worker<ToPayer>("payouts", options satisfies PayerWorkerOptions);
    handles.payer = { worker: running, payouts: options.payouts };
  }
  if (config.alerts !== undefined) {
    const options: AlertsWorkerOptions = {
      ...{ ...common, alerts: plain(config.alerts), pool: config.coin },
      currency: network?.currency ?? "coins",
    };
    handles.alerts = {
      ...{ worker: worker<ToAlerts>("alerts", options), alerts: config.alerts },
      settle: (to) => void (options.alerts = plain(to)),
    };
  }
  if (config.health.listen !== undefined) {
    const door = await serveHealth(config.health.listen, {
      ...{ log: log.for("health"), clock: systemClock, mining: () => mining?.status() },
    });
    parts.push({ name: "health", stop: () => door.close(STOP_MS) });
  }
  if (config.metrics.listen !== undefined) {
    const { prefix, redis } = common;
    const door = await serveMetrics({
      ...{ listen: config.metrics.listen, prefix, redis, version: VERSION },
    }, { log: log.for("metrics"), clock: systemClock });
    parts.push({ name: "metrics", stop: () => door.close() });
  }
  if (api.enabled) {
    worker(
      "stats",
      {
        ...{ ...common, api, nodeBeatMs: proxy.stateUpdateIntervalMs },
      } satisfies StatsWorkerOptions,
    );
    const settings = settingsOf(config, network);
    const { trustedProxies } = proxy;
    const facts = poolFacts(config, network);
    const served: Api = await serveApi({ ...common, api, ...settings, facts, trustedProxies }, {
      ...{ log: log.for("api"), clock: systemClock, mining: () => mining?.status() },
    });
    handles.api = served;
    parts.push({ name: "api", stop: () => served.close() });
  }
  const names = () => parts.map((part) => part.name);
  const operation = openOperation({
    ...{ path: deps.path, config, handles, network, names, service: deps.service },
    ...{ log: log.for("config"), level: deps.level },
    settingsOf: (newer) => settingsOf(newer, network),
  });
  deps.hangUp.reload = () => operation.reload();
  const door = await openOperatorDoor(config, { ...deps, handles, operation, names });
  if (door !== undefined) {
    deps.hangUp.reload = () => door.run({ command: "reload" }, "SIGHUP");
    parts.push({ name: "admin", stop: () => door.close() });
  }
  return parts;
}

function nodesOf({ upstreams, unlocker, payouts }: Config): NodeOptions[] {
  if (upstreams.length > 0) return [...upstreams];
  return [unlocker, payouts].map(({ daemon, timeoutMs }) => ({
    name: "daemon",
    url: daemon,
    timeoutMs,
  }));
}

/** Miners' settings need to know the chain and the pool's address; a file of the API alone may not. */
function settingsOf(
  { payouts, api }: Config,
  network: Network | undefined,
): { settings?: SettingsOptions } {
  if (network === undefined || payouts.address === "") return {};
  const { address, thresholdShannon, minThresholdShannon } = payouts;
  return {
    settings: {
      pool: { chainId: network.chainId, address },
      thresholdShannon,
      thresholdMin: minThresholdShannon < thresholdShannon ? minThresholdShannon : thresholdShannon,
      thresholdMax: thresholdShannon * THRESHOLD_FACTOR,
      cooldownMs: api.settingsCooldownMs,
    },
  };
}

function known(
  network: Network | undefined,
  part: string,
  log: Logger,
): network is Network {
  if (network !== undefined) return true;
  const mend = "describe the chain in the configuration's network";
  log.error("network.unknown", { part, mend, state: "not started" });
  return false;
}

/** A Deno worker that spins cannot be ended; the process can, and its journals make that safe. */
function hung(name: string, log: Logger): void {
  log.error("pool.hung", { worker: name, note: "ending the process, to be started again" });
  Deno.exit(1);
}

/** What this configuration never needs, where more was given than scripts/quarry gives. */
async function giveUp({ proxy }: Config): Promise<void> {
  const mines = proxy.enabled || proxy.stratum.enabled;
  const runs = mines && proxy.policy.banning.firewall !== undefined;
  if (!runs) await Deno.permissions.revoke({ name: "run" });
  if (!mines) await Deno.permissions.revoke({ name: "ffi" });
}

/** The way to the service manager that started us, if there is one. */
function serviceOf(config: Config, log: Logger): ServiceManager {
  const settings = serviceSettings((name) => Deno.env.get(name), Deno.pid);
  const { socket } = settings;
  if (socket === undefined) {
    return openServiceManager({}, { ownSocket: "", clock: systemClock, log });
  }
  const ownSocket = socket.startsWith("@")
    ? `@quarry-${Deno.pid}`
    : ownNotifySocket(stateDir(config), (name) => Deno.env.get(name));
  return openServiceManager(settings, { ownSocket, clock: systemClock, log });
}

async function close(parts: Part[], log: Logger, service: ServiceManager): Promise<never> {
  const cut = setTimeout(() => Deno.exit(1), STOP_MS + 5_000);
  for (const part of parts.toReversed()) {
    const whole = await part.stop().catch((error) => {
      log.error("pool.stopFailed", { part: part.name, error });
      return false;
    });
    if (whole === false) log.warn("pool.stopCut", { part: part.name });
  }
  clearTimeout(cut);
  service.close();
  log.info("pool.stopped");
  Deno.exit(0);
}

/** What SIGHUP does; nothing before the parts are there. */
interface HangUp {
  reload?(): Promise<unknown>;
}

/** From the start on: without a listener SIGHUP would end the process. */
function onHangUp(log: Logger): HangUp {
  const hangUp: HangUp = {};
  Deno.addSignalListener("SIGHUP", () => {
    log.info("config.reloading", { ready: hangUp.reload !== undefined });
    // What is wrong has been logged where it was found.
    hangUp.reload?.().catch(() => {});
  });
  return hangUp;
}

function untilSignal(log: Logger, service: ServiceManager): AbortController {
  const end = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      log.info("pool.stopping", { signal });
      void service.stopping();
      end.abort(new Error(signal));
    });
  }
  return end;
}

function load(path: string) {
  try {
    return loadConfig(path);
  } catch (error) {
    if (error instanceof ConfigError) fail(error.message, 1);
    throw error;
  }
}

/** Everything that comes here is written: who logs has left out what is below its level. */
function pinoSink(): LogSink {
  const logger = pino({
    ...{
      level: "debug",
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    formatters: { level: (label) => ({ level: label }) },
  });
  return ({ level, room, event, facts }) => {
    count("quarry_log_events_total", { level, room, event });
    logger[level]({ room, ...facts }, event);
  };
}

function fail(text: string, exitCode: number): never {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
  Deno.exit(exitCode);
}
