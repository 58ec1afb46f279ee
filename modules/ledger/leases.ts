/** One unlocker and one payer at a time: leases with a fencing token that every money script checks. */
import { errorText, InvariantError, PoolError } from "../base/mod.ts";
import { checkedScript } from "./checked_script.ts";
import type { Keys } from "./keys.ts";
import { listOf, type Reply, type Store, StoreError } from "./redis.ts";
import leaseLua from "./scripts/lease.lua" with { type: "text" };
import moneyLua from "./scripts/money.lua" with { type: "text" };

const LEASE = { name: "lease", source: leaseLua };

/** How often a holder renews its lease (milliseconds). */
export const LEASE_RENEW_MS = 10_000;
/** How often a spare asks for the lease that another process holds (milliseconds). */
export const LEASE_STANDBY_MS = 5_000;
/**
 * Life of a lease (milliseconds): one renewal may be missed, and a spare has it within three
 * renewals of the holder's death.
 */
export const LEASE_LIFE_MS = 3 * LEASE_RENEW_MS - LEASE_STANDBY_MS;

/** A share of an open-ethereum-pool as young as this says that it still runs (seconds). */
const OLD_POOL_SECONDS = 60;

/** What only one process may do at a time. */
export type Role = "unlocker" | "payer" | "alerts";

/** A role that this process holds; the token is higher than any before it. */
export interface Lease {
  role: Role;
  holder: string;
  token: string;
}

/** Why a lease was not given. */
export interface LeaseHeld {
  heldBy: string;
  /** By the Redis server's clock (milliseconds since 1970). */
  untilMs: number;
}

/** Another process holds the role now: nothing was written. */
export class FencedError extends PoolError {
  override readonly name = "FencedError";
}

/** What leases and money scripts need. */
export interface LedgerDeps {
  store: Store;
  keys: Keys;
}

/**
 * Takes a role for `lifeMs`, or says who has it. A holder of the same name is replaced at once.
 * While an open-ethereum-pool still mines on the same database nobody gets it.
 */
export async function acquireLease(
  deps: LedgerDeps,
  role: Role,
  holder: string,
  lifeMs: number,
): Promise<Lease | LeaseHeld> {
  const [token, heldBy, untilMs] = await callLease(deps, role, ["acquire", holder, "", lifeMs]);
  if (token !== "") return { role, holder, token: token! };
  return { heldBy: heldBy!, untilMs: Number(untilMs) };
}

/** Prolongs a lease; false when another process has taken it. */
export async function renewLease(
  deps: LedgerDeps,
  lease: Lease,
  lifeMs: number,
): Promise<boolean> {
  const { role, holder, token } = lease;
  return (await callLease(deps, role, ["renew", holder, token, lifeMs]))[0] !== "";
}

/** Whether nobody has taken the role since; its time may have run out all the same. */
export async function holdsLease({ store, keys }: LedgerDeps, lease: Lease): Promise<boolean> {
  return await store.command("HGET", keys.own.lease(lease.role), "token") === lease.token;
}

/** Gives a role back; false when another process has taken it already. */
export async function releaseLease(deps: LedgerDeps, lease: Lease): Promise<boolean> {
  const { role, holder, token } = lease;
  return (await callLease(deps, role, ["release", holder, token, 0]))[0] !== "";
}

/** Whether an open-ethereum-pool recorded a share within the last minute: nobody gets a lease then. */
export async function oldPoolSeen({ store, keys }: LedgerDeps): Promise<boolean> {
  const [newest, time] = await store.multi([
    ["ZRANGE", keys.hashrate(), "0", "0", "REV", "WITHSCORES"],
    ["TIME"],
  ]);
  const score = Number(listOf(newest!)[1] ?? 0);
  return score + OLD_POOL_SECONDS > Number(listOf(time!)[0]);
}

async function callLease(deps: LedgerDeps, role: Role, args: (string | number)[]) {
  const { own, hashrate } = deps.keys;
  const keys = [own.lease(role), own.fence(role), hashrate()];
  return listOf(await deps.store.script(LEASE, keys, [...args, OLD_POOL_SECONDS].map(String)));
}

/** A script that moves money: the shared checks and the fence stand in front of its own text. */
export function moneyScript(name: string, source: string): { name: string; source: string } {
  return checkedScript(name, `${moneyLua}\n${source}`);
}

/**
 * Runs a money script under a lease; KEYS 1 is the lease and ARGV 1 its token.
 *
 * @throws {FencedError} when another process holds the role
 * @throws {InvariantError} when a check of the script failed; nothing was written
 * @throws {StoreError} when Redis is away or gave no answer
 */
export async function runFenced(
  deps: LedgerDeps,
  lease: Lease,
  script: { name: string; source: string },
  keys: string[],
  args: string[],
): Promise<Reply> {
  const { store, keys: names } = deps;
  try {
    return await store.script(
      script,
      [names.own.lease(lease.role), ...keys],
      [lease.token, ...args],
    );
  } catch (error) {
    const said = error instanceof StoreError && error.fate === "refused"
      ? errorText(error.cause)
      : "";
    if (said.startsWith("FENCED")) {
      throw new FencedError(`Another process is the ${lease.role} now`, { cause: error });
    }
    if (said.startsWith("QUARRY")) {
      throw new InvariantError(`Cannot run ${script.name}: ${said.slice("QUARRY ".length)}`, {
        cause: error,
      });
    }
    throw error;
  }
}
