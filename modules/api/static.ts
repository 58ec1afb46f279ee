/**
 * The page: files of one folder, GET and HEAD only, under a strict content security policy.
 *
 * A path that is a page to the browser's router answers with index.html. Files whose name carries
 * their hash are kept for a year; a .br or .gz beside a file is sent instead where it is understood.
 */
import { createMiddleware } from "hono/factory";
import { secureHeaders } from "hono/secure-headers";
import { getMimeType } from "hono/utils/mime";

/** The folder of the page that comes with quarry, as `deno task frontend` builds it. */
export const DEFAULT_PAGE = decodeURIComponent(
  new URL("../../frontend/dist", import.meta.url).pathname,
);

/** Names that end in a hash, as the build makes them. */
const HASHED = /^\/assets\/[^/]+-[\w-]{8}\.\w+$/;
/** Never a page: what machines ask, and files. */
const NO_PAGE = /^\/(api|healthz|readyz)(\/|$)|\.[^/]*$|\/\.|%/;

/** Everything the page loads comes from here; nothing may frame it. @param inline hashes of scripts */
function policyOf(inline: readonly string[], pings: readonly string[]) {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'", ...inline],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'", ...pings],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: "DENY",
    referrerPolicy: "no-referrer",
    // Whether the page comes over TLS is the business of what stands in front.
    strictTransportSecurity: false,
  });
}

/** The page's picture beside the pool's name, which an operator may replace. */
const LOGO_PATH = "/icon.svg";

/**
 * Serves the files of a folder, or passes the request on when there is no such file.
 *
 * @param own `logo`: an SVG that takes the place of the page's; `pings`: origins that the page asks
 */
export function servePage(
  folder: string,
  { logo, pings = [] }: { logo?: string | undefined; pings?: readonly string[] } = {},
) {
  return createMiddleware(async function page(context, next) {
    const { method, path } = context.req;
    if (method !== "GET" && method !== "HEAD") return await next();
    const header = (name: string) => context.req.header(name) ?? "";
    const encodings = header("accept-encoding");
    const isPage = header("accept").includes("text/html") &&
      !NO_PAGE.test(path);
    const own = path === LOGO_PATH && logo !== undefined
      ? await openAs(logo, "image/svg+xml")
      : undefined;
    const file = own ?? await open(folder, path, encodings) ??
      (isPage ? await open(folder, "/", encodings) : undefined);
    if (file === undefined) return await next();
    const fresh = header("if-none-match") === file.headers.ETag;
    context.res = new Response(fresh || method === "HEAD" ? null : file.bytes, {
      status: fresh ? 304 : 200,
      headers: {
        ...file.headers,
        "Cache-Control": HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
        ...(method === "HEAD" ? { "Content-Length": String(file.bytes.length) } : {}),
      },
    });
    const html = file.headers["Content-Type"].startsWith("text/html");
    const protect = policyOf(
      html ? await inlineScripts(`${folder}/index.html`) : [],
      pings,
    );
    await protect(context, async () => {});
  });
}

interface OpenFile {
  bytes: Uint8Array<ArrayBuffer>;
  headers: Record<string, string> & { "Content-Type": string; ETag: string };
}

/** A file, whole, as small as the browser understands it; undefined when there is none. */
async function open(
  folder: string,
  path: string,
  encodings: string,
): Promise<OpenFile | undefined> {
  // Names are plain; whatever else a path holds is no file of the page.
  if (!/^\/(?:[\w-][\w.-]*\/)*(?:[\w-][\w.-]*)?$/.test(path)) return undefined;
  const name = folder + (path.endsWith("/") ? `${path}index.html` : path);
  for (
    const [suffix, encoding] of [[".br", "br"], [".gz", "gzip"], [
      "",
      "",
    ]] as const
  ) {
    if (encoding !== "" && !encodings.includes(encoding)) continue;
    const info = await Deno.stat(name + suffix).catch(() => undefined);
    if (info?.isFile !== true) continue;
    return {
      bytes: await Deno.readFile(name + suffix),
      headers: {
        "Content-Type": getMimeType(name) ?? "application/octet-stream",
        "ETag": `"${info.size}-${info.mtime?.getTime() ?? 0}${suffix}"`,
        "Vary": "Accept-Encoding",
        ...(encoding === "" ? {} : { "Content-Encoding": encoding }),
      },
    };
  }
  return undefined;
}

/** A file under another name; undefined when it cannot be read. */
async function openAs(name: string, type: string): Promise<OpenFile | undefined> {
  const read = await Promise.all([Deno.readFile(name), Deno.stat(name)]).catch(() => undefined);
  if (read === undefined) return undefined;
  const [bytes, info] = read;
  const tag = `"${info.size}-${info.mtime?.getTime() ?? 0}"`;
  return { bytes, headers: { "Content-Type": type, ETag: tag, Vary: "Accept-Encoding" } };
}

/** The policy's words for the scripts that stand in a page itself. */
export async function inlineScripts(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(path).catch(() => "");
  const hashes = [...text.matchAll(/<script>([^]*?)<\/script>/g)].map(
    async ([, script]) => {
      const digest = await crypto.subtle.digest(
        "SHA-256",
        new TextEncoder().encode(script),
      );
      return `'sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}'`;
    },
  );
  return await Promise.all(hashes);
}
