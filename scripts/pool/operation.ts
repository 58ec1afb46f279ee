/** What an operator may change in a running pool: the file read again, and the parts told of it. */
import type { ToAlerts } from "../../modules/alerts/mod.ts";
import {
  type Api,
  poolFacts,
  type ReloadReport,
  type SettingsOptions,
} from "../../modules/api/mod.ts";
import { errorText, type Logger, type LogLevel } from "../../modules/base/mod.ts";
import type { Network } from "../../modules/chain/mod.ts";
import {
  type AlertsConfig,
  type Config,
  ConfigError,
  loadConfig,
  type Mutable,
  type PayoutsConfig,
  plain,
  problemLine,
  RunningConfig,
} from "../../modules/config/mod.ts";
import type { PayerOptions, ToPayer } from "../../modules/payouts/mod.ts";
import { adjustmentOf, type Mining } from "../../modules/stratum/mod.ts";
import type { ToUnlocker } from "../../modules/unlocker/mod.ts";
import type { ServiceManager, Supervised } from "../../modules/workers/mod.ts";

/** The parts that run, as far as they can be told something; filled while they are opened. */
export interface Handles {
  mining?: Mining;
  /** With the settings that it is started with, and started again. */
  payer?: { worker: Supervised<ToPayer>; payouts: Mutable<PayoutsConfig> };
  unlocker?: Supervised<ToUnlocker>;
  alerts?: { worker: Supervised<ToAlerts>; alerts: AlertsConfig; settle(to: AlertsConfig): void };
  api?: Api;
  /** Every Deno worker beside the stratum ones. */
  workers: Supervised<never>[];
}

/** What a reading of the file needs. */
export interface OperationDeps {
  /** The configuration's file. */
  path: string;
  config: Config;
  handles: Handles;
  network: Network | undefined;
  service: ServiceManager;
  log: Logger;
  /** The level that the main thread logs from. */
  level: { now: LogLevel };
  /** Names of the parts that run. */
  names(): string[];
  settingsOf(config: Config): { settings?: SettingsOptions };
}

/** The changeable side of a running pool. */
export interface Operation {
  /** Reads the file again, one reading at a time. @throws {ConfigError} and nothing has changed */
  reload(): Promise<ReloadReport>;
  setLogLevel(level: LogLevel): void;
  /** Length of a ban (milliseconds). */
  banMs(): number;
}

/** Opens it over parts that run. */
export function openOperation(deps: OperationDeps): Operation {
  const { handles, log, service, level } = deps;
  const running = new RunningConfig(deps.config);
  let current = deps.config;
  let turn: Promise<unknown> = Promise.resolve();

  async function read(): Promise<ReloadReport> {
    await service.reloading();
    try {
      const { config, warnings } = loadConfig(deps.path);
      for (const warning of warnings) log.warn("config.warning", { ...warning });
      const changes = running.compare(config);
      const certificates = await tell(config);
      running.adopt(config);
      current = config;
      for (const { live, key, before, after } of changes) {
        if (live) log.info("config.changed", { key, before, after });
        else log.warn("config.needsRestart", { key, before, after });
      }
      const applied = changes.filter(({ live }) => live);
      const restart = changes.filter(({ live }) => !live);
      log.info("config.reloaded", { applied: applied.length, restart: restart.length });
      return { applied, restart, certificates };
    } catch (error) {
      const problems = error instanceof ConfigError
        ? error.problems.map(problemLine)
        : [errorText(error)];
      for (const problem of problems) log.error("config.problem", { problem });
      log.error("config.notReloaded", { note: "the pool goes on with what it has" });
      throw error;
    } finally {
      await service.ready(deps.names().join(", "));
    }
  }

  /** Stratum first: it alone can fail, and then nothing else has changed. */
  async function tell(config: Config): Promise<number[]> {
    const { mining, payer, alerts, api } = handles;
    const certificates = await mining?.admin.adjust(adjustmentOf(config)) ?? [];
    if (payer !== undefined) {
      const options = takeMoney(payer.payouts, config.payouts);
      payer.worker.send({ kind: "options", options });
    }
    if (alerts !== undefined && config.alerts !== undefined) {
      alerts.alerts = mergeAlerts(alerts.alerts, config.alerts);
      alerts.settle(alerts.alerts);
      alerts.worker.send({ kind: "adjust", alerts: plain(alerts.alerts) });
    }
    api?.adjust({
      ...{ rateLimit: config.api.rateLimit, facts: poolFacts(config, deps.network) },
      ...deps.settingsOf(config),
    });
    if (config.log.level !== current.log.level) setLogLevel(config.log.level);
    return certificates;
  }

  function setLogLevel(to: LogLevel): void {
    level.now = to;
    handles.mining?.setLogLevel(to);
    for (const worker of handles.workers) worker.setLogLevel(to);
  }

  return {
    reload() {
      const reading = turn.then(read);
      turn = reading.catch(() => {});
      return reading;
    },
    setLogLevel,
    banMs: () => current.proxy.policy.banning.timeoutMs,
  };
}

/** Money settings that a run to come may begin with; the others want a restart. */
function takeMoney(to: Mutable<PayoutsConfig>, from: PayoutsConfig): PayerOptions {
  const { intervalMs, thresholdShannon, minThresholdShannon, dailyCapShannon } = from;
  const { reserveShannon, maxFeeWei, requirePeers } = from;
  delete to.dailyCapShannon;
  return Object.assign(to, {
    ...{ intervalMs, thresholdShannon, minThresholdShannon, reserveShannon, maxFeeWei },
    requirePeers,
    ...(dailyCapShannon === undefined ? {} : { dailyCapShannon }),
  });
}

/** Newer settings that go where the running ones go: rights were given for these addresses. */
function mergeAlerts(running: AlertsConfig, newer: AlertsConfig): AlertsConfig {
  const { webhook, telegram, smtp } = running;
  return {
    ...{ ...newer, minerWebhooks: running.minerWebhooks },
    ...(webhook && { webhook: { ...webhook, ...newer.webhook, url: webhook.url } }),
    ...(telegram && { telegram: { ...telegram, ...newer.telegram, api: telegram.api } }),
    ...(smtp && {
      smtp: {
        ...{ ...smtp, ...newer.smtp },
        ...{ host: smtp.host, port: smtp.port, secure: smtp.secure },
      },
    }),
    ...(webhook === undefined ? { webhook: undefined } : {}),
    ...(telegram === undefined ? { telegram: undefined } : {}),
    ...(smtp === undefined ? { smtp: undefined } : {}),
  } as AlertsConfig;
}
