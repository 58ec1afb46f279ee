/** What was paid, to whom, and what is under way. */
import { apiLink } from "../client.ts";
import { lately } from "../clock.ts";
import { poolNow } from "../facts.ts";
import { duration, grouped, NONE } from "../format.ts";
import { t } from "../i18n/mod.ts";
import { paymentColumns } from "../parts/columns.tsx";
import { Frame, Pager } from "../parts/frame.tsx";
import { Amount, Heading } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { Tile, Tiles } from "../parts/tiles.tsx";
import { feedOf, useResource } from "../resource.ts";
import { place, withQuery } from "../router.ts";
import type { Payments } from "../types.ts";

const EVERY_MS = 15_000;

function pathNow(): string {
  const before = place.value.query.get("before");
  return `/payments${before === null ? "" : `?before=${encodeURIComponent(before)}`}`;
}

/** What the first drawing is better for. */
export const ready = () => feedOf(pathNow()).refresh();

export default function PaymentsPage() {
  const before = place.value.query.get("before");
  const payments = useResource<Payments>({
    path: pathNow(),
    everyMs: EVERY_MS,
  });
  const { data } = payments;
  const next = data?.nextCursor ?? null;
  const total = poolNow()?.paymentsTotal;
  return (
    <>
      <div class="head">
        <Heading text={t("payments")} />
        <a href={apiLink("/payments?format=csv")} download>{t("csv")}</a>
      </div>
      <Frame of={payments}>
        <Tiles label={t("payments.numbers")}>
          <Tile big name={t("payments.paid")}>
            {data?.paidShannon == null ? NONE : <Amount of={data.paidShannon} />}
          </Tile>
          <Tile name={t("payments.day")}>
            {data?.paidDayShannon == null ? NONE : <Amount of={data.paidDayShannon} />}
          </Tile>
          <Tile name={t("payments.total")}>
            {total === undefined ? NONE : grouped(total)}
          </Tile>
          <Tile name={t("payments.next")}>{nextRun(data)}</Tile>
        </Tiles>
        <Table
          caption={t("payments")}
          rows={data?.items}
          keyOf={(one) => `${one.atMs} ${one.address} ${one.transaction} ${one.state}`}
          columns={paymentColumns(true)}
          empty={t("payments.empty")}
        />
        <Pager
          newest={before === null ? undefined : withQuery({ before: null })}
          older={next === null ? undefined : withQuery({ before: next })}
        />
      </Frame>
    </>
  );
}

function nextRun(data: Payments | undefined): string {
  const at = data?.nextRunAtMs ?? null;
  if (at !== null && at > lately.value) {
    return t("in", { span: duration(at - lately.value) });
  }
  const intervalMs = poolNow()?.payoutsIntervalMs ?? 0;
  return intervalMs > 0 ? t("payments.every", { span: duration(intervalMs) }) : NONE;
}
