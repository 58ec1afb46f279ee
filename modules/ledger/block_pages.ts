/** Pages of found blocks over the three lists, newest first, with who found them and at what effort. */
import { isAddress } from "../base/mod.ts";
import type { Scheme } from "../config/mod.ts";
import { parseBlockRow, parseCandidate } from "./block_rows.ts";
import { type Find, readFinds } from "./finds.ts";
import { listOf } from "./redis.ts";
import { rangeOf, type ScoredRow } from "./redis_rows.ts";
import type { ViewDeps } from "./views.ts";

/** Where a block stands. */
export type BlockState = "candidate" | "immature" | "matured" | "orphaned";

/** A found block, whichever list it is in. */
export interface FoundBlock {
  state: BlockState;
  height: number;
  /** The uncle's own height; 0 when it is no uncle. */
  uncleHeight: number;
  nonce: string;
  /** Null for a candidate and an orphan. */
  hash: string | null;
  /** Unix seconds. */
  foundAt: number;
  difficulty: bigint;
  /** Null for a candidate. */
  rewardWei: bigint | null;
  /** How its reward is shared. */
  scheme: Scheme;
  /** Login; null when an old pool found it. */
  finder: string | null;
  /** Difficulty of the shares that it took; null for a window of which that was not kept. */
  effortShares: bigint | null;
  /** Unix seconds at which its round began; null when unknown. */
  roundStartedAt: number | null;
}

/** A page of blocks. */
export interface BlockPage {
  blocks: FoundBlock[];
  /** Where the next page begins; null at the end. */
  nextCursor: string | null;
}

/** Blocks of one height that a page's edge may cut. */
const TIES_MAX = 64;
/** Rows looked at per step, and steps, when most of them are not asked for. */
const SCAN_ROWS = 500;
const SCAN_STEPS = 10;
/** Rows read at once when orphans are counted. */
const COUNT_ROWS = 1_000;

type Row = Omit<FoundBlock, "scheme" | "finder" | "effortShares" | "roundStartedAt"> & {
  totalShares: bigint;
  login: string | null;
};

/** Blocks after a cursor, newest first; a filtered page may hold fewer than asked for. */
export async function readBlockPage(
  deps: ViewDeps,
  page: { state: BlockState | "all"; before?: string; limit: number },
): Promise<BlockPage> {
  const { state, limit } = page;
  const whole = state === "all" || state === "candidate";
  const step = whole ? limit + 1 : Math.max(SCAN_ROWS, limit + 1);
  const found: Row[] = [];
  let cursor = page.before === undefined ? undefined : cursorOf(page.before);
  let more = true;
  for (let i = 0; i < SCAN_STEPS && more && found.length <= limit; i++) {
    const rows = await rowsAfter(deps, state, cursor, step);
    more = rows.length === step;
    for (const row of rows) if (state === "all" || row.state === state) found.push(row);
    if (rows.length > 0) cursor = rows.at(-1)!;
  }
  const shown = found.slice(0, limit);
  const last = found.length > limit ? shown.at(-1) : more ? cursor : undefined;
  return {
    blocks: await withFinds(deps, shown),
    nextCursor: last === undefined ? null : `${last.height}.${last.nonce}`,
  };
}

/** One block by its height as recorded, or that of a block that includes it as an uncle. */
export async function readBlocksOf(
  deps: ViewDeps,
  finds: readonly { height: number; nonce: string }[],
): Promise<(FoundBlock | undefined)[]> {
  const { store, keys } = deps;
  const rows: (Row | undefined)[] = [];
  for (const { height, nonce } of finds) {
    const lists = await Promise.all(
      LISTS.map((list) =>
        rangeOf(store, keys[list](), {
          ...{ min: height, max: height + UNCLE_DISTANCE_MAX, skip: 0, limit: TIES_MAX },
        })
      ),
    );
    rows.push(
      lists.flatMap((members, i) => members.flatMap((row) => rowOf(LISTS[i]!, row) ?? []))
        .find((row) => row.nonce === nonce),
    );
  }
  const known = await withFinds(deps, rows.filter((row) => row !== undefined));
  const byNonce = new Map(known.map((block) => [block.nonce, block]));
  return rows.map((row) => row === undefined ? undefined : byNonce.get(row.nonce));
}

/** Blocks in each list. */
export async function countBlocks(
  { store, keys }: ViewDeps,
): Promise<Record<typeof LISTS[number], number>> {
  const counts = await store.multi(LISTS.map((list) => ["ZCARD", keys[list]()]));
  const [candidates, immature, matured] = counts.map(Number);
  return { candidates: candidates!, immature: immature!, matured: matured! };
}

