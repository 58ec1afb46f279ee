/** Real paths of what the configuration names: where links lead, and what is there above a path. */
import { dirname } from "node:path";

/** The first folder above a path that is there. */
export function folderAbove(path: string): string {
  const above = dirname(path);
  try {
    Deno.statSync(above);
    return above;
  } catch (error) {
    if (above === path || !(error instanceof Deno.errors.NotFound)) return above;
    return folderAbove(above);
  }
}

/** Where a path leads when it is a link; the path itself while nothing is there. */
export function realPathOf(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}
