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

/** After the first drawing, when the network is free (milliseconds). */
const LATER_MS = 300;

// Not awaited at the top: pages import what is built into this same file.
void start();

async function start(): Promise<void> {
  brandAsBefore();
  startRouter();
  startClock();
  void feedOf(POOL_PATH).refresh();
  const { page } = routeOf(place.value.path);
  const language = wanted(navigator.languages);
  if (language !== "en") await speak(language, false).catch(() => {});
  const Page = await loadPage(page);
  render(<App first={{ page, Page }} />, document.getElementById("app")!);
  startBell();
  // What the first page says only later: a found block, a chart, a typing error.
  setTimeout(() => void allWords(), LATER_MS);
}
