/** Words of the page in the reader's language; English is the type of all others. */
import { signal } from "@preact/signals";
import { recall, remember } from "../storage.ts";
import { en } from "./en.ts";
import type { enMore } from "./en_more.ts";
import { lang, type Language, LANGUAGES } from "./lang.ts";

/** A sentence of the page. */
export type Word = keyof typeof en | keyof typeof enMore;
/** All sentences in one language. */
export type Words = Readonly<Record<Word, string>>;

const words = signal<Partial<Words>>(en);

/** A sentence with its values filled in; what has no value stays as it is. */
export function t(
  word: Word,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return (words.value[word] ?? word).replace(/\{(\w+)\}(\.?)/g, (whole, name, stop) => {
    if (values[name] === undefined) return whole;
    const value = String(values[name]);
    // The full stop of an abbreviation ends the sentence too.
    return value.endsWith(".") ? value : value + stop;
  });
}

/** One of two sentences, by the language's rule for a count. */
export function tn(
  one: Word,
  other: Word,
  count: number,
  shown = String(count),
): string {
  const rule = new Intl.PluralRules(lang.value).select(count);
  return t(rule === "one" ? one : other, { n: shown });
}

async function english(): Promise<Words> {
  return { ...en, ...(await import("./en_more.ts")).enMore };
}

/** Loads the words of all pages; until then there are only those of the first. */
export async function allWords(): Promise<void> {
  if (lang.value === "en" && words.value === en) words.value = await english();
}

/** Shows another language. @param chosen by the reader: it is remembered */
export async function speak(language: Language, chosen = true): Promise<void> {
  words.value = language === "de" ? (await import("./de.ts")).de : await english();
  lang.value = language;
  document.documentElement.lang = language;
  if (chosen) remember("language", language);
}

/** The language chosen before, or the first of the browser's that there is. */
export function wanted(languages: readonly string[]): Language {
  const known = (text: string): text is Language => Object.hasOwn(LANGUAGES, text);
  return [
    recall("language") ?? "",
    ...languages.map((one) => one.slice(0, 2).toLowerCase()),
  ]
    .find(known) ?? "en";
}
