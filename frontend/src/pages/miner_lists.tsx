/** A miner's payments, credits and blocks, one at a time; older ones by cursor. */
import { apiLink } from "../client.ts";
import { t } from "../i18n/mod.ts";
import { blockColumns, creditColumns, paymentColumns } from "../parts/columns.tsx";
import { Frame, Pager, Section, Tabs } from "../parts/frame.tsx";
import { Table } from "../parts/table.tsx";
import { place, withQuery } from "../router.ts";
import { useResource } from "../resource.ts";
import type { Block, Credit, Miner, Payment } from "../types.ts";

const LISTS = ["payments", "credits", "blocks"] as const;
const EVERY_MS = 30_000;

interface List {
  items: (Payment | Credit | Block)[];
  nextCursor: string | null;
}

export function MinerLists(
  { address, miner }: { address: string; miner: Miner | undefined },
) {
  const { query } = place.value;
  const list = LISTS.find((one) => one === query.get("list")) ?? "payments";
  const before = query.get("before");
  const path = `/miners/${address}/${list}`;
  const rows = useResource<List>({
    path: path +
      (before === null ? "" : `?before=${encodeURIComponent(before)}`),
    everyMs: EVERY_MS,
  });
  const next = rows.data?.nextCursor ?? null;
  const names = {
    payments: t("payments"),
    credits: t("credits"),
    blocks: miner === undefined ? t("miner.blocks") : t("miner.blocksN", { n: miner.blocksFound }),
  };
  return (
    <Section
      title={t("miner.history")}
      aside={<a href={`${apiLink(path)}?format=csv`} download>{t("csv")}</a>}
    >
      <Tabs
        label={t("miner.history")}
        chosen={list}
        tabs={LISTS.map((key) => ({
          key,
          name: names[key],
          href: withQuery({
            list: key === "payments" ? null : key,
            before: null,
          }),
        }))}
      />
      <Frame of={rows}>
        {list === "payments" && (
          <Table
            caption={t("payments")}
            rows={rows.data?.items as Payment[] | undefined}
            keyOf={(one) => `${one.atMs} ${one.transaction} ${one.state}`}
            columns={paymentColumns(false)}
            empty={t("miner.noPayments")}
          />
        )}
        {list === "credits" && (
          <Table
            caption={t("credits")}
            rows={rows.data?.items as Credit[] | undefined}
            keyOf={(one) => `${one.height} ${one.hash}`}
            columns={creditColumns()}
            empty={t("miner.noCredits")}
          />
        )}
        {list === "blocks" && (
          <Table
            caption={t("miner.blocks")}
            rows={rows.data?.items as Block[] | undefined}
            keyOf={(one) => `${one.height} ${one.uncleHeight} ${one.hash} ${one.foundAtMs}`}
            columns={blockColumns(["round", "hash"])}
            empty={t("miner.noBlocks")}
          />
        )}
        <Pager
          newest={before === null ? undefined : withQuery({ before: null })}
          older={next === null ? undefined : withQuery({ before: next })}
        />
      </Frame>
    </Section>
  );
}
