/** Reading the replies of a transaction: what is missing or of another kind is an error. */
import { type Reply, StoreError } from "./redis.ts";

/** One reply of a transaction. @throws {StoreError} when there is none */
export function replyAt(replies: Reply[], index: number): Reply {
  const reply = replies[index];
  if (reply === undefined) throw new StoreError("Cannot read a transaction's reply", "refused");
  return reply;
}

/** A count. @throws {StoreError} when it is none */
export function countOf(reply: Reply): number {
  if (typeof reply !== "number") throw new StoreError("Cannot read a count", "refused");
  return reply;
}
