/** The page as it is built, over answers that are made up: one state of the API at a time. */
import { Hono } from "hono";
import { DEFAULT_PAGE, servePage } from "../../modules/api/static.ts";
import { answerOf } from "../frontend/fixtures.ts";

/** How the API behaves. */
export type Mood = "loading" | "ready" | "stale" | "failed" | "empty";

/** A running stub. */
export interface Stub extends AsyncDisposable {
  readonly url: string;
  mood: Mood;
  /** What an answer is turned into; the same by default. */
  change: (path: string, body: unknown) => unknown;
  /** Questions to the API so far, without the doorbell. */
  readonly asked: number;
}

const STALE_BY_MS = 600_000;

/** Starts it on a free loopback port. */
export function startStub(): Stub {
  const end = new AbortController();
  const state: { mood: Mood; asked: number; change: Stub["change"] } = {
    ...{ mood: "ready", asked: 0, change: (_path, body) => body },
  };
  const app = new Hono()
    .get("/api/v2/ping", () => new Response(null, { status: 204 }))
    .get("/api/v2/events", () => events(end.signal))
    .get(
      "/api/v2/*",
      (context) => {
        state.asked++;
        return answer(context.req.path.slice(7), state, end.signal);
      },
    )
    .use("*", servePage(DEFAULT_PAGE));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => app.fetch(request),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    get mood() {
      return state.mood;
    },
    set mood(mood) {
      state.mood = mood;
    },
    get change() {
      return state.change;
    },
    set change(change) {
      state.change = change;
    },
    get asked() {
      return state.asked;
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await server.shutdown();
    },
  };
}

async function answer(
  path: string,
  { mood, change }: Pick<Stub, "mood" | "change">,
  end: AbortSignal,
): Promise<Response> {
  if (mood === "loading") await ended(end);
  if (mood === "failed" || end.aborted) {
    return Response.json({
      error: { code: "down", message: "Redis does not answer" },
    }, {
      // Chromium writes every 5xx to the console: a failure that is answered is no error of the page.
      status: 503,
    });
  }
  const now = Date.now() - (mood === "stale" ? STALE_BY_MS : 0);
  const body = change(path, answerOf(path, mood !== "empty", now));
  return body === undefined ? new Response(null, { status: 404 }) : Response.json(body);
}

function events(end: AbortSignal): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(": open\n\n"));
      end.addEventListener("abort", () => {
        try {
          controller.close();
        } catch { /* the browser has gone before */ }
      }, { once: true });
    },
  });
  return new Response(body, {
    headers: { "Content-Type": "text/event-stream" },
  });
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
