/** Answers kept for one collection: made once however many ask, with an ETag, empty when unchanged. */
import type { Context, MiddlewareHandler } from "hono";
import type { Clock } from "../../base/mod.ts";
import { AccountCache } from "../account_cache.ts";

/** Answers held at most. */
const ANSWERS_MAX = 10_000;
/** For how long a browser or proxy may show an answer without asking (seconds). */
const MAX_AGE_SECONDS = 5;

/** Where the next page of a CSV begins. */
export const CURSOR_HEADER = "X-Next-Cursor";

interface Answer {
  body: string;
  type: string;
  etag: string;
  cursor: string | null;
}

/** Keeps good answers by path and query; failures pass through. */
export function keptAnswers(maxAgeMs: number, clock: Clock): MiddlewareHandler {
  const cache = new AccountCache<Answer>({ maxAgeMs, size: ANSWERS_MAX }, clock);
  return async function answers(context, next) {
    const { method } = context.req;
    if (method !== "GET" && method !== "HEAD") return await next();
    let failed = false;
    const answer = await cache.get(keyOf(context), async () => {
      await next();
      failed = context.res.status !== 200;
      return failed ? undefined : await answerOf(context.res);
    });
    if (answer === undefined) {
      // Somebody else's failure: this request finds its own.
      if (!failed) await next();
      return;
    }
    const headers = {
      "Content-Type": answer.type,
      "Cache-Control": `public, max-age=${MAX_AGE_SECONDS}`,
      ETag: answer.etag,
      ...(answer.cursor === null ? {} : { [CURSOR_HEADER]: answer.cursor }),
    };
    const known = matches(context.req.header("if-none-match"), answer.etag);
    // What the guards have set before goes over.
    context.res = known
      ? new Response(null, { status: 304, headers })
      : new Response(answer.body, { headers });
    context.res.headers.append("Vary", "Accept");
  };
}

/** Path, query and form; `/connect` also shows the host that it was asked by. */
function keyOf(context: Context): string {
  const { pathname, searchParams } = new URL(context.req.url);
  searchParams.sort();
  const host = pathname.endsWith("/connect") ? context.req.header("host") ?? "" : "";
  return `${pathname.toLowerCase()}?${searchParams} ${wantsCsv(context)} ${host}`;
}

/** Whether a list is asked for as CSV. */
export function wantsCsv(context: Context): boolean {
  const format = context.req.query("format");
  if (format !== undefined) return format === "csv";
  return /^\s*text\/csv\b/.test(context.req.header("accept") ?? "");
}

async function answerOf(response: Response): Promise<Answer> {
  const body = await response.text();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  return {
    body,
    type: response.headers.get("content-type") ?? "application/json",
    cursor: response.headers.get(CURSOR_HEADER),
    etag: `"${new Uint8Array(digest).toHex().slice(0, 32)}"`,
  };
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === "*" ||
    header.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);
}
