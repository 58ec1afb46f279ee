/** The only file that asks the API; an answer that has not changed is not sent again. */

/** What an answer said. */
export interface Answer<T> {
  body: T;
  /** The server's clock less this one (milliseconds). */
  aheadMs: number;
}

/** Why there is none. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

const BASE = "/api/v2";
const TIMEOUT_MS = 10_000;
/** Answers kept for their ETag. */
const KEPT = 40;
const kept = new Map<string, { etag: string; body: unknown }>();

/** Asks for a path below /api/v2. @throws {ApiError | Error} */
export async function ask<T>(path: string): Promise<Answer<T>> {
  const known = kept.get(path);
  const response = await fetch(BASE + path, {
    headers: known === undefined ? {} : { "If-None-Match": known.etag },
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const date = Date.parse(response.headers.get("date") ?? "");
  const aheadMs = Number.isFinite(date) ? date - Date.now() : 0;
  if (response.status === 304 && known !== undefined) {
    return { body: known.body as T, aheadMs };
  }
  // A body that was cut is a failure too, whatever the status says.
  const body = await response.json().catch((error) => response.ok ? Promise.reject(error) : error);
  if (!response.ok) throw failed(response.status, body);
  const etag = response.headers.get("etag");
  kept.delete(path);
  if (etag !== null) kept.set(path, { etag, body });
  if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
  return { body, aheadMs };
}

/** Sends a message. @throws {ApiError | Error} */
export async function tell<T>(path: string, message: unknown): Promise<T> {
  const response = await fetch(BASE + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(message),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const body = await response.json().catch(() => undefined);
  if (!response.ok) throw failed(response.status, body);
  return body;
}

/** Time (milliseconds) that an answer of a place, or of this server, took, median of some. */
export async function latency(
  times: number,
  url = `${BASE}/ping`,
): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i <= times; i++) {
    const startMs = performance.now();
    await fetch(url, {
      cache: "no-store",
      // What another place answers is not read.
      mode: "no-cors",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // The first one opens the connection.
    if (i > 0) took.push(performance.now() - startMs);
  }
  return took.sort((a, b) => a - b)[Math.floor(took.length / 2)]!;
}

/** The address of a path's JSON or CSV. */
export function apiLink(path: string): string {
  return BASE + path;
}

function failed(status: number, body: unknown): ApiError {
  const { error } = (body ?? {}) as {
    error?: { code: string; message: string };
  };
  return new ApiError(
    status,
    error?.code ?? "",
    error?.message ?? `HTTP ${status}`,
  );
}