/** Matured blocks, orphans among them. */
export async function countMatured({ store, keys }: ViewDeps): Promise<number> {
  return Number(await store.command("ZCARD", keys.matured()));
}

/** Heights of matured blocks above one, lowest first, and whether each is an orphan; by pages. */
export async function* readMaturedOrphans(
  { store, keys }: ViewDeps,
  aboveHeight: number,
): AsyncGenerator<{ height: number; orphan: boolean }[]> {
  for (let skip = 0;; skip += COUNT_ROWS) {
    const list = listOf(
      await store.command(
        ...["ZRANGEBYSCORE", keys.matured(), `(${aboveHeight}`, "+inf", "WITHSCORES"],
        ...["LIMIT", String(skip), String(COUNT_ROWS)],
      ),
    );
    const page: { height: number; orphan: boolean }[] = [];
    for (let i = 0; i + 1 < list.length; i += 2) {
      // The second field of every layout.
      page.push({ height: Number(list[i + 1]), orphan: list[i]!.split(":", 2)[1] === "1" });
    }
    if (page.length > 0) yield page;
    if (page.length < COUNT_ROWS) return;
  }
}

const LISTS = ["candidates", "immature", "matured"] as const;
/** An uncle may be included by the sixth block after it, and found a few heights off. */
const UNCLE_DISTANCE_MAX = 8;

/** The first rows after a cursor, over the lists that may hold the state. */
async function rowsAfter(
  { store, keys }: ViewDeps,
  state: BlockState | "all",
  after: { height: number; nonce: string } | undefined,
  count: number,
): Promise<Row[]> {
  const lists = LISTS.filter((list) =>
    state === "all" || (state === "orphaned" ? list !== "candidates" : list.startsWith(state))
  );
  const pages = await Promise.all(lists.map((list) =>
    rangeOf(store, keys[list](), {
      ...(after === undefined ? {} : { max: after.height }),
      ...{ skip: 0, limit: count + TIES_MAX },
    })
  ));
  return pages
    .flatMap((rows, i) => rows.flatMap((row) => rowOf(lists[i]!, row) ?? []))
    .filter((row) => after === undefined || order(row, after) > 0)
    .toSorted(order).slice(0, count);
}

function order(a: { height: number; nonce: string }, b: { height: number; nonce: string }): number {
  if (a.height !== b.height) return b.height - a.height;
  return a.nonce === b.nonce ? 0 : a.nonce > b.nonce ? -1 : 1;
}

/** A row that no known layout fits is left out; the statistics worker reports it. */
function rowOf(list: typeof LISTS[number], { member, score }: ScoredRow): Row | undefined {
  try {
    if (list === "candidates") {
      const { height, nonce, foundAt, difficulty, totalShares } = parseCandidate(
        member,
        `${score}`,
      );
      const open = { uncleHeight: 0, hash: null, rewardWei: null, login: null };
      return { state: "candidate", height, nonce, foundAt, difficulty, totalShares, ...open };
    }
    const { orphan, hash, member: _, ...row } = parseBlockRow(member, `${score}`);
    const fields = member.split(":");
    // open-etc-pool-friends keeps the finder in the eighth of its thirteen fields.
    const login = fields.length === 13 && isAddress(fields[7]!) ? fields[7]! : null;
    const state = orphan ? "orphaned" : list;
    return { ...row, state, login, hash: orphan ? null : hash };
  } catch {
    return undefined;
  }
}

async function withFinds(deps: ViewDeps, rows: readonly Row[]): Promise<FoundBlock[]> {
  if (rows.length === 0) return [];
  const finds = await readFinds(deps, rows);
  const fields = rows.map((row) => `${row.uncleHeight || row.height}:${row.nonce}`);
  const schemes = await deps.store.command("HMGET", deps.keys.own.roundSchemes(), ...fields);
  return rows.map(({ totalShares, login, ...row }, i) => {
    const kept = Array.isArray(schemes) ? schemes[i] : null;
    const scheme: Scheme = kept === "pplns" || kept === "solo" ? kept : "prop";
    const find: Find | undefined = finds[i];
    return {
      ...{ ...row, scheme, finder: find?.login ?? login },
      effortShares: find?.effortShares ?? (scheme === "pplns" ? null : totalShares),
      roundStartedAt: find?.roundStartedAt ?? null,
    };
  });
}

function cursorOf(text: string): { height: number; nonce: string } {
  const dot = text.indexOf(".");
  return { height: Number(text.slice(0, dot)), nonce: text.slice(dot + 1) };
}
