/** The first byte of this instance's extranonces: leased from Redis and kept as long as it runs. */
import { type Clock, type Logger, PoolError } from "../base/mod.ts";
import { createKeys, leaseInstance, openStore, type Store } from "../ledger/mod.ts";
import type { MiningOptions } from "./mining.ts";

/** What leasing needs. */
export interface LeaseDeps {
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  /** Another number was leased, because somebody else has the former one. */
  onChange(prefix: string): void;
}

/** Life of a lease: longer than any break of Redis that miners would sit out (milliseconds). */
const LIFE_MS = 3_600_000;
const RENEW_MS = 60_000;

/**
 * Leases the number and renews it until the signal.
 *
 * @returns two hex digits
 * @throws {PoolError} when the chosen number, or every number, is another instance's
 */
export async function leasePrefix(
  options: Pick<MiningOptions, "name" | "extranonce" | "worker">,
  deps: LeaseDeps,
): Promise<string> {
  const { log, signal } = deps;
  const { name, extranonce: { instance } } = options;
  const { redis, prefix } = options.worker;
  const store = await openStore(redis, { log, wait: signal });
  const ledger = { store, keys: createKeys(prefix) };
  const lease = (wanted: number | undefined) =>
    leaseInstance(ledger, {
      ...{ holder: name, lifeMs: LIFE_MS, ...(wanted === undefined ? {} : { wanted }) },
    });
  const number = await lease(instance);
  if (number === undefined) {
    await store.close();
    throw new PoolError(
      instance === undefined
        ? "Cannot lease an instance number: all 256 are in use, stop instances or wait an hour"
        : `Cannot use instance ${instance}: another instance has it, choose another number`,
      { facts: { name } },
    );
  }
  log.info("extranonce.leased", { instance: number });
  void renew(store, { number, isChosen: instance !== undefined, lease }, deps);
  return prefixOf(number);
}

function prefixOf(number: number): string {
  return number.toString(16).padStart(2, "0");
}

async function renew(
  store: Store,
  held: {
    number: number;
    /** Whether the configuration names it, so that no other may take its place. */
    isChosen: boolean;
    lease(wanted: number | undefined): Promise<number | undefined>;
  },
  { clock, log, signal, onChange }: LeaseDeps,
): Promise<void> {
  let { number } = held;
  while (!signal.aborted) {
    await clock.sleep(RENEW_MS, signal).catch(() => {});
    if (signal.aborted) break;
    try {
      if (await held.lease(number) !== undefined) continue;
      // Shares are counted once whatever happens here; two with one number only search twice.
      const other = held.isChosen ? undefined : await held.lease(undefined);
      if (other === undefined) {
        const mend = held.isChosen ? "choose another instance" : "all 256 are in use";
        log.error("extranonce.leaseLost", { instance: number, mend });
        continue;
      }
      log.warn("extranonce.leaseLost", { instance: number, now: other });
      number = other;
      onChange(prefixOf(number));
    } catch (error) {
      log.warn("extranonce.notRenewed", { error });
    }
  }
  await store.close();
}
