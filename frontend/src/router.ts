/** Where the reader is: the path on the History API, without a page load. */
import { signal } from "@preact/signals";

/** A page and what its path says. */
export type Route =
  | {
    page:
      | "pool"
      | "blocks"
      | "payments"
      | "connect"
      | "status"
      | "help"
      | "notFound";
  }
  | { page: "miner" | "settings"; address: string };

const PLAIN = ["blocks", "payments", "connect", "status", "help"] as const;

/** The page of a path. */
export function routeOf(path: string): Route {
  const parts = path.split("/").filter((part) => part !== "");
  const [first = "", second = "", third] = parts;
  if (parts.length === 0) return { page: "pool" };
  const plain = PLAIN.find((page) => page === first);
  if (plain !== undefined && parts.length === 1) return { page: plain };
  if (first === "miner" && /^0x[0-9a-f]{40}$/i.test(second)) {
    const address = second.toLowerCase();
    if (third === undefined) return { page: "miner", address };
    if (third === "settings" && parts.length === 3) {
      return { page: "settings", address };
    }
  }
  if (first === "settings" && parts.length === 1) {
    return { page: "settings", address: "" };
  }
  return { page: "notFound" };
}

/** What stands behind the "#"; nothing when somebody's link is damaged there. */
export function hashText(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return "";
  }
}

/** Path and query now. */
export const place = signal({
  path: "/",
  query: new URLSearchParams(),
  hash: "",
});

function read(): void {
  const { pathname, search, hash } = location;
  place.value = { path: pathname, query: new URLSearchParams(search), hash };
}

/** Goes somewhere else. @param replace keeps the way back free of it */
export function go(href: string, replace = false): void {
  const before = location.pathname;
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  read();
  if (before !== location.pathname) {
    scrollTo(0, 0);
    arrived = true;
  }
}

/** Whether the next heading is to be focused: the reader came by a link. */
let arrived = false;

/** Focuses the page's heading once after each way. */
export function focusHeading(heading: HTMLElement | null): void {
  if (heading === null || !arrived) return;
  arrived = false;
  heading.focus();
}

/** A query with some values changed; null removes one. */
export function withQuery(
  changes: Readonly<Record<string, string | null>>,
): string {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const text = String(query);
  return place.value.path + (text === "" ? "" : `?${text}`);
}

/** Follows links to pages, and the browser's own back and forward. */
export function startRouter(): void {
  read();
  addEventListener("popstate", () => {
    arrived = true;
    read();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    const link = (event.target as Element).closest?.("a");
    if (!link || link.target !== "" || link.hasAttribute("download")) return;
    const url = new URL(link.href, location.href);
    const ours = url.origin === location.origin &&
      !/^\/(api\/|healthz|readyz)/.test(url.pathname);
    if (!ours || link.getAttribute("href")!.startsWith("#")) return;
    event.preventDefault();
    go(url.pathname + url.search + url.hash);
  });
}
