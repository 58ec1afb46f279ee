/** Rights as arguments of `deno run`. */
import type { ProcessRights } from "./process.ts";

/**
 * The arguments that give a process these rights and no others; it never asks for more.
 *
 * Packages that look at the environment see nothing there but what is named.
 */
export function rightsFlags(rights: ProcessRights): string[] {
  const { net, ...lists } = rights;
  return [
    "--no-prompt",
    ...(net === "any" ? ["--allow-net"] : listed("net", net)),
    ...listed("read", lists.read),
    ...listed("write", lists.write),
    ...listed("env", lists.env),
    "--ignore-env",
    // The log's package asks for the machine's name when it is loaded.
    `--allow-sys=${["hostname", ...lists.sys ?? []].join(",")}`,
    ...listed("run", lists.run),
    ...listed("ffi", lists.ffi),
  ];
}

function listed(kind: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  // A comma ends an item, and two of them are one that belongs to it.
  const escaped = [...new Set(items)].map((item) => item.replaceAll(",", ",,"));
  return [`--allow-${kind}=${escaped.join(",")}`];
}
