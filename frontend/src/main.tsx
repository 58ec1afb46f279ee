/** Starts the page: language, route, clock, doorbell, and the first drawing. */
import { render } from "preact";
import { App, loadPage } from "./app.tsx";
import { startClock } from "./clock.ts";
import { POOL_PATH } from "./facts.ts";
import { allWords, speak, wanted } from "./i18n/mod.ts";
import { startBell } from "./live.ts";
import { feedOf } from "./resource.ts";
import { place, routeOf, startRouter } from "./router.ts";
import { brandAsBefore } from "./theme.ts";

/** So long the first drawing waits for its numbers (milliseconds). */
const PATIENCE_MS = 700;
/** After the first drawing, when the network is free (milliseconds). */
const LATER_MS = 300;

// Not awaited at the top: pages import what is built into this same file.
void start();

async function start(): Promise<void> {
  brandAsBefore();
  startRouter();
  startClock();
  const pool = feedOf(POOL_PATH).refresh();
  const route = routeOf(place.value.path);
  const { page } = route;
  const language = wanted(navigator.languages);
  if (language !== "en") await speak(language, false).catch(() => {});
  const { default: Page, ready } = await loadPage(page);
  // Drawn with its numbers where they come soon: nothing that is read jumps away.
  await Promise.race([
    Promise.all([pool, ready?.("address" in route ? route.address : "")]),
    new Promise((done) => setTimeout(done, PATIENCE_MS)),
  ]);
  render(<App first={{ page, Page }} />, document.getElementById("app")!);
  startBell();
  // What the first page says only later: a found block, a chart, a typing error.
  setTimeout(() => void allWords(), LATER_MS);
}
