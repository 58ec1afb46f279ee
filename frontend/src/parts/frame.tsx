/** What stands around an answer: that it is awaited, old, or missing. */
import type { ComponentChildren } from "preact";
import { now } from "../clock.ts";
import { duration } from "../format.ts";
import { t } from "../i18n/mod.ts";
import { ringNow } from "../live.ts";
import type { Resource } from "../resource.ts";

/** Draws `children` when there are numbers or will be; says what is wrong when there are none. */
export function Frame(
  { of, children }: { of: Resource<unknown>; children: ComponentChildren },
) {
  if (of.state === "failed") return <Failed error={of.error} />;
  return (
    <div class={of.state} aria-busy={of.state === "loading"}>
      {of.state === "stale" && <Stale of={of} />}
      {children}
    </div>
  );
}

function Stale({ of }: { of: Resource<unknown> }) {
  const { asOfMs } = (of.data ?? {}) as { asOfMs?: number };
  const age = duration(Math.max(0, now.value - (asOfMs ?? of.atMs)));
  return (
    <p class="notice warn" role="status" aria-live="off">
      {navigator.onLine === false ? `${t("offline")} ` : ""}
      {t("stale", { age })}
    </p>
  );
}

function Failed({ error }: { error: string }) {
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{t("failed.title")}</strong> {t("failed.text")}
      </p>
      <p class="muted" lang="en">{error}</p>
      <button type="button" onClick={ringNow}>{t("retry")}</button>
    </div>
  );
}

/** Part of a page with its heading; not a landmark: its table is one. */
export function Section({ title, children, aside }: {
  title: string;
  children: ComponentChildren;
  aside?: ComponentChildren;
}) {
  return (
    <section>
      <div class="head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** Links that choose what a part of the page shows. */
export function Tabs({ label, tabs, chosen }: {
  label: string;
  tabs: readonly { key: string; name: ComponentChildren; href: string }[];
  chosen: string;
}) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ key, name, href }) => (
        <a
          key={key}
          href={href}
          aria-current={key === chosen ? "true" : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}

/** The way to older rows and back to the newest. */
export function Pager(
  { newest, older }: { newest: string | undefined; older: string | undefined },
) {
  if (newest === undefined && older === undefined) return null;
  return (
    <nav class="pager" aria-label={t("pages")}>
      {newest !== undefined && <a href={newest}>{t("newest")}</a>}
      {older !== undefined && <a href={older}>{t("older")}</a>}
    </nav>
  );
}
