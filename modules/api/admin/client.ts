/** Asks a running pool over its operator's socket. */
import { PoolError } from "../../base/mod.ts";
import { readLine, writeLine } from "./lines.ts";
import type { AdminAnswer, AdminLine } from "./protocol.ts";

/** A pool that takes longer hangs (milliseconds); a reload or a list takes a few seconds at most. */
const ANSWER_MS = 60_000;
/** Longest answer: a list of rows (bytes). */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** No pool can be asked: none runs, or not for us. */
export class UnreachableError extends PoolError {
  override readonly name = "UnreachableError";
}

/**
 * Asks one thing; gives its data.
 *
 * @throws {UnreachableError} when no pool answers at `path`
 * @throws {PoolError} in the pool's words when it refuses
 */
export async function askAdmin(
  path: string,
  line: AdminLine,
  answerMs = ANSWER_MS,
): Promise<unknown> {
  const conn = await connect(path);
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    conn.close();
  }, answerMs);
  try {
    await writeLine(conn, line);
    const answer = JSON.parse(await readLine(conn, ANSWER_BYTES_MAX)) as AdminAnswer;
    if (!answer.ok) throw new PoolError(answer.error);
    return answer.data;
  } catch (error) {
    if (!isLate) throw error;
    throw new UnreachableError(`The pool gives no answer within ${answerMs / 1000} s: see its log`);
  } finally {
    clearTimeout(late);
    if (!isLate) conn.close();
  }
}

async function connect(path: string): Promise<Deno.Conn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (cause) {
    const forbidden = cause instanceof Deno.errors.PermissionDenied;
    throw new UnreachableError(
      forbidden
        ? `${path} belongs to the pool's user: run this as that user (sudo -u quarry ...) or as root`
        : `No pool answers at ${path}: it does not run, or its api.adminSocket is another one`,
      { cause },
    );
  }
}
