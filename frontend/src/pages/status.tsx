/** What works and what does not, and since when. */
import { apiLink } from "../client.ts";
import { absolute, duration } from "../format.ts";
import { t } from "../i18n/mod.ts";
import { type Beat, Beats, type Outage, outages } from "../parts/beats.tsx";
import { Frame } from "../parts/frame.tsx";
import { Heading, type Mood, Since, State } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { feedOf, useResource } from "../resource.ts";
import type { Status, StatusHistory } from "../types.ts";

type Part = Status["parts"][number];

const MOODS: Record<Part["state"], Mood> = {
  ...{ ok: "good", waiting: "warn", halted: "bad", away: "bad", off: "calm" },
};

const HISTORY_MS = 60_000;

/** What the first drawing is better for. */
export const ready = () =>
  Promise.all(["/status", "/status/history"].map((path) => feedOf(path).refresh()));

export default function StatusPage() {
  const status = useResource<Status>({ path: "/status" });
  const history = useResource<StatusHistory>({ path: "/status/history", everyMs: HISTORY_MS })
    .data;
  const series: { [part in Part["name"]]?: Beat[] } = history?.series ?? {};
  const parts = status.data?.parts;
  const bad = parts?.filter((part) => ["warn", "bad"].includes(MOODS[part.state])) ?? [];
  const good = parts?.some(({ state }) => state === "off") ? "status.goodPart" : "status.goodText";
  return (
    <>
      <Heading text={t("status")} />
      <Frame of={status}>
        {parts !== undefined && (
          <p class={bad.length === 0 ? "notice good" : "notice warn"}>
            <strong>
              {t(bad.length === 0 ? "status.good" : "status.bad")}
            </strong>{" "}
            {t(bad.length === 0 ? good : "status.badText")}
          </p>
        )}
        <Table
          caption={t("status")}
          rows={parts}
          keyOf={(one) => one.name}
          empty={t("status.empty")}
          columns={[
            {
              ...{ key: "part", name: t("status.part") },
              cell: ({ name }) => (
                <span class="stacked">
                  <strong>{t(`part.${name}`)}</strong>
                  <small>{t(`part.${name}.does`)}</small>
                </span>
              ),
            },
            {
              ...{ key: "state", name: t("state") },
              cell: ({ state }) => <State mood={MOODS[state]}>{t(`status.${state}`)}</State>,
            },
            {
              key: "since",
              name: t("status.since"),
              cell: (one) => <Since at={one.sinceAtMs} />,
            },
            {
              ...{ key: "day", name: t("status.day") },
              cell: ({ name }) => <Beats of={series[name] ?? []} name={t(`part.${name}`)} />,
            },
            {
              ...{ key: "reason", name: t("status.reason") },
              cell: ({ reason, mend }) => (
                <span class="stacked" lang="en">
                  {reason === "" ? "—" : reason}
                  {mend !== "" && <small>{mend}</small>}
                </span>
              ),
            },
          ]}
        />
        {history !== undefined && <Outages of={outages(history)} />}
      </Frame>
      <p class="muted">
        {t("status.machines")} <a href={apiLink("/status")}>JSON</a>,{" "}
        <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>
      </p>
    </>
  );
}

/** The bars as words: everything that did not work in the last day. */
function Outages({ of }: { of: readonly Outage[] }) {
  return (
    <details>
      <summary>{t("status.outages")}</summary>
      <Table
        caption={t("status.outages")}
        rows={of}
        keyOf={(one) => `${one.part} ${one.fromMs}`}
        empty={t("status.noOutage")}
        columns={[
          { key: "from", name: t("time"), cell: (one) => absolute(one.fromMs) },
          {
            key: "part",
            name: t("status.part"),
            cell: (one) => t(`part.${one.part}`),
          },
          {
            ...{ key: "state", name: t("state") },
            cell: ({ state }) => <State mood={MOODS[state]}>{t(`status.${state}`)}</State>,
          },
          {
            ...{ key: "span", name: t("status.span"), number: true },
            cell: (one) => duration(one.toMs - one.fromMs),
          },
        ]}
      />
    </details>
  );
}
