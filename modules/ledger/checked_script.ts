/** Scripts with the shared checks in front of their own text. */
import type { LedgerScript } from "./redis.ts";
import checksLua from "./scripts/checks.lua" with { type: "text" };

/** A script that checks everything before its first write. */
export function checkedScript(name: string, source: string): LedgerScript {
  return { name, source: `${checksLua}\n${source}` };
}
