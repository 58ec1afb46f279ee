/** A miner's payments, credits and blocks. */
import {
  type FoundBlock,
  openPaymentsOf,
  readBlockPage,
  readBlocksOf,
  readCreditsOf,
  readFailedPayments,
  readFindsOf,
  readMinerFacts,
  readPaidPage,
  secondsCursorOf,
} from "../../ledger/mod.ts";
import { asOf, type V2Deps } from "./deps.ts";
import { blockOf, failedPayment, openPayment, paidPayment } from "./lists.ts";
import { percentOf } from "./numbers.ts";
import type { Block, Credit } from "./schemas.ts";

/** Blocks looked at for one page of credits, at most this many times. */
const CREDIT_BLOCKS = 200;
const CREDIT_STEPS = 3;
/** Failed payments shown between the rows of one page. */
const FAILED_MAX = 50;

interface Page {
  before?: string | undefined;
  limit: number;
}

/** `/miners/{address}/payments`: on each page also what failed in the time that it covers. */
export async function minerPaymentsBody(deps: V2Deps, login: string, { before, limit }: Page) {
  const height = (await deps.overview.get())?.height ?? null;
  const { openPayment: id } = before === undefined
    ? await readMinerFacts(deps, login)
    : { openPayment: null };
  const open = id === null ? [] : await openPaymentsOf(deps, [id]);
  const { rows, nextCursor } = await readPaidPage(deps, {
    ...{ login, limit },
    ...(before === undefined ? {} : { before }),
  });
  const { seconds: max } = secondsCursorOf(before);
  // The last row's second begins the next page.
  const { seconds: last } = secondsCursorOf(nextCursor ?? undefined);
  const failed = await readFailedPayments(deps, login, {
    ...(max === undefined ? {} : { max }),
    ...(last === undefined ? {} : { min: last + 1 }),
    limit: FAILED_MAX,
  });
  const final = [...failed.map(failedPayment), ...rows.map(paidPayment)]
    .sort((a, b) => b.atMs - a.atMs);
  return {
    asOfMs: await asOf(deps),
    items: [...open.map((one) => openPayment(one, height)), ...final],
    nextCursor,
  };
}

/**
 * `/miners/{address}/credits`: the newest blocks are looked through, so that a page may have fewer
 * rows than asked for, and another page after it.
 */
export async function minerCreditsBody(deps: V2Deps, login: string, { before, limit }: Page) {
  const items: Credit[] = [];
  let cursor = before;
  let end = false;
  for (let step = 0; step < CREDIT_STEPS && items.length < limit && !end; step++) {
    const page = await readBlockPage(deps, {
      ...{ state: "all", limit: CREDIT_BLOCKS },
      ...(cursor === undefined ? {} : { before: cursor }),
    });
    const credits = await readCreditsOf(deps, login, page.blocks);
    let last: FoundBlock | undefined;
    for (const [i, block] of page.blocks.entries()) {
      if (items.length === limit) break;
      last = block;
      const amount = credits[i];
      if (amount !== null && amount !== undefined) items.push(creditOf(block, amount));
    }
    end = page.nextCursor === null && last === page.blocks.at(-1);
    if (last !== undefined) cursor = `${last.height}.${last.nonce}`;
  }
  return { asOfMs: await asOf(deps), items, nextCursor: end ? null : cursor ?? null };
}

function creditOf(block: FoundBlock, amountShannon: bigint): Credit {
  const { height, hash, rewardWei, foundAt } = block;
  return {
    ...{ height, hash, amountShannon: `${amountShannon}`, atMs: foundAt * 1000 },
    state: block.state === "immature" ? "immature" : "matured",
    percent: rewardWei === null ? null : percentOf(amountShannon * 1_000_000_000n, rewardWei),
  };
}

/** `/miners/{address}/blocks`: those found since finders are kept. */
export async function minerBlocksBody(deps: V2Deps, login: string, { before, limit }: Page) {
  const { seconds, skip } = secondsCursorOf(before);
  const finds = await readFindsOf(deps, login, {
    ...(seconds === undefined ? {} : { beforeSeconds: seconds }),
    ...{ skip, limit: limit + 1 },
  });
  const shown = finds.slice(0, limit);
  const height = (await deps.overview.get())?.height ?? null;
  const found = await readBlocksOf(deps, shown);
  const items: Block[] = found.flatMap((block) =>
    block === undefined ? [] : [blockOf(block, deps.facts.depth, height)]
  );
  const last = shown.at(-1);
  const same = shown.filter(({ foundAt }) => foundAt === last?.foundAt).length;
  const nextCursor = finds.length <= limit || last === undefined
    ? null
    : `${last.foundAt}.${same + (last.foundAt === seconds ? skip : 0)}`;
  return { asOfMs: await asOf(deps), items, nextCursor };
}
