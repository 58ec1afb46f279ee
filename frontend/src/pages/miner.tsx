/** Are my rigs all right, and when am I paid? */
import { checksummed } from "../checksum.ts";
import { partOf } from "../amounts.ts";
import { lately } from "../clock.ts";
import { explorerLink, poolNow } from "../facts.ts";
import { duration, grouped, hashrate, NONE, percent, roughly } from "../format.ts";
import { t, tn } from "../i18n/mod.ts";
import { LazyChart } from "../parts/lazy_chart.tsx";
import { Copy } from "../parts/copy.tsx";
import { Frame, Section } from "../parts/frame.tsx";
import { drawable, rangeNow, Ranges } from "../parts/ranges.tsx";
import { Amount, Heading, type Mood, Since, State } from "../parts/small.tsx";
import { Tile, Tiles } from "../parts/tiles.tsx";
import { keepRecent } from "../recent.ts";
import { place, withQuery } from "../router.ts";
import { apiLink } from "../client.ts";
import { feedOf, useResource } from "../resource.ts";
import { troubleOf } from "../trouble.ts";
import type { Miner, MinerHistory } from "../types.ts";
import { MinerLists } from "./miner_lists.tsx";
import { Workers } from "./miner_workers.tsx";
import { useEffect } from "preact/hooks";

const HISTORY_MS = 60_000;

/** What the first drawing is better for. */
export const ready = (address: string) => feedOf(`/miners/${address}`).refresh();

export default function MinerPage({ address }: { address: string }) {
  const miner = useResource<Miner>({ path: `/miners/${address}` });
  const { data } = miner;
  const known = data?.known === true;
  useEffect(() => {
    if (known) keepRecent(address);
  }, [address, known]);
  const full = checksummed(address);
  const link = explorerLink("address", full);
  return (
    <>
      <div class="hero slim">
        <Heading text={t("miner.title")} />
        <p class="address">
          <span class="mono wrap">{full}</span> <Copy text={full} label={t("copyAddress")} />
        </p>
        <p class="links">
          {link !== undefined && <a href={link} rel="noreferrer" target="_blank">{t("explorer")}
          </a>}
          <a href={`/miner/${address}/settings`}>{t("settings.title")}</a>
          <a href={apiLink(`/miners/${address}`)}>JSON</a>
        </p>
      </div>
      <Frame of={miner}>
        {data !== undefined && !data.known ? <Stranger address={address} /> : (
          <>
            {data !== undefined && <Trouble miner={data} />}
            <Numbers miner={data} />
            <Balance miner={data} />
            <History address={address} miner={data} />
            <Workers miner={data} />
            <MinerLists address={address} miner={data} />
          </>
        )}
      </Frame>
    </>
  );
}

function Stranger({ address }: { address: string }) {
  return (
    <div class="notice">
      <h2>{t("stranger.title")}</h2>
      <p>{t("stranger.text")}</p>
      <p>
        <a class="button" href={`/connect#${address}`}>{t("stranger.go")}</a>
      </p>
    </div>
  );
}

