/** What works and what does not, and since when. */
import { apiLink } from "../client.ts";
import { t } from "../i18n/mod.ts";
import { Frame } from "../parts/frame.tsx";
import { Heading, type Mood, Since, State } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { useResource } from "../resource.ts";
import type { Status } from "../types.ts";

type Part = Status["parts"][number];

const MOODS: Record<Part["state"], Mood> = {
  ...{ ok: "good", waiting: "warn", halted: "bad", away: "bad", off: "calm" },
};

/** Waiting with nothing to mend is usual: for a receipt, for the next run. */
function moodOf({ state, mend }: Part): Mood {
  return state === "waiting" && mend === "" ? "calm" : MOODS[state];
}

export default function StatusPage() {
  const status = useResource<Status>({ path: "/status" });
  const parts = status.data?.parts;
  const bad = parts?.filter((part) => ["warn", "bad"].includes(moodOf(part))) ?? [];
  return (
    <>
      <Heading text={t("status")} />
      <Frame of={status}>
        {parts !== undefined && (
          <p class={bad.length === 0 ? "notice good" : "notice warn"}>
            <strong>
              {t(bad.length === 0 ? "status.good" : "status.bad")}
            </strong>{" "}
            {t(bad.length === 0 ? "status.goodText" : "status.badText")}
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
              cell: (one) => <State mood={moodOf(one)}>{t(`status.${one.state}`)}</State>,
            },
            {
              key: "since",
              name: t("status.since"),
              cell: (one) => <Since at={one.sinceAtMs} />,
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
      </Frame>
      <p class="muted">
        {t("status.machines")} <a href={apiLink("/status")}>JSON</a>,{" "}
        <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>
      </p>
    </>
  );
}
