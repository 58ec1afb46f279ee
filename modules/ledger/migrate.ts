/**
 * Taking over another pool's database: what is in it, what is understood, and the changes that are
 * made only when told. open-ethereum-pool's needs none; open-etc-pool-friends' rows have more fields.
 */
import { PoolError } from "../base/mod.ts";
import { keysOf } from "./export.ts";
import type { LedgerDeps } from "./leases.ts";
import { pairsOf } from "./scan.ts";
import upgradeLua from "./scripts/upgrade_rows.lua" with { type: "text" };

const UPGRADE_ROWS = { name: "upgrade_rows", source: upgradeLua };
/** Members looked at, and rewritten, at once. */
const PAGE = 500;

/** Rows of one sorted set by the pool whose layout they have. */
export interface RowCount {
  key: string;
  own: number;
  friends: number;
  unreadable: string[];
}

/** What a database holds under a prefix. */
export interface Survey {
  rows: RowCount[];
  /** Keys that open-etc-pool-friends alone writes: family → number. */
  friends: ReadonlyMap<string, number>;
  /** Keys that no pool known here writes. */
  unknown: string[];
  /** Whether quarry has run on it. */
  ours: boolean;
}

/** How the rows of a sorted set are told apart: by the number of their fields. */
interface Layout {
  own: number;
  friends: number;
  /** Fields of a friends' row that make the old pool's, in order. */
  keep: readonly number[];
}

const CANDIDATE: Layout = { own: 6, friends: 11, keep: [0, 1, 2, 3, 4, 5] };
const BLOCK: Layout = { own: 8, friends: 13, keep: [0, 1, 2, 3, 4, 5, 6, 8] };
const PAYMENT: Layout = { own: 3, friends: 4, keep: [0, 1, 2] };
const PAYMENT_OF: Layout = { own: 2, friends: 3, keep: [0, 1] };
const SHARE: Layout = { own: 4, friends: 6, keep: [0, 1, 2, 3] };
const SHARE_OF: Layout = { own: 3, friends: 5, keep: [0, 1, 2] };

/** Families of keys below the prefix that open-ethereum-pool writes. */
const FAMILIES = [
  /^nodes$/,
  /^pow$/,
  /^shares:roundCurrent$/,
  /^shares:round\d+:0x[0-9a-fA-F]*$/,
  /^(stats|finders|finances|hashrate|blacklist|whitelist)$/,
  /^(miners|hashrate):0x[0-9a-fA-F]{40}$/,
  /^blocks:(candidates|immature|matured)$/,
  /^credits:(all|immature:\d+:0x[0-9a-fA-F]+|\d+:0x[0-9a-fA-F]+)$/,
  /^payments:(lock|pending|all|0x[0-9a-fA-F]{40})$/,
];
/** Families that open-etc-pool-friends adds (its storage/redis.go). */
const FRIENDS = [
  ...["lastshares", "lastshares_solo", "settings", "minerShare", "worker", "rewards", "charts"],
  ...["chartsNum", "exchange", "WorkersTot", "paymentsTotal", "currenthashrate"],
];

/** Told how many keys are done, and of how many. */
export type OnKeys = (done: number, total: number) => void;

/** Looks at every key under the prefix; changes nothing. @throws {StoreError} */
export async function survey(deps: LedgerDeps, onKeys: OnKeys = () => {}): Promise<Survey> {
  const { keys, store } = deps;
  const friends = new Map<string, number>(), unknown: string[] = [], rows: RowCount[] = [];
  let ours = false;
  const names = await keysOf(store, keys.prefix);
  for (const [i, name] of names.entries()) {
    onKeys(i, names.length);
    const key = name.slice(keys.prefix.length + 1);
    const family = key.split(":")[0]!;
    if (family === "quarry") ours = true;
    else if (FRIENDS.includes(family)) friends.set(family, (friends.get(family) ?? 0) + 1);
    else if (!FAMILIES.some((pattern) => pattern.test(key))) unknown.push(key);
    const layout = layoutOf(key);
    if (layout !== undefined) rows.push(await countRows(deps, name, key, layout));
  }
  return {
    rows: rows.filter((one) => one.own + one.friends > 0 || one.unreadable.length > 0),
    friends,
    unknown,
    ours,
  };
}

/**
 * Rewrites open-etc-pool-friends' rows in the old pool's layout, page by page; each page at once.
 *
 * @returns rows rewritten
 */
export async function upgradeFriends(
  deps: LedgerDeps,
  onKeys: OnKeys = () => {},
): Promise<number> {
  const { keys, store } = deps;
  let count = 0;
  const names = await keysOf(store, keys.prefix);
  for (const [i, name] of names.entries()) {
    onKeys(i, names.length);
    const layout = layoutOf(name.slice(keys.prefix.length + 1));
    if (layout === undefined) continue;
    for await (const page of pagesOf(deps, name)) {
      const changes = page.flatMap(([member]) => {
        const fields = member.split(":");
        if (fields.length !== layout.friends) return [];
        return [member, layout.keep.map((i) => fields[i]).join(":")];
      });
      if (changes.length === 0) continue;
      await store.script(UPGRADE_ROWS, [name], changes);
      count += changes.length / 2;
    }
  }
  return count;
}

/**
 * Moves every key to another prefix at once, as a Cluster needs (`{etc}`).
 *
 * @returns keys moved
 * @throws {PoolError} when something is under the new prefix already
 */
export async function renamePrefix(deps: LedgerDeps, prefix: string): Promise<number> {
  const { keys, store } = deps;
  if ((await keysOf(store, prefix)).length > 0) {
    throw new PoolError(`Cannot rename: there are keys under "${prefix}:" already`);
  }
  const names = await keysOf(store, keys.prefix);
  if (names.length === 0) throw new PoolError(`There is nothing under "${keys.prefix}:"`);
  await store.multi(
    names.map((name) => ["RENAME", name, `${prefix}${name.slice(keys.prefix.length)}`]),
  );
  return names.length;
}

function layoutOf(key: string): Layout | undefined {
  if (key === "blocks:candidates") return CANDIDATE;
  if (key === "blocks:immature" || key === "blocks:matured") return BLOCK;
  if (key === "payments:all") return PAYMENT;
  if (/^payments:0x/.test(key)) return PAYMENT_OF;
  if (key === "hashrate") return SHARE;
  return /^hashrate:0x/.test(key) ? SHARE_OF : undefined;
}

async function countRows(
  deps: LedgerDeps,
  name: string,
  key: string,
  layout: Layout,
): Promise<RowCount> {
  const count: RowCount = { key, own: 0, friends: 0, unreadable: [] };
  for await (const page of pagesOf(deps, name)) {
    for (const [member] of page) {
      const fields = member.split(":").length;
      if (fields === layout.own) count.own++;
      else if (fields === layout.friends) count.friends++;
      else count.unreadable.push(member);
    }
  }
  return count;
}

/** A sorted set as it was when the reading began, in pages. */
async function* pagesOf(
  { store }: LedgerDeps,
  name: string,
): AsyncGenerator<[member: string, score: string][]> {
  if (await store.command("TYPE", name) !== "zset") return;
  const all = pairsOf(await store.command("ZRANGE", name, "0", "-1", "WITHSCORES"));
  for (let start = 0; start < all.length; start += PAGE) yield all.slice(start, start + PAGE);
}
