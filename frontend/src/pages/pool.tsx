/** Is this pool alive, fair, and worth pointing a rig at? */
import { LazyChart } from "../parts/lazy_chart.tsx";
import { blockColumns, paymentColumns } from "../parts/columns.tsx";
import { Copy } from "../parts/copy.tsx";
import { Frame, Section } from "../parts/frame.tsx";
import { drawable, rangeNow, Ranges } from "../parts/ranges.tsx";
import { Search } from "../parts/search.tsx";
import { Amount, Effort, Heading, Since } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import { Tile, Tiles } from "../parts/tiles.tsx";
import { POOL_PATH } from "../facts.ts";
import { difficulty, duration, grouped, hashrate, NONE, percent } from "../format.ts";
import { t, tn } from "../i18n/mod.ts";
import { feedOf, useResource } from "../resource.ts";
import type { Connect, Pool, PoolHistory } from "../types.ts";

const HISTORY_MS = 60_000;
/** An epoch's switch is told when it is at most this many blocks away. */
const SWITCH_BLOCKS = 5_000;

/** What the first drawing is better for, beside the pool's own numbers. */
export const ready = () => feedOf("/connect").refresh();

export default function PoolPage() {
  const pool = useResource<Pool>({ path: POOL_PATH });
  return (
    <>
      <div class="hero">
        <div>
          <Heading text={pool.data?.name ?? t("pool.title")} />
          <p class="muted">
            {pool.data === undefined ? t("pool.lead") : lead(pool.data)}
          </p>
        </div>
        <Search id="hero-address" big />
      </div>
      <Frame of={pool}>
        <Numbers pool={pool.data} />
        <History />
        <Round pool={pool.data} />
        <Luck pool={pool.data} />
        <Latest pool={pool.data} />
      </Frame>
      <ConnectStrip />
    </>
  );
}

function lead(pool: Pool): string {
  return t("pool.leadOf", {
    scheme: t(`scheme.${pool.scheme}`),
    network: pool.network?.title ?? t("pool.network"),
    fee: percent(pool.feePercent, pool.feePercent % 1 === 0 ? 0 : 1),
  });
}

function Numbers({ pool }: { pool: Pool | undefined }) {
  const { effortPercent, startedAtMs, expectedSeconds } = pool?.round ?? {};
  const expected = expectedSeconds ?? null;
  return (
    <Tiles label={t("pool.numbers")}>
      <Tile big name={t("pool.hashrate")} note={shareOfNetwork(pool)}>
        {hashrate(pool?.hashrateHps)}
      </Tile>
      <Tile
        name={t("pool.miners")}
        note={pool &&
          tn("pool.workers.one", "pool.workers.other", pool.workers, grouped(pool.workers))}
      >
        {pool ? grouped(pool.miners) : NONE}
      </Tile>
      <Tile
        name={t("pool.effort")}
        note={startedAtMs != null && (
          <>
            {t("pool.lastBlock")} <Since at={startedAtMs} />
          </>
        )}
      >
        <Effort of={effortPercent} />
      </Tile>
      <Tile name={t("pool.expected")} note={t("pool.expectedNote")}>
        {expected === null ? NONE : duration(expected * 1000)}
      </Tile>
      <Tile name={t("pool.fee")} note={pool && t(`scheme.${pool.scheme}`)}>
        {pool ? percent(pool.feePercent, pool.feePercent % 1 === 0 ? 0 : 1) : NONE}
      </Tile>
      <Tile
        name={t("pool.threshold")}
        note={pool && pool.payoutsIntervalMs > 0 &&
          t("pool.interval", { span: duration(pool.payoutsIntervalMs) })}
      >
        {pool ? <Amount of={pool.thresholdShannon} /> : NONE}
      </Tile>
    </Tiles>
  );
}

function shareOfNetwork(pool: Pool | undefined): string | undefined {
  const network = Number(pool?.chain.hashrateHps ?? 0);
  if (pool === undefined || network <= 0) return undefined;
  const part = Math.min(100, Number(pool.hashrateHps) / network * 100);
  return t("pool.ofNetwork", { part: percent(part) });
}

