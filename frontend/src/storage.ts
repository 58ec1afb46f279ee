/** What this browser remembers: theme, language, the last addresses; it may be closed to us. */

/** What was remembered under a name. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`quarry.${name}`);
  } catch {
    return null;
  }
}

/** Remembers a text; null forgets it. */
export function remember(name: string, text: string | null): void {
  try {
    if (text === null) localStorage.removeItem(`quarry.${name}`);
    else localStorage.setItem(`quarry.${name}`, text);
  } catch { /* a page without memory works too */ }
}
