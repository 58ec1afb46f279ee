/** The page: files of one folder, GET and HEAD only, under a strict content security policy. */
import { createMiddleware } from "hono/factory";
import { serveStatic } from "hono/deno";
import { secureHeaders } from "hono/secure-headers";

/** The folder of the page that comes with quarry. */
export const DEFAULT_PAGE = decodeURIComponent(
  new URL("../../frontend", import.meta.url).pathname,
);

/** Everything the page loads comes from here; nothing may frame it. */
const protect = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: "DENY",
  referrerPolicy: "no-referrer",
  // Whether the page comes over TLS is the business of what stands in front.
  strictTransportSecurity: false,
});

/** Serves the files of a folder, or passes the request on when there is no such file. */
export function servePage(folder: string) {
  const files = serveStatic({ root: folder });
  return createMiddleware(async function page(context, next) {
    const { method, path } = context.req;
    if ((method !== "GET" && method !== "HEAD") || path.includes("/.")) return await next();
    const found = await files(context, async () => {});
    if (found === undefined) return await next();
    context.res = found;
    await protect(context, async () => {});
    context.res.headers.set("Cache-Control", "no-cache");
  });
}