function Trouble({ miner }: { miner: Miner }) {
  const told = troubleOf(miner, lately.value);
  return (
    <div role="status">
      {told.length > 0 && (
        <ul class="notice warn trouble">
          {told.map((one) => (
            <li key={one}>
              <bdi>{one}</bdi>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Numbers({ miner }: { miner: Miner | undefined }) {
  const { shortHps, longHps, dayHps, reportedHps } = miner?.hashrate ?? {};
  const { valid = 0, stale = 0, invalid = 0 } = miner?.shares ?? {};
  const total = valid + stale + invalid;
  return (
    <Tiles label={t("miner.numbers")}>
      <Tile big name={t("miner.short")} note={t("miner.shortNote")}>
        {hashrate(shortHps)}
      </Tile>
      <Tile
        name={t("miner.long")}
        note={dayHps != null && t("miner.day", { rate: hashrate(dayHps) })}
      >
        {hashrate(longHps)}
      </Tile>
      <Tile
        name={t("miner.reported")}
        note={reportedHps == null && miner && t("miner.reportedNone")}
      >
        {hashrate(reportedHps)}
      </Tile>
      <Tile
        name={t("miner.workers")}
        note={miner && miner.workersTotal > miner.workersOnline &&
          tn(
            "miner.quiet.one",
            "miner.quiet.other",
            miner.workersTotal - miner.workersOnline,
            grouped(miner.workersTotal - miner.workersOnline),
          )}
      >
        {miner === undefined ? NONE : t("miner.of", {
          ...{
            n: grouped(miner.workersOnline),
            total: grouped(miner.workersTotal),
          },
        })}
      </Tile>
      <Tile
        name={t("miner.shares")}
        note={total > 0 && t("miner.bad", {
          stale: percent(stale / total * 100),
          invalid: percent(invalid / total * 100),
        })}
      >
        {miner?.shares == null ? NONE : grouped(valid)}
      </Tile>
      <Tile name={t("miner.lastShare")}>
        {miner === undefined ? NONE : <Since at={miner.lastShareAtMs} />}
      </Tile>
    </Tiles>
  );
}

const PAYOUT_MOODS: Record<Miner["payout"]["state"], Mood> = {
  ...{
    below: "calm",
    due: "good",
    underWay: "good",
    held: "bad",
    halted: "bad",
  },
};

function Balance({ miner }: { miner: Miner | undefined }) {
  const { balance, payout, thresholdShannon, ownThreshold, round } = miner ??
    {};
  const part = partOf(balance?.unpaidShannon ?? "0", thresholdShannon ?? "0");
  return (
    <Section title={t("balance")}>
      <div class="card">
        <div class="head">
          <p>
            {payout !== undefined && (
              <State mood={PAYOUT_MOODS[payout.state]}>
                {t(`payout.${payout.state}`)}
              </State>
            )}
          </p>
          <p class="muted">
            {thresholdShannon !== undefined && (
              <>
                {t(ownThreshold ? "balance.own" : "balance.threshold")}{" "}
                <Amount of={thresholdShannon} />
              </>
            )}
          </p>
        </div>
        <Bar part={part} label={t("balance.part", { part: percent(part) })} />
        <p>{payout === undefined ? NONE : payoutText(miner!, part)}</p>
      </div>
      <Tiles label={t("balance")}>
        <Tile big name={t("balance.unpaid")} note={t("balance.unpaidNote")}>
          {balance === undefined ? NONE : <Amount of={balance.unpaidShannon} />}
        </Tile>
        <Tile name={t("balance.immature")} note={t("balance.immatureNote")}>
          {balance === undefined ? NONE : <Amount of={balance.immatureShannon} />}
        </Tile>
        <Tile name={t("balance.pending")} note={t("balance.pendingNote")}>
          {balance === undefined ? NONE : <Amount of={balance.pendingShannon} />}
        </Tile>
        <Tile
          name={t("balance.paid")}
          note={miner && tn(
            "balance.payments.one",
            "balance.payments.other",
            miner.paymentsTotal,
            grouped(miner.paymentsTotal),
          )}
        >
          {balance === undefined ? NONE : <Amount of={balance.paidShannon} />}
        </Tile>
        <Tile
          name={t("round.estimate")}
          note={round?.percent != null &&
            t("round.part", { part: percent(round.percent, 2) })}
        >
          {round === undefined ? NONE : <Amount of={round.estimateShannon} />}
        </Tile>
      </Tiles>
    </Section>
  );
}

/** What stands between the miner and its next payment. */
function payoutText({ payout }: Miner, part: number): string {
  const intervalMs = poolNow()?.payoutsIntervalMs ?? 0;
  const runs = payout.nextRunAtMs !== null && payout.nextRunAtMs > lately.value
    ? t("payout.next", { span: duration(payout.nextRunAtMs - lately.value) })
    : intervalMs > 0
    ? t("payout.every", { span: duration(intervalMs) })
    : "";
  if (payout.state === "below") {
    const eta = payout.etaMs === null ? "" : t("payout.eta", { span: roughly(payout.etaMs) });
    return [t("payout.belowText", { part: percent(part) }), eta].join(" ")
      .trim();
  }
  return [t(`payout.${payout.state}Text`), payout.state === "due" ? runs : ""]
    .join(" ").trim();
}

function History(
  { address, miner }: { address: string; miner: Miner | undefined },
) {
  const range = rangeNow();
  const worker = place.value.query.get("worker");
  const query = worker === null ? "" : `&worker=${encodeURIComponent(worker)}`;
  const { data, state } = useResource<MinerHistory>({
    path: `/miners/${address}/history?range=${range}${query}`,
    everyMs: HISTORY_MS,
  });
  const reported = drawable(data?.series.reportedHps);
  return (
    <>
      <LazyChart
        title={worker === null ? t("miner.chart") : t("miner.chartOf", { worker })}
        aside={<Ranges />}
        fromMs={data?.fromMs ?? (state === "failed" ? 0 : undefined)}
        stepMs={data?.stepMs ?? 0}
        lines={[
          {
            ...{ label: t("miner.effective"), color: "--accent" },
            values: drawable(data?.series.hashrateHps),
          },
          ...(reported.some((value) => value !== null)
            ? [{
              label: t("miner.reported"),
              values: reported,
              color: "--series-2",
              dashed: true,
            }]
            : []),
        ]}
        format={(value) => hashrate(BigInt(Math.round(value)))}
        empty={state === "failed" ? t("chart.failed") : t("chart.empty")}
      />
      {worker !== null && miner !== undefined && (
        <p>
          <a href={withQuery({ worker: null })}>{t("miner.allWorkers")}</a>
        </p>
      )}
    </>
  );
}

/** Of a whole, as a bar. @param part 0 to 100 */
function Bar({ part, label }: { part: number; label: string }) {
  return (
    <progress class="bar" max={100} value={part} aria-label={label}>
      {percent(part)}
    </progress>
  );
}
