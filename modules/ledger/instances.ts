/** Numbers of instances over one Redis: the first byte of each one's extranonces. */
import type { LedgerDeps } from "./leases.ts";
import leaseInstanceLua from "./scripts/lease_instance.lua" with { type: "text" };

const LEASE_INSTANCE = { name: "lease_instance", source: leaseInstanceLua };

/** Takes or prolongs a number for `lifeMs`. */
export interface InstanceLease {
  /** Unique name of the instance. */
  holder: string;
  lifeMs: number;
  /** The number that is wanted (0 to 255); undefined: any. */
  wanted?: number;
}

/** The number (0 to 255), or undefined when it, or every one, is another instance's. */
export async function leaseInstance(
  { store, keys }: LedgerDeps,
  { holder, lifeMs, wanted }: InstanceLease,
): Promise<number | undefined> {
  const { own } = keys;
  const args = [holder, String(lifeMs), wanted === undefined ? "" : String(wanted)];
  const number = Number(
    await store.script(LEASE_INSTANCE, [own.instances(), own.instancesUntil()], args),
  );
  return number < 0 ? undefined : number;
}
