/** A miner's workers: those in trouble first, filtered and sorted as the reader likes. */
import { useSignal } from "@preact/signals";
import { lately } from "../clock.ts";
import { difficulty, grouped, hashrate, percent } from "../format.ts";
import { t } from "../i18n/mod.ts";
import { Section } from "../parts/frame.tsx";
import { type Mood, Since, State, Unknown } from "../parts/small.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { withQuery } from "../router.ts";
import type { Miner, Worker } from "../types.ts";

/** Silent for longer: under a fold (milliseconds). */
const GONE_MS = 24 * 3_600_000;
/** Rows drawn until the reader asks for all: sorting is to be quick on a phone too. */
const AT_ONCE = 100;
/** From this many on there is a field to filter by. */
const FILTER_FROM = 6;

const MOODS: Record<Worker["state"], Mood> = {
  online: "good",
  silent: "warn",
  offline: "bad",
};
const ORDER: Record<Worker["state"], number> = {
  offline: 0,
  silent: 1,
  online: 2,
};

export function Workers({ miner }: { miner: Miner | undefined }) {
  const filter = useSignal("");
  const all = useSignal(false);
  const sorted = useSignal({ key: "state", down: false });
  const workers = miner?.workers;
  const asked = filter.value.trim().toLowerCase();
  const shown = workers?.filter(({ name }) => name.toLowerCase().includes(asked));
  const { key, down } = sorted.value;
  const rows = shown && sortWorkers(shown, key, down);
  const isGone = ({ lastShareAtMs }: Worker) => lately.value - lastShareAtMs > GONE_MS;
  const gone = rows?.filter(isGone) ?? [];
  const here = rows?.filter((one) => !isGone(one));
  const sorting = {
    ...sorted.value,
    by: (chosen: string) => sorted.value = { key: chosen, down: chosen === key ? !down : false },
  };
  const table = {
    ...{ columns: workerColumns(), keyOf: (one: Worker) => one.name, sorting },
    empty: asked === "" ? t("workers.empty") : t("workers.none"),
  };
  return (
    <Section
      title={t("workers")}
      aside={workers !== undefined && workers.length >= FILTER_FROM && (
        <label class="filter">
          {t("workers.filter")}
          <input
            type="text"
            autocapitalize="off"
            spellcheck={false}
            value={filter.value}
            onInput={(event) => filter.value = event.currentTarget.value}
          />
        </label>
      )}
    >
      <Table
        {...table}
        caption={t("workers")}
        rows={all.value ? here : here?.slice(0, AT_ONCE)}
      />
      {!all.value && here !== undefined && here.length > AT_ONCE && (
        <p>
          <button type="button" onClick={() => all.value = true}>
            {t("workers.all", { n: grouped(here.length) })}
          </button>
        </p>
      )}
      {gone.length > 0 && (
        <details>
          <summary>{t("workers.gone", { n: grouped(gone.length) })}</summary>
          <Table
            {...table}
            caption={t("workers.gone", { n: grouped(gone.length) })}
            rows={gone}
          />
        </details>
      )}
    </Section>
  );
}

/** Rows by a column; equal ones by name. */
export function sortWorkers(
  workers: readonly Worker[],
  key: string,
  down: boolean,
): Worker[] {
  const compare = COMPARE[key] ?? COMPARE.state!;
  const sign = down ? -1 : 1;
  return [...workers].sort((a, b) =>
    sign * compare(a, b) ||
    a.name.localeCompare(b.name, undefined, { numeric: true })
  );
}

const whole = (of: (worker: Worker) => string | null) => (a: Worker, b: Worker) => {
  const [x, y] = [BigInt(of(a) ?? -1), BigInt(of(b) ?? -1)];
  return x < y ? -1 : x > y ? 1 : 0;
};
const part = (of: "stale" | "invalid") => (a: Worker, b: Worker) =>
  partOfShares(a, of) - partOfShares(b, of);

const COMPARE: Record<string, (a: Worker, b: Worker) => number> = {
  state: (a, b) => ORDER[a.state] - ORDER[b.state],
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
  short: whole(({ hashrate }) => hashrate.shortHps),
  long: whole(({ hashrate }) => hashrate.longHps),
  day: whole(({ hashrate }) => hashrate.dayHps),
  reported: whole(({ hashrate }) => hashrate.reportedHps),
  difficulty: whole((one) => one.difficulty),
  stale: part("stale"),
  invalid: part("invalid"),
  last: (a, b) => b.lastShareAtMs - a.lastShareAtMs,
};

/** Per cent of a worker's shares; -1 when it has none. */
function partOfShares({ shares }: Worker, of: "stale" | "invalid"): number {
  if (shares === null) return -1;
  const total = shares.valid + shares.stale + shares.invalid;
  return total === 0 ? -1 : shares[of] / total * 100;
}

function workerColumns(): Column<Worker>[] {
  const rate = (
    key: string,
    name: string,
    of: (one: Worker) => string | null,
  ) => ({
    ...{ key, name, number: true },
    cell: (one: Worker) => of(one) === null ? <Unknown /> : hashrate(of(one)),
  });
  const shares = (of: "stale" | "invalid"): Column<Worker> => ({
    ...{ key: of, name: t(`worker.${of}`), number: true },
    cell: (one) => {
      const value = partOfShares(one, of);
      return value < 0 ? <Unknown /> : percent(value);
    },
  });
  return [
    {
      ...{ key: "name", name: t("worker") },
      cell: ({ name }) => (
        <a href={withQuery({ worker: name })}>
          <bdi>{name === "" ? t("worker.unnamed") : name}</bdi>
        </a>
      ),
    },
    {
      ...{ key: "state", name: t("state") },
      cell: ({ state, dialect }) => (
        <span class="stacked">
          <State mood={MOODS[state]}>{t(`worker.${state}`)}</State>
          {dialect !== null && <small>{dialect}</small>}
        </span>
      ),
    },
    rate("short", t("worker.short"), ({ hashrate }) => hashrate.shortHps),
    rate("long", t("worker.long"), ({ hashrate }) => hashrate.longHps),
    rate("day", t("worker.day"), ({ hashrate }) => hashrate.dayHps),
    rate(
      "reported",
      t("worker.reported"),
      ({ hashrate }) => hashrate.reportedHps,
    ),
    {
      ...{ key: "difficulty", name: t("worker.difficulty"), number: true },
      cell: (one) => one.difficulty === null ? <Unknown /> : difficulty(one.difficulty),
    },
    shares("stale"),
    shares("invalid"),
    {
      key: "last",
      name: t("worker.last"),
      cell: (one) => <Since at={one.lastShareAtMs} />,
    },
  ];
}
