/** Lists of blocks and payments as `/api/v2` writes them. */
import {
  type FailedPayment,
  type FoundBlock,
  type OpenPayment,
  type PaidRow,
  readBlockPage,
  readOpenPayments,
  readPaidPage,
} from "../../ledger/mod.ts";
import { asOf, type V2Deps } from "./deps.ts";
import { percentOf } from "./numbers.ts";
import type { Block, Payment } from "./schemas.ts";

/** Open payments shown before the final ones. */
const OPEN_MAX = 50;

/** A page of blocks. */
export async function blockPage(
  deps: V2Deps,
  query: { state: "all" | FoundBlock["state"]; before?: string | undefined; limit: number },
) {
  const { blocks, nextCursor } = await readBlockPage(deps, {
    ...{ state: query.state, limit: query.limit },
    ...(query.before === undefined ? {} : { before: query.before }),
  });
  const height = (await deps.overview.get())?.height ?? null;
  return {
    asOfMs: await asOf(deps),
    items: blocks.map((one) => blockOf(one, deps.facts.depth, height)),
    nextCursor,
  };
}

/** A block; `height` is the chain's, null when unknown. */
export function blockOf(found: FoundBlock, depth: number, height: number | null): Block {
  const { state, uncleHeight, effortShares, roundStartedAt } = found;
  return {
    ...{ height: found.height, uncleHeight, state, hash: found.hash, finder: found.finder },
    kind: state === "orphaned" ? "orphan" : uncleHeight > 0 ? "uncle" : "block",
    foundAtMs: found.foundAt * 1000,
    difficulty: `${found.difficulty}`,
    shares: effortShares === null ? null : `${effortShares}`,
    effortPercent: effortShares === null ? null : percentOf(effortShares, found.difficulty),
    rewardWei: found.rewardWei === null ? null : `${found.rewardWei}`,
    confirmations: height === null ? null : Math.max(0, height - found.height),
    ...{ depth, scheme: found.scheme },
    roundSeconds: roundStartedAt === null ? null : Math.max(0, found.foundAt - roundStartedAt),
  };
}

/** A page of the pool's payments: those under way come first on the first page. */
export async function paymentPage(
  deps: V2Deps,
  query: { before?: string | undefined; limit: number },
) {
  const { before, limit } = query;
  const height = (await deps.overview.get())?.height ?? null;
  const open = before === undefined ? await readOpenPayments(deps, OPEN_MAX) : [];
  const { rows, nextCursor } = await readPaidPage(deps, {
    ...{ limit },
    ...(before === undefined ? {} : { before }),
  });
  return {
    asOfMs: await asOf(deps),
    items: [...open.map((one) => openPayment(one, height)), ...rows.map(paidPayment)],
    nextCursor,
  };
}

/** A payment under way; `height` is the chain's. */
export function openPayment(open: OpenPayment, height: number | null): Payment {
  const { minedHeight } = open;
  return {
    ...{ atMs: open.reservedAt * 1000, address: open.login },
    ...{ amountShannon: `${open.amountShannon}`, transaction: open.hash, state: open.state },
    confirmations: minedHeight === null || height === null
      ? null
      : Math.max(0, height - minedHeight),
    reason: null,
  };
}

/** A payment that is final. */
export function paidPayment(row: PaidRow): Payment {
  return {
    ...{ atMs: row.atSeconds * 1000, address: row.login, state: "paid" as const },
    ...{ amountShannon: `${row.amountShannon}`, transaction: row.txHash, confirmations: null },
    reason: null,
  };
}

/** A payment that came back: its amount is in the balance again. */
export function failedPayment(row: FailedPayment): Payment {
  return {
    ...{ atMs: row.atSeconds * 1000, address: row.login, state: row.state, reason: row.reason },
    ...{ amountShannon: `${row.amountShannon}`, transaction: row.hash, confirmations: null },
  };
}
