/** Balances of miners and of the pool: read exactly, in bounded pages, never guessed. */
import { isAddress, type Shannon } from "../base/mod.ts";
import type { Keys } from "./keys.ts";
import { integerOf, type Reply, type Store, StoreError } from "./redis.ts";
import { scanKeys } from "./scan.ts";

const PAGE_KEYS = 500;
/** What the pool's own account is called. */
export const FINANCES = "finances";

/** Money of one miner (Shannon). */
export interface Account {
  login: string;
  immatureShannon: Shannon;
  balanceShannon: Shannon;
  pendingShannon: Shannon;
  paidShannon: Shannon;
}

/** Money of the pool as a whole (Shannon): what `finances` says. */
export interface Finances {
  immatureShannon: Shannon;
  balanceShannon: Shannon;
  pendingShannon: Shannon;
  paidShannon: Shannon;
  totalMinedShannon: Shannon;
}

/** The ledger's accounts. */
export interface Accounts {
  /** One miner; zeros when the miner has no row. @throws {StoreError} on unreadable fields */
  account(login: string): Promise<Account>;
  /**
   * All miners, a page at a time; a key is given once.
   *
   * SCAN is no snapshot: a payment is decided by the balance that its script sees, not by this.
   */
  all(): AsyncGenerator<Account[]>;
  finances(): Promise<Finances>;
}

/** A field of an account that holds no whole number. */
export interface UnreadableAmount {
  /** The login, or `finances`. */
  account: string;
  /** The Redis key, as an operator types it. */
  key: string;
  field: string;
  text: string;
}

/** What an operator does about an unreadable amount. */
export function mendOfAmount({ key, field }: UnreadableAmount, shannon = "AMOUNT"): string {
  const from = shannon === "AMOUNT" ? ", AMOUNT being the Shannon that deno task audit names" : "";
  return `restore it from a backup, or HSET ${key} ${field} ${shannon}${from}`;
}

/**
 * The accounts of one pool.
 *
 * @param deps.onUnreadable told of each unreadable field, which counts as 0 then; missing: it throws
 */
export function createAccounts(
  deps: { store: Store; keys: Keys; onUnreadable?: (amount: UnreadableAmount) => void },
): Accounts {
  const { store, keys } = deps;
  const FIELDS = ["immature", "balance", "pending", "paid"];
  const prefix = keys.miner("");

  function amountOf(account: string, field: string, reply: Reply | undefined): Shannon {
    if (typeof reply !== "string" || /^-?\d+$/.test(reply)) return integerOf(reply, field);
    const key = account === FINANCES ? keys.finances() : keys.miner(account);
    const amount = { account, key, field, text: reply };
    if (deps.onUnreadable === undefined) {
      throw new StoreError(
        `Cannot read ${key} field ${field}: expected a whole number of Shannon, current value is ` +
          JSON.stringify(reply),
        "refused",
        undefined,
        mendOfAmount(amount),
      );
    }
    deps.onUnreadable(amount);
    return 0n;
  }

  function accountOf(login: string, reply: Reply): Account {
    if (!Array.isArray(reply)) throw new StoreError(`Cannot read the account ${login}`, "refused");
    const [immature, balance, pending, paid] = reply;
    return {
      login,
      immatureShannon: amountOf(login, "immature", immature),
      balanceShannon: amountOf(login, "balance", balance),
      pendingShannon: amountOf(login, "pending", pending),
      paidShannon: amountOf(login, "paid", paid),
    };
  }

  return {
    async account(login) {
      return accountOf(login, await store.command("HMGET", keys.miner(login), ...FIELDS));
    },
    async *all() {
      for await (const names of scanKeys(store, keys.minerPattern(), PAGE_KEYS)) {
        const logins = names.map((key) => key.slice(prefix.length)).filter(isAddress);
        if (logins.length === 0) continue;
        const rows = await store.multi(
          logins.map((login) => ["HMGET", keys.miner(login), ...FIELDS]),
        );
        yield logins.map((login, i) => accountOf(login, rows[i]!));
      }
    },
    async finances() {
      const reply = await store.command("HMGET", keys.finances(), ...FIELDS, "totalMined");
      const account = accountOf(FINANCES, reply);
      const total = (reply as Reply[])[4];
      return {
        immatureShannon: account.immatureShannon,
        balanceShannon: account.balanceShannon,
        pendingShannon: account.pendingShannon,
        paidShannon: account.paidShannon,
        totalMinedShannon: amountOf(FINANCES, "totalMined", total),
      };
    },
  };
}