function History() {
  const range = rangeNow();
  const { data, state } = useResource<PoolHistory>({
    ...{ path: `/pool/history?range=${range}`, everyMs: HISTORY_MS },
  });
  return (
    <LazyChart
      title={t("pool.chart")}
      aside={<Ranges />}
      fromMs={data?.fromMs ?? (state === "failed" ? 0 : undefined)}
      stepMs={data?.stepMs ?? 0}
      lines={[{
        ...{ label: t("pool.hashrate"), color: "--accent" },
        values: drawable(data?.series.hashrateHps),
      }]}
      marks={data?.blocks.map(({ atMs }) => atMs) ?? []}
      marksName={t("pool.blockMark")}
      format={(value) => hashrate(BigInt(Math.round(value)))}
      empty={state === "failed" ? t("chart.failed") : t("chart.empty")}
    />
  );
}

function Round({ pool }: { pool: Pool | undefined }) {
  const { height, difficulty: work, hashrateHps, epochSwitchInBlocks } = pool?.chain ?? {};
  const near = epochSwitchInBlocks != null &&
    epochSwitchInBlocks <= SWITCH_BLOCKS;
  const sick = pool !== undefined && pool.nodesHealthy < pool.nodesTotal;
  return (
    <Section title={t("network")}>
      <Tiles label={t("network")}>
        <Tile
          name={t("network.height")}
          note={near && t("network.epoch", { n: grouped(epochSwitchInBlocks) })}
        >
          {height == null ? NONE : grouped(height)}
        </Tile>
        <Tile name={t("network.difficulty")}>{difficulty(work)}</Tile>
        <Tile name={t("network.hashrate")}>{hashrate(hashrateHps)}</Tile>
        <Tile name={t("network.nodes")} note={sick && t("network.nodesNote")}>
          {pool === undefined || pool.nodesTotal === 0
            ? NONE
            : t("network.of", { n: pool.nodesHealthy, total: pool.nodesTotal })}
        </Tile>
      </Tiles>
    </Section>
  );
}

function Luck({ pool }: { pool: Pool | undefined }) {
  return (
    <Section title={t("luck")}>
      <p class="muted">{t("luck.text")}</p>
      <Table
        caption={t("luck")}
        // Of no blocks there is nothing to tell.
        rows={pool?.luck.filter(({ blocks }) => blocks > 0)}
        keyOf={(row) => String(row.blocks)}
        empty={t("luck.empty")}
        columns={[
          {
            key: "blocks",
            name: t("luck.blocks"),
            cell: (row) => t("luck.last", { n: row.blocks }),
          },
          {
            ...{ key: "effort", name: t("effort"), number: true },
            cell: (row) => <Effort of={row.effortPercent} />,
          },
          {
            ...{ key: "uncles", name: t("luck.uncles"), number: true },
            cell: (row) => percent(row.unclePercent),
          },
          {
            ...{ key: "orphans", name: t("luck.orphans"), number: true },
            cell: (row) => percent(row.orphanPercent),
          },
        ]}
      />
    </Section>
  );
}

function Latest({ pool }: { pool: Pool | undefined }) {
  const expected = pool?.round.expectedSeconds ?? null;
  return (
    <>
      <Section
        title={t("blocks.latest")}
        aside={<a href="/blocks">{t("blocks.all")}</a>}
      >
        <Table
          caption={t("blocks.latest")}
          rows={pool?.lastBlocks}
          keyOf={(one) => `${one.height} ${one.uncleHeight} ${one.hash} ${one.foundAtMs}`}
          columns={blockColumns(["finder"])}
          empty={expected === null
            ? t("blocks.empty")
            : t("blocks.emptyExpected", { span: duration(expected * 1000) })}
        />
      </Section>
      <Section
        title={t("payments.latest")}
        aside={<a href="/payments">{t("blocks.all")}</a>}
      >
        <Table
          caption={t("payments.latest")}
          rows={pool?.lastPayments}
          keyOf={(one) => `${one.atMs} ${one.address} ${one.transaction}`}
          columns={paymentColumns(true)}
          empty={t("payments.empty")}
        />
      </Section>
    </>
  );
}

function ConnectStrip() {
  const { data } = useResource<Connect>({ path: "/connect", everyMs: 600_000 });
  const [first] = data?.endpoints ?? [];
  if (first === undefined) return null;
  const host = first.host.includes(":") ? `[${first.host}]` : first.host;
  const address = `${first.tls ? "stratum+ssl" : "stratum+tcp"}://${host}:${first.port}`;
  return (
    <section class="strip" aria-label={t("connect.title")}>
      <span>{t("connect.strip")}</span>
      <code>{address}</code>
      <Copy text={address} label={t("connect.copyAddress")} />
      <a class="button" href="/connect">{t("connect.how")}</a>
    </section>
  );
}
