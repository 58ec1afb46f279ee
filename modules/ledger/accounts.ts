/** Balances of miners and of the pool: read exactly, in bounded pages, never guessed. */
import { isAddress, type Shannon } from "../base/mod.ts";
import type { Keys } from "./keys.ts";
import { integerOf, type Reply, type Store, StoreError } from "./redis.ts";
import { scanKeys } from "./scan.ts";

const PAGE_KEYS = 500;

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

/** The accounts of one pool. */
export function createAccounts(deps: { store: Store; keys: Keys }): Accounts {
  const { store, keys } = deps;
  const FIELDS = ["immature", "balance", "pending", "paid"];
  const prefix = keys.miner("");
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
      const account = accountOf("finances", reply);
      const total = (reply as Reply[])[4];
      return {
        immatureShannon: account.immatureShannon,
        balanceShannon: account.balanceShannon,
        pendingShannon: account.pendingShannon,
        paidShannon: account.paidShannon,
        totalMinedShannon: integerOf(total, "totalMined of finances"),
      };
    },
  };
}

function accountOf(login: string, reply: Reply): Account {
  if (!Array.isArray(reply)) throw new StoreError(`Cannot read the account ${login}`, "refused");
  const [immature, balance, pending, paid] = reply;
  return {
    login,
    immatureShannon: integerOf(immature, `immature of ${login}`),
    balanceShannon: integerOf(balance, `balance of ${login}`),
    pendingShannon: integerOf(pending, `pending of ${login}`),
    paidShannon: integerOf(paid, `paid of ${login}`),
  };
}
