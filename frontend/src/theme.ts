/** Light, dark, or as the system has it. */
import { signal } from "@preact/signals";
import { recall, remember } from "./storage.ts";

/** What can be chosen. */
export const THEMES = ["system", "light", "dark"] as const;

/** One of them. */
export type Theme = (typeof THEMES)[number];

/** The one chosen. */
export const theme = signal<Theme>(
  THEMES.find((one) => one === recall("theme")) ?? "system",
);

/** Shows a theme and remembers it. */
export function paint(chosen: Theme): void {
  theme.value = chosen;
  remember("theme", chosen === "system" ? null : chosen);
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

/** Shows the operator's colour; null: the page's own, undefined: not known yet. */
export function brand(
  accent: { light: string; dark: string } | null | undefined,
): void {
  if (accent === undefined) return;
  const text = accent && `light-dark(${accent.light},${accent.dark})`;
  remember("accent", text);
  document.documentElement.style.setProperty("--accent", text);
}

/** The colour of the last visit, so that it does not change before the reader's eyes. */
export function brandAsBefore(): void {
  document.documentElement.style.setProperty("--accent", recall("accent"));
}
