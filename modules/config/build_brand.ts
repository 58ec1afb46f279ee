/** The operator's colour and logo: whether they can be read on the page is told at the start. */
import { type Findings, refuse } from "./findings.ts";
import type { RawConfig } from "./schema.ts";

/** The page's surfaces (frontend/src/styles/tokens.css); the accent is text on each of them. */
const SURFACES = {
  light: ["#f4f7f9", "#ffffff", "#eaeff3"],
  dark: ["#0e1318", "#151c23", "#1d2630"],
};
/** WCAG 2.2, 1.4.3: least contrast of text. */
const CONTRAST_MIN = 4.5;

/** What the page shows of its operator. */
export interface Brand {
  /** Colours of links and buttons (#rrggbb); undefined: the page's own. */
  readonly accent?: { readonly light: string; readonly dark: string };
  /** Absolute path of an SVG; undefined: the page's own. */
  readonly logo?: string;
}

/** Colour and logo of the file. */
export function buildBrand(
  { api }: RawConfig,
  path: (name: string) => string,
  found: Findings,
): Brand {
  const { accent: light, accentDark: dark, logo } = api;
  if ((light === undefined) !== (dark === undefined)) {
    const [there, missing] = light === undefined
      ? ["api.accentDark", "api.accent"]
      : ["api.accent", "api.accentDark"];
    refuse(found, there, `stands without ${missing}`, `add ${missing}, or leave both out`);
  }
  if (light !== undefined) check("api.accent", light, "light", found);
  if (dark !== undefined) check("api.accentDark", dark, "dark", found);
  return {
    ...(light === undefined || dark === undefined ? {} : { accent: { light, dark } }),
    ...(logo === undefined ? {} : { logo: path(logo) }),
  };
}

function check(key: string, color: string, theme: keyof typeof SURFACES, found: Findings): void {
  const least = Math.min(...SURFACES[theme].map((surface) => contrast(color, surface)));
  if (least >= CONTRAST_MIN) return;
  const shown = Math.floor(least * 10) / 10;
  refuse(
    found,
    key,
    `cannot be read on the ${theme} page: its contrast is ${shown}, ${CONTRAST_MIN} is the least`,
    `write a ${theme === "light" ? "darker" : "lighter"} colour`,
  );
}

/** Contrast of two colours (#rrggbb), 1 to 21, as WCAG defines it. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
