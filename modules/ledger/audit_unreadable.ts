/** What an unreadable amount of an account must be, by the books' other records. */
import { type Shannon, weiToShannonFloor } from "../base/mod.ts";
import { FINANCES, type UnreadableAmount } from "./accounts.ts";
import type { Books } from "./audit_books.ts";

const FIELDS = ["immature", "balance", "pending", "paid"] as const;
type Field = typeof FIELDS[number];

/**
 * The amount (Shannon) that makes the books add up. A miner's comes of its credits and payments; the
 * pool's of its miners and matured blocks.
 */
export function expectedAmount(books: Books, { account, field }: UnreadableAmount): Shannon {
  if (account !== FINANCES) return amountOf(books, account, field as Field);
  if (field === "totalMined") {
    const mined = books.matured.filter(({ row }) => !row.orphan);
    return sum(mined.map(({ row }) => weiToShannonFloor(row.rewardWei))) +
      signedOff(books, "rewards of matured blocks and totalMined");
  }
  const logins = [...books.miners.keys()];
  return sum(logins.map((login) => amountOf(books, login, field as Field))) +
    signedOff(books, `${field} of all miners and of finances`);
}

/** As it is written; where that cannot be read, as it is to be. */
function amountOf(books: Books, login: string, field: Field): Shannon {
  const isUnreadable = books.unreadable.some((one) => one.account === login && one.field === field);
  if (!isUnreadable) return books.miners.get(login)?.[`${field}Shannon`] ?? 0n;
  switch (field) {
    case "immature":
      return (books.immatureCredits.get(login) ?? 0n) + signedOff(books, `immature of ${login}`);
    case "pending":
      return sum(
        books.pendingRows.filter((row) => row.login === login).map((row) => row.amountShannon),
      ) + signedOff(books, `rows of ${login} in payments:pending`);
    case "paid":
      return (books.paidInAll.get(login) ?? 0n) +
        signedOff(books, `rows of ${login} in payments:all`);
    case "balance":
      return (books.maturedCredits.get(login) ?? 0n) +
        signedOff(books, `credits of ${login} and what it has or got`) -
        amountOf(books, login, "pending") - amountOf(books, login, "paid");
  }
}

/** A difference that the take-over was signed off with. */
function signedOff({ opening }: Books, what: string): bigint {
  return opening.differences.get(what) ?? 0n;
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, one) => total + one, 0n);
}
