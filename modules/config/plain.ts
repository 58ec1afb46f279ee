/** Parts of the configuration in the form that Deno workers take. */
import type { Config } from "./types.ts";

/** A type without its readonly marks. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] };

/** A copy without the readonly marks, fit to be posted to a Deno worker. */
export function plain<T>(value: T): Mutable<T> {
  return structuredClone(value) as Mutable<T>;
}

/** Folder of this instance's journals: below `dataDir`, one per prefix and name. */
export function stateDir(config: Config): string {
  return `${config.dataDir}/${config.coin}-${config.name}`;
}
