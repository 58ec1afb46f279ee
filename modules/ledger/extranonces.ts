/** Extranonces whose nonces count by another scheme than the pool's, for every door and instance. */
import { assert } from "../base/mod.ts";
import type { Scheme } from "../config/mod.ts";
import type { NoteDeps } from "./mining.ts";
import { listOf } from "./redis.ts";

/** A scheme that nonces with one extranonce have over a span of heights. */
export interface SchemeSpan {
  scheme: Scheme;
  /** First height that it holds for. */
  fromHeight: number;
  /** First height that it holds no more for; undefined while a session mines with it. */
  toHeight?: number;
}

/** Writes down the span of an extranonce (lower-case hex digits). */
export async function bindExtranonce(
  { store, keys }: NoteDeps,
  extranonce: string,
  { scheme, fromHeight, toHeight }: SchemeSpan,
): Promise<void> {
  assert(/^[0-9a-f]+$/.test(extranonce), "An extranonce has digits", { extranonce });
  const text = `${scheme}:${fromHeight}:${toHeight ?? ""}`;
  await store.command("HSET", keys.own.extranonces(), extranonce, text);
}

/** Forgets spans. */
export async function unbindExtranonces(
  { store, keys }: NoteDeps,
  extranonces: readonly string[],
): Promise<void> {
  if (extranonces.length > 0) await store.command("HDEL", keys.own.extranonces(), ...extranonces);
}

/** The span of each extranonce, undefined where there is none. */
export async function readSchemeSpans(
  { store, keys }: NoteDeps,
  extranonces: readonly string[],
): Promise<(SchemeSpan | undefined)[]> {
  const texts = await store.command("HMGET", keys.own.extranonces(), ...extranonces);
  if (!Array.isArray(texts)) throw new TypeError(`Cannot read ${keys.own.extranonces()}`);
  return texts.map((text) => text === null ? undefined : spanOf(String(text)));
}

/** Every extranonce that has a span. */
export async function boundExtranonces({ store, keys }: NoteDeps): Promise<string[]> {
  return listOf(await store.command("HKEYS", keys.own.extranonces()));
}

function spanOf(text: string): SchemeSpan {
  const [, scheme, from, to] = /^(prop|pplns|solo):(\d{1,15}):(\d{0,15})$/.exec(text) ?? [];
  if (scheme === undefined) throw new TypeError(`Cannot read an extranonce's scheme: "${text}"`);
  return {
    ...{ scheme: scheme as Scheme, fromHeight: Number(from) },
    ...(to === "" ? {} : { toHeight: Number(to) }),
  };
}
