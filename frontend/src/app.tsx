/** What stands around every page: header, search, navigation, footer, and word of a new block. */
import { useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { POOL_PATH } from "./facts.ts";
import { percent } from "./format.ts";
import { lang, type Language, LANGUAGES } from "./i18n/lang.ts";
import { allWords, speak, t, type Word } from "./i18n/mod.ts";
import PoolPage, { ready as poolReady } from "./pages/pool.tsx";
import { Search } from "./parts/search.tsx";
import { Since } from "./parts/small.tsx";
import { useResource } from "./resource.ts";
import { place, type Route, routeOf } from "./router.ts";
import { brand, paint, type Theme, theme, THEMES } from "./theme.ts";
import type { Pool } from "./types.ts";

/** A page; all but the first are loaded when they are first shown. */
// deno-lint-ignore no-explicit-any
type Page = ComponentType<any>;

const PAGES: Record<Route["page"], () => Promise<PageFile>> = {
  // The way in is part of the first script.
  pool: () => Promise.resolve({ default: PoolPage, ready: poolReady }),
  miner: () => import("./pages/miner.tsx"),
  settings: () => import("./pages/settings.tsx"),
  blocks: () => import("./pages/blocks.tsx"),
  payments: () => import("./pages/payments.tsx"),
  connect: () => import("./pages/connect.tsx"),
  status: () => import("./pages/status.tsx"),
  help: () => import("./pages/help.tsx"),
  notFound: () => import("./pages/not_found.tsx"),
};

const NAV: readonly [Route["page"], string, Word][] = [
  ["pool", "/", "nav.pool"],
  ["blocks", "/blocks", "blocks"],
  ["payments", "/payments", "payments"],
  ["connect", "/connect", "connect.title"],
  ["status", "/status", "status"],
  ["help", "/help", "help"],
];

const POOL_MS = 12_000;
const TOAST_MS = 8_000;

/** What a page's file has: the page, and what it is best drawn with. */
interface PageFile {
  default: Page;
  ready?(address: string): Promise<unknown>;
}

/** Loads a page's code. */
export async function loadPage(page: Route["page"]): Promise<PageFile> {
  const [loaded] = await Promise.all([
    PAGES[page](),
    page === "pool" ? undefined : allWords(),
  ]);
  return loaded;
}

/** @param first the page that the reader came for, loaded before anything is drawn */
export function App({ first }: { first: { page: Route["page"]; Page: Page } }) {
  const route = routeOf(place.value.path);
  const shown = useSignal(first);
  const pool = useResource<Pool>({ path: POOL_PATH, everyMs: POOL_MS });
  useEffect(() => {
    let gone = false;
    void loadPage(route.page).then((file) => {
      if (!gone) shown.value = { page: route.page, Page: file.default };
    })
      // A newer build has taken the place of this one: its files have other names.
      .catch(() => location.reload());
    return () => {
      gone = true;
    };
  }, [route.page]);
  const accent = pool.data?.accent;
  useEffect(() => brand(accent), [accent?.light, accent?.dark]);
  const { page, Page } = shown.value;
  const props = "address" in route ? { address: route.address } : {};
  return (
    <>
      <a class="skip" href="#content">{t("skip")}</a>
      <Header pool={pool.data} page={route.page} />
      <main id="content" tabIndex={-1}>
        {pool.data?.notice != null && <p class="notice operator">{pool.data.notice}</p>}
        {page === route.page
          ? (
            <Page
              key={`${page} ${"address" in route ? route.address : ""}`}
              {...props}
            />
          )
          : <p aria-busy="true">{t("loading")}</p>}
      </main>
      <Footer
        pool={pool.data}
        failing={pool.state === "failed" || pool.state === "stale"}
      />
      <Toast pool={pool.data} />
    </>
  );
}

function Header(
  { pool, page }: { pool: Pool | undefined; page: Route["page"] },
) {
  const network = pool?.network;
  return (
    <header>
      <div class="bar-top">
        <a class="brand" href="/">
          <img src="/icon.svg" alt="" width={28} height={28} />
          <span>{pool?.name ?? t("pool.title")}</span>
        </a>
        {network != null && <span class="badge">{network.title}</span>}
        {network?.testnet && <span class="badge warn">{t("testnet")}</span>}
        {page !== "pool" && page !== "notFound" && <Search id="header-address" />}
      </div>
      <nav aria-label={t("nav")}>
        {NAV.map(([key, href, word]) => (
          <a
            key={key}
            href={href}
            aria-current={key === page ? "page" : undefined}
          >
            {t(word)}
          </a>
        ))}
      </nav>
    </header>
  );
}

function Footer(
  { pool, failing }: { pool: Pool | undefined; failing: boolean },
) {
  return (
    <footer>
      <p>
        <a class={failing ? "dot bad" : "dot good"} href="/status">
          {t("footer.status")}
        </a>
        <a href="/api/v2/docs">{t("footer.api")}</a>
        {pool !== undefined && (
          <span>
            {t("updated")} <Since at={pool.asOfMs} />
          </span>
        )}
      </p>
      <p>
        <label>
          {t("theme")}{" "}
          <select
            value={theme.value}
            onChange={(event) => paint(event.currentTarget.value as Theme)}
          >
            {THEMES.map((one) => <option key={one} value={one}>{t(`theme.${one}`)}</option>)}
          </select>
        </label>
        <label>
          {t("language")}{" "}
          <select
            value={lang.value}
            onChange={(event) => void speak(event.currentTarget.value as Language)}
          >
            {Object.entries(LANGUAGES).map(([key, name]) => (
              <option key={key} value={key} lang={key}>{name}</option>
            ))}
          </select>
        </label>
      </p>
    </footer>
  );
}

/** A found block is told once, and never takes the focus. */
function Toast({ pool }: { pool: Pool | undefined }) {
  const text = useSignal("");
  const seen = useSignal<number | undefined>(undefined);
  const newest = pool?.lastBlocks[0];
  useEffect(() => {
    if (pool === undefined) return;
    const [before, height] = [seen.value, newest?.height ?? 0];
    seen.value = Math.max(height, before ?? 0);
    if (before === undefined || newest === undefined || height <= before) {
      return;
    }
    text.value = t("toast.block", {
      height: newest.height,
      effort: percent(newest.effortPercent, 0),
    });
    const timer = setTimeout(() => text.value = "", TOAST_MS);
    return () => clearTimeout(timer);
  }, [pool === undefined, newest?.height]);
  return (
    <div class="toast" role="status" aria-live="polite">
      {text.value !== "" && <p>{text.value}</p>}
    </div>
  );
}
