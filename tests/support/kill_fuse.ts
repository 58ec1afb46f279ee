/** Counts what a process does to the world, and cuts it off before or after one chosen effect. */

/**
 * Where the cut falls: the effect never happens, or it happens and nobody hears of it; "late" is no
 * cut, the effect comes when `act` is through.
 */
export type When = "before" | "after" | "late";

/** The effect was cut: the proxy closes the connection without an answer. */
export class Cut extends Error {}

/** One counter for all proxies in front of a process. */
export interface Fuse {
  /** Names of the effects since the fuse was last armed, oldest first. */
  readonly effects: readonly string[];
  /** Whether the chosen effect has come. */
  readonly blown: boolean;
  /**
   * Chooses an effect by its number from 1, or by a name and its number among those of that name;
   * `act` runs at the cut, and kills the process in most tests.
   */
  arm(at: { nth: number; name?: string }, when: When, act: () => Promise<void> | void): void;
  /** Lets everything through; resolves when a cut that had begun is over. */
  disarm(): Promise<void>;
  /** Called after each effect that ran; undefined ends it. */
  watch(watcher: (() => Promise<void>) | undefined): void;
  /** Runs an effect. @throws {Cut} when it is the chosen one */
  around<T>(name: string, run: () => Promise<T>): Promise<T>;
}

/** A fuse that lets everything through until it is armed. */
export function createFuse(): Fuse {
  let effects: string[] = [];
  let chosen: { nth: number; name?: string; when: When; act(): Promise<void> | void } | undefined;
  let watcher: (() => Promise<void>) | undefined;
  let acting: Promise<void> | undefined;
  let count = 0, blown = false;
  return {
    get effects() {
      return effects;
    },
    get blown() {
      return blown;
    },
    arm(at, when, act) {
      [effects, count, blown] = [[], 0, false];
      chosen = { ...at, when, act };
    },
    async disarm() {
      [effects, count, blown, chosen] = [[], 0, false, undefined];
      await acting;
      blown = false;
    },
    watch(next) {
      watcher = next;
    },
    async around(name, run) {
      effects.push(name);
      const here = chosen !== undefined && (chosen.name ?? name) === name &&
        ++count === chosen.nth;
      if (!here) {
        const result = await run();
        await watcher?.();
        return result;
      }
      const { when, act } = chosen!;
      if (when === "late") {
        blown = true;
        await act();
        return await run();
      }
      // Known from its beginning on, so that disarming waits for a cut that the books foretell.
      acting = (async () => {
        if (when === "after") await run();
        await act();
      })();
      await acting;
      blown = true;
      throw new Cut(name);
    },
  };
}

/** A repeatable sequence of numbers from 0 up to below 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
