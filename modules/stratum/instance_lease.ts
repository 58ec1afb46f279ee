/** The first byte of this instance's extranonces: leased from Redis and kept as long as it runs. */
import { type Clock, type Logger, PoolError, retry } from "../base/mod.ts";
import { createKeys, leaseInstance, openStore, type Store } from "../ledger/mod.ts";
import type { MiningOptions } from "./mining.ts";

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
  { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<string> {
  const { name, extranonce: { instance } } = options;
  const { redis, prefix } = options.worker;
  const store = await retry(() => openStore(redis, { log }), {
    ...{ attempts: Infinity, clock, signal, maxMs: 5_000 },
  });
  const deps = { store, keys: createKeys(prefix) };
  const lease = (wanted: number | undefined) =>
    leaseInstance(deps, {
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
  void renew(store, () => lease(number), { clock, log, signal });
  return number.toString(16).padStart(2, "0");
}

async function renew(
  store: Store,
  lease: () => Promise<number | undefined>,
  { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(RENEW_MS, signal).catch(() => {});
    if (signal.aborted) break;
    try {
      // Shares are counted once whatever happens here; two with one number only search twice.
      if (await lease() === undefined) log.error("extranonce.leaseLost", {});
    } catch (error) {
      log.warn("extranonce.notRenewed", { error });
    }
  }
  await store.close();
}
