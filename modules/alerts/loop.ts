/** The clock of alerts: looks, tells, remembers; one instance at a time, by lease. */
import { backoffMs, type Clock, errorText, type Logger, PoolError } from "../base/mod.ts";
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
/** Targets told at once: one that does not answer holds up few others. */
const TARGETS_AT_ONCE = 16;

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
  const lifeMs = lifeMsOf(options);
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

function lifeMsOf({ alerts }: AlertsOptions): number {
  return 3 * alerts.intervalMs + 60_000;
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
  const queues = new Map<string, Queue>();
  let left = DELIVERIES_MAX;
  for (const alert of next.alerts) {
    for (const target of await whom(alert, options, deps, settings)) {
      if (left-- <= 0) break;
      const name = JSON.stringify(target);
      const queue = queues.get(name) ?? { target, alerts: [] };
      queues.set(name, queue);
      queue.alerts.push(alert);
    }
  }
  if (left < 0) deps.log.warn("alerts.flood", { alerts: next.alerts.length, told: DELIVERIES_MAX });
  await tellAll([...queues.values()], deps, signal, async () => {
    return await renewLease(deps, lease, lifeMsOf(options));
  });
  await writeAlertState(deps, lease, next.state);
}

/** What one target is told, in order. */
interface Queue {
  target: Target;
  alerts: Alert[];
}

/** Tells some targets at a time; one that is given up hears no more of this look. */
async function tellAll(
  queues: Queue[],
  deps: AlertsDeps,
  signal: AbortSignal,
  keep: () => Promise<boolean>,
): Promise<void> {
  let lost = false;
  async function tellNext(): Promise<void> {
    for (let queue = queues.shift(); queue !== undefined && !lost; queue = queues.shift()) {
      for (const [i, alert] of queue.alerts.entries()) {
        // A slow target must not cost the lease: another instance would tell everything again.
        lost ||= !await keep();
        if (lost || signal.aborted) return;
        if (await deliver(queue.target, alert, deps, signal)) continue;
        const left = queue.alerts.length - i - 1;
        if (left > 0) deps.log.warn("alerts.given_up", { by: queue.target.kind, alerts: left });
        break;
      }
    }
  }
  await Promise.all(Array.from({ length: TARGETS_AT_ONCE }, tellNext));
  if (lost) throw new PoolError("Another instance tells alerts now");
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
): Promise<boolean> {
  for (let tries = 1; tries <= TRIES && !signal.aborted; tries++) {
    try {
      await channels.tell(target, alert, clock.now());
      log.debug("alert.told", { kind: alert.kind, by: target.kind });
      return true;
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
  return false;
}
