/** An answer of the API that is kept fresh: loading, ready, stale or failed; the last good one stays. */
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError, ask } from "./client.ts";
import { heardOf, lately } from "./clock.ts";
import { bell } from "./live.ts";

/** An answer asked for within this time need not be asked for again (milliseconds). */
const FRESH_MS = 1_000;

/** What is known of an answer. */
export interface Resource<T> {
  state: "loading" | "ready" | "stale" | "failed";
  data: T | undefined;
  /** When it was last answered (milliseconds, this clock). */
  atMs: number;
  /** Why the last question failed; empty when it did not. */
  error: string;
  /** The API's word for it, if it gave one. */
  code?: string;
}

/** Answers older than this are stale (milliseconds). */
export const STALE_MS = 30_000;
/** A snapshot older than this says that the pool's statistics stand still. */
const STILL_MS = 120_000;

/** The next state after an answer. */
export function answered<T>(data: T, nowMs: number): Resource<T> {
  return { state: "ready", data, atMs: nowMs, error: "" };
}

/** The next state after a failure. */
export function failedWith<T>(before: Resource<T>, error: string, code = ""): Resource<T> {
  return {
    ...before,
    state: before.data === undefined ? "failed" : "stale",
    ...{ error, code },
  };
}

/** Whether what is shown is old. @param serverMs now by the server's clock */
export function isOld(
  resource: Resource<unknown>,
  nowMs: number,
  serverMs: number,
): boolean {
  if (resource.state === "stale") return true;
  if (resource.state !== "ready") return false;
  const { asOfMs } = resource.data as { asOfMs?: number };
  return nowMs - resource.atMs > 2 * STALE_MS ||
    (asOfMs !== undefined && serverMs - asOfMs > STILL_MS);
}

/** What a page asks for. */
export interface Wish {
  /** Below /api/v2; undefined asks nothing. */
  path: string | undefined;
  /** A new snapshot asks again after this long (milliseconds). @default {4000} */
  everyMs?: number;
}

/** One path's answer, and the way to ask again. */
export class Feed<T> {
  readonly value: Signal<Resource<T>> = signal({
    ...{ state: "loading", data: undefined, atMs: 0, error: "" } as const,
  });
  #askedAtMs = 0;
  #under: Promise<void> | undefined;

  constructor(readonly path: string, readonly everyMs: number) {}

  /** Asks again, unless it is being asked. */
  refresh(): Promise<void> {
    this.#under ??= this.#ask().finally(() => this.#under = undefined);
    return this.#under;
  }

  /** Asks unless it was asked a moment ago: for the first drawing. */
  freshen(): void {
    if (Date.now() - this.#askedAtMs >= FRESH_MS) void this.refresh();
  }

  /** Asks again when the bell has a reason to. */
  rung(what: string): void {
    const age = Date.now() - this.#askedAtMs;
    if (what !== "pool" || age >= this.everyMs) void this.refresh();
  }

  async #ask(): Promise<void> {
    this.#askedAtMs = Date.now();
    try {
      const { body, aheadMs } = await ask<T>(this.path);
      heardOf(aheadMs);
      this.value.value = answered(body, Date.now());
    } catch (error) {
      this.value.value = error instanceof ApiError
        ? failedWith(this.value.value, error.message, error.code)
        : failedWith(this.value.value, String(error));
    }
  }
}

/** Feeds that were seen lately, so that a page shows its last numbers at once. */
const feeds = new Map<string, Feed<unknown>>();
const FEEDS_MAX = 30;

/** The feed of a path, the same for all that ask. */
export function feedOf<T>(path: string, everyMs = 4_000): Feed<T> {
  const known = feeds.get(path) as Feed<T> | undefined;
  if (known !== undefined) {
    feeds.delete(path);
    feeds.set(path, known as Feed<unknown>);
    return known;
  }
  const feed = new Feed<T>(path, everyMs);
  feeds.set(path, feed as Feed<unknown>);
  if (feeds.size > FEEDS_MAX) feeds.delete(feeds.keys().next().value!);
  return feed;
}

const NOTHING = signal<Resource<never>>({
  ...{ state: "loading", data: undefined, atMs: 0, error: "" } as const,
});

/** An answer, kept fresh while the page is shown. */
export function useResource<T>({ path, everyMs = 4_000 }: Wish): Resource<T> {
  const feed = useMemo(
    () => path === undefined ? undefined : feedOf<T>(path, everyMs),
    [path, everyMs],
  );
  useEffect(() => {
    if (feed === undefined) return;
    feed.freshen();
    let last = bell.peek().count;
    return bell.subscribe(({ count, what }) => {
      if (count !== last) feed.rung(what);
      last = count;
    });
  }, [feed]);
  const resource = (feed?.value ?? NOTHING).value as Resource<T>;
  return isOld(resource, Date.now(), lately.value) ? { ...resource, state: "stale" } : resource;
}
