/** The language of the page. */
import { signal } from "@preact/signals";

/** Languages there are, as they call themselves. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

/** One of them. */
export type Language = keyof typeof LANGUAGES;

/** The one shown. */
export const lang = signal<Language>("en");

/** The language as the browser's country writes it: its clock, its decimal mark. */
export function locale(): string {
  const own = lang.value;
  const wanted = typeof document === "undefined" ? [] : navigator.languages;
  return wanted.find((one) => one.toLowerCase().startsWith(`${own}-`)) ?? own;
}
