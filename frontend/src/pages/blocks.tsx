/** Which blocks were found, by whom, with how much effort, and what they paid. */
import { apiLink } from "../client.ts";
import { poolNow } from "../facts.ts";
import { duration, grouped } from "../format.ts";
import { t } from "../i18n/mod.ts";
import { blockColumns } from "../parts/columns.tsx";
import { EffortBars } from "../parts/effort_bars.tsx";
import { Frame, Pager, Tabs } from "../parts/frame.tsx";
import { Heading } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { feedOf, useResource } from "../resource.ts";
import { place, withQuery } from "../router.ts";
import type { Blocks } from "../types.ts";

const STATES = ["all", "candidate", "immature", "matured", "orphaned"] as const;
const EVERY_MS = 15_000;

function stateNow() {
  return STATES.find((one) => one === place.value.query.get("state")) ?? "all";
}

function pathNow(): string {
  const before = place.value.query.get("before");
  return `/blocks?state=${stateNow()}` +
    (before === null ? "" : `&before=${encodeURIComponent(before)}`);
}

/** What the first drawing is better for. */
export const ready = () => feedOf(pathNow()).refresh();

export default function BlocksPage() {
  const before = place.value.query.get("before");
  const state = stateNow();
  const blocks = useResource<Blocks>({ path: pathNow(), everyMs: EVERY_MS });
  const { data } = blocks;
  const counts: Record<string, number | null | undefined> = { ...data?.counts };
  const next = data?.nextCursor ?? null;
  const expected = poolNow()?.round.expectedSeconds ?? null;
  return (
    <>
      <div class="head">
        <Heading text={t("blocks")} />
        <a href={apiLink(`/blocks?format=csv&state=${state}`)} download>
          {t("csv")}
        </a>
      </div>
      <p class="muted">{t("blocks.text")}</p>
      <Tabs
        label={t("blocks.states")}
        chosen={state}
        tabs={STATES.map((key) => ({
          key,
          name: (
            <>
              {t(`blocks.${key}`)}
              {counts[key] != null && <span class="count">{grouped(counts[key])}</span>}
            </>
          ),
          href: withQuery({ state: key === "all" ? null : key, before: null }),
        }))}
      />
      <Frame of={blocks}>
        {data !== undefined && <EffortBars blocks={data.items} />}
        <Table
          caption={t("blocks")}
          rows={data?.items}
          keyOf={(one) => `${one.height} ${one.uncleHeight} ${one.hash} ${one.foundAtMs}`}
          columns={blockColumns(["finder", "round", "hash"])}
          empty={state !== "all"
            ? t("blocks.noneOf")
            : expected === null
            ? t("blocks.empty")
            : t("blocks.emptyExpected", { span: duration(expected * 1000) })}
        />
        <Pager
          newest={before === null ? undefined : withQuery({ before: null })}
          older={next === null ? undefined : withQuery({ before: next })}
        />
      </Frame>
    </>
  );
}
