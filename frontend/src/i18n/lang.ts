/** The language of the page. */
import { signal } from "@preact/signals";

/** Languages there are, as they call themselves. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

/** One of them. */
export type Language = keyof typeof LANGUAGES;

/** The one shown. */
export const lang = signal<Language>("en");
