/** Who found a block, and what the pool had spent on it: kept beside the old pool's rows. */
import { integerOf, listOf, type Reply } from "./redis.ts";
import { rangeOf } from "./redis_rows.ts";
import type { ViewDeps } from "./views.ts";

/** What is kept of a found block. */
export interface Find {
  /** Login of the finder, and its worker. */
  login: string;
  worker: string;
  /** Difficulty of all shares since the last block of a round or window; of its finder's for solo. */
  effortShares: bigint;
  /** Unix seconds of that block; undefined when there was none, and for solo. */
  roundStartedAt?: number;
}

/** The finds of some blocks, in their order; undefined for a block of before they were kept. */
export async function readFinds(
  { store, keys }: ViewDeps,
  blocks: readonly { foundAt: number; nonce: string }[],
): Promise<(Find | undefined)[]> {
  if (blocks.length === 0) return [];
  const fields = blocks.map(({ foundAt, nonce }) => `${foundAt}:${nonce}`);
  const reply = await store.command("HMGET", keys.own.finds(), ...fields);
  return blocks.map((_, i) => findOf(Array.isArray(reply) ? reply[i] : null));
}

/** Heights and nonces of the blocks that a login found, newest first, from one on. */
export async function readFindsOf(
  { store, keys }: ViewDeps,
  login: string,
  page: { beforeSeconds?: number; skip: number; limit: number },
): Promise<{ height: number; nonce: string; foundAt: number }[]> {
  const rows = await rangeOf(store, keys.own.findsOf(login), {
    ...(page.beforeSeconds === undefined ? {} : { max: page.beforeSeconds }),
    ...{ skip: page.skip, limit: page.limit },
  });
  return rows.map(({ member, score }) => {
    const colon = member.indexOf(":");
    return {
      height: Number(member.slice(0, colon)),
      nonce: member.slice(colon + 1),
      foundAt: score,
    };
  });
}

/** Blocks that a login found since finds are kept. */
export async function countFindsOf({ store, keys }: ViewDeps, login: string): Promise<number> {
  return Number(await store.command("ZCARD", keys.own.findsOf(login)));
}

function findOf(text: Reply | undefined): Find | undefined {
  if (typeof text !== "string") return undefined;
  const [login = "", worker = "", shares, started = ""] = listOf(text.split(":"));
  return {
    ...{ login, worker, effortShares: integerOf(shares, "a find's shares") },
    ...(started === "" ? {} : { roundStartedAt: Number(started) }),
  };
}
