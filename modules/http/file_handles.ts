/** Keeps a listener alive when file handles run out, and says whether there are any left. */
import { closeSync, openSync } from "node:fs";
import type { Server } from "node:net";

/**
 * Makes a listener look for connections again.
 *
 * When accept(2) fails for want of file handles, Deno 2.9's node:net reports nothing and never
 * accepts again, also when handles are free. Listening again on the listening handle is no system
 * call there; it only makes the event loop try accept(2) once more.
 */
export function wakeListener(server: Server, backlog: number): void {
  const { _handle: handle } = server as Server & {
    _handle?: { listen(backlog: number): number } | null;
  };
  handle?.listen(backlog);
}

/** Whether a file can be opened now; true when that cannot be found out. */
export function areHandlesLeft(): boolean {
  try {
    closeSync(openSync("/dev/null", "r"));
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    return code !== "EMFILE" && code !== "ENFILE";
  }
}
