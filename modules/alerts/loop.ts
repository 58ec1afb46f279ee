/** The clock of alerts: looks, tells, remembers; one instance at a time, by lease. */
import { backoffMs, type Clock, errorText, type Logger } from "../base/mod.ts";
import type { AlertsConfig } from "../config/mod.ts";
import {
  acquireLease,
  createSettings,
  type Lease,
  type MinerSettings,
  readAlertState,
  releaseLease,
  renewLease,
  type ViewDeps,
  writeAlertState,
} from "../ledger/mod.ts";
import type { Channels, Target } from "./channels.ts";
import { readFacts } from "./read.ts";
import { type Resolve, targetsOf } from "./targets.ts";
import { type Alert, type AlertState, firstState, look } from "./watch.ts";

/** Tries of one delivery; after the last it is given up, with a line in the log. */
const TRIES = 3;
/** Deliveries of one look at most: more than that is no news but a flood. */
const DELIVERIES_MAX = 500;

/** What the loop runs by. */
export interface AlertsOptions {
  alerts: AlertsConfig;
  currency: string;
  /** Name of this process. */
  instance: string;
}

/** What it works with. */
export interface AlertsDeps extends ViewDeps {
  clock: Clock;
  log: Logger;
  channels: Channels;
  resolve: Resolve;
}

/** Looks at the interval until the signal. */
export async function runAlerts(
  options: AlertsOptions,
  deps: AlertsDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = deps;
  const lifeMs = 3 * options.alerts.intervalMs + 60_000;
  let lease: Lease | undefined, failures = 0;
  while (!signal.aborted) {
    try {
      lease = await hold(deps, options, lease, lifeMs);
      if (lease !== undefined) await lookOnce(options, deps, lease, signal);
      failures = 0;
    } catch (error) {
      lease = undefined;
      failures++;
      log.warn("alerts.failed", { error, failures });
    }
    const pauseMs = failures === 0
      ? options.alerts.intervalMs
      : backoffMs(failures, { minMs: 1_000, maxMs: 60_000 });
    await clock.sleep(pauseMs, signal).catch(() => {});
  }
  if (lease !== undefined) await releaseLease(deps, lease).catch(() => {});
}

async function hold(
  deps: AlertsDeps,
  { instance }: AlertsOptions,
  lease: Lease | undefined,
  lifeMs: number,
): Promise<Lease | undefined> {
  if (lease !== undefined && await renewLease(deps, lease, lifeMs)) return lease;
  const taken = await acquireLease(deps, "alerts", instance, lifeMs);
  return "token" in taken ? taken : undefined;
}

/** One look: what is new is told, then remembered; what died in between is told again. */
export async function lookOnce(
  options: AlertsOptions,
  deps: AlertsDeps,
  lease: Lease,
  signal: AbortSignal,
): Promise<void> {
  const { alerts, currency } = options;
  const stored = await readAlertState<AlertState>(deps);
  const state = stored ?? firstState(Math.floor(deps.clock.now() / 1000));
  const settings = await createSettings(deps).all();
  const facts = await readFacts(deps, state, settings, {
    ...{ currency, silentAfterSeconds: alerts.silentAfterMs / 1000 },
  });
  const next = look(state, facts);
  let left = DELIVERIES_MAX;
  for (const alert of next.alerts) {
    for (const target of await whom(alert, options, deps, settings)) {
      if (left-- <= 0) break;
      await deliver(target, alert, deps, signal);
    }
  }
  if (left < 0) deps.log.warn("alerts.flood", { alerts: next.alerts.length, told: DELIVERIES_MAX });
  await writeAlertState(deps, lease, next.state);
}

async function whom(
  alert: Alert,
  { alerts }: AlertsOptions,
  { resolve }: AlertsDeps,
  settings: ReadonlyMap<string, MinerSettings>,
): Promise<Target[]> {
  const notify = alert.login === undefined ? undefined : settings.get(alert.login)?.notify;
  return await targetsOf(alert, alerts, notify, resolve);
}

async function deliver(
  target: Target,
  alert: Alert,
  { channels, clock, log }: AlertsDeps,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; tries <= TRIES && !signal.aborted; tries++) {
    try {
      await channels.tell(target, alert, clock.now());
      log.debug("alert.told", { kind: alert.kind, by: target.kind });
      return;
    } catch (error) {
      // Addresses are the miner's business: the kind of channel is all that is logged.
      log.warn("alert.failed", {
        kind: alert.kind,
        by: target.kind,
        tries,
        error: errorText(error),
      });
      if (tries < TRIES) await clock.sleep(tries * 2_000, signal).catch(() => {});
    }
  }
}
