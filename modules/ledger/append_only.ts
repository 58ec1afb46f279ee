/** Keeps a torn script of Redis's last crash from coming back at its next start. */
import { errorText, type Logger } from "../base/mod.ts";
import type { Store } from "./redis.ts";

/**
 * Has Redis write its append-only file anew, once after each of its starts.
 *
 * A crash may tear the file within a script's effects. Redis (7.0 at least) then drops the torn
 * command alone and leaves those before it, after a MULTI that never ends: they are not applied now,
 * but at the next start, and half a script with them. A file written anew does not have them.
 *
 * @returns whether it was asked to; a refusal (an ACL) is logged
 */
export async function rewriteAppendOnly(store: Store, log: Logger): Promise<boolean> {
  try {
    const info = String(await store.command("INFO", "persistence"));
    const has = (line: string) => new RegExp(`^${line}\\r?$`, "m").test(info);
    if (!has("aof_enabled:1") || !has("aof_last_rewrite_time_sec:-1")) return false;
    if (has("aof_rewrite_in_progress:1") || has("aof_rewrite_scheduled:1")) return false;
    await store.command("BGREWRITEAOF");
    log.info("redis.rewrites", { note: "the append-only file, once after Redis started" });
    return true;
  } catch (error) {
    log.warn("redis.rewriteRefused", {
      error: errorText(error),
      mend: "after a crash of Redis run BGREWRITEAOF before it is started again",
    });
    return false;
  }
}
