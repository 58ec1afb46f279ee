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
