/** Columns of blocks, payments and credits, the same on every page. */
import { WEI } from "../format.ts";
import { duration, percent } from "../format.ts";
import { t, type Word } from "../i18n/mod.ts";
import type { Block, Credit, Payment } from "../types.ts";
import { Amount, Effort, Hash, Height, Miner, type Mood, Since, State, Unknown } from "./small.tsx";
import type { Column } from "./table.tsx";

const BLOCK_MOODS: Record<Block["state"], Mood> = {
  ...{ candidate: "warn", immature: "warn", matured: "good", orphaned: "bad" },
};

/** A block's state, with the way to maturity. */
export function BlockState({ block }: { block: Block }) {
  const { state, confirmations, depth, kind } = block;
  const way = (state === "candidate" || state === "immature") &&
    confirmations !== null && depth > 0;
  return (
    <span class="stacked">
      <State mood={BLOCK_MOODS[state]}>
        {t(`block.${state}`)}
        {kind === "uncle" && ` · ${t("block.uncle")}`}
      </State>
      {way && (
        <small>
          {t("block.of", { n: Math.min(confirmations, depth), depth })}
        </small>
      )}
    </span>
  );
}

/** Which columns of a block. */
export type BlockColumn = "finder" | "round" | "hash";

/** The columns of blocks. */
export function blockColumns(also: readonly BlockColumn[]): Column<Block>[] {
  const columns: Column<Block>[] = [
    {
      ...{ key: "height", name: t("block.height") },
      cell: (one) => (
        <span class="stacked">
          <Height of={one.height} />
          {one.uncleHeight > 0 && <small>{t("block.uncleAt", { height: one.uncleHeight })}</small>}
        </span>
      ),
    },
    {
      key: "state",
      name: t("state"),
      cell: (one) => <BlockState block={one} />,
    },
    {
      key: "found",
      name: t("block.found"),
      cell: (one) => <Since at={one.foundAtMs} />,
    },
    {
      ...{ key: "finder", name: t("block.finder") },
      cell: (one) => <Miner address={one.finder} />,
    },
    {
      ...{ key: "effort", name: t("effort"), number: true },
      cell: (one) => <Effort of={one.effortPercent} />,
    },
    {
      ...{ key: "round", name: t("block.round"), number: true },
      cell: (one) => one.roundSeconds === null ? <Unknown /> : duration(one.roundSeconds * 1000),
    },
    {
      ...{ key: "reward", name: t("block.reward"), number: true },
      cell: (one) => <Amount of={one.rewardWei} decimals={WEI} />,
    },
    {
      key: "hash",
      name: t("hash"),
      cell: (one) => <Hash of={one.hash} kind="block" />,
    },
  ];
  const optional: readonly string[] = ["finder", "round", "hash"];
  return columns.filter(({ key }) =>
    !optional.includes(key) || (also as readonly string[]).includes(key)
  );
}

const PAYMENT_MOODS: Record<Payment["state"], Mood> = {
  ...{ reserved: "warn", signed: "warn", sent: "warn", paid: "good" },
  ...{ reverted: "bad", displaced: "bad" },
};

/** The columns of payments. @param whose also the miner */
export function paymentColumns(whose: boolean): Column<Payment>[] {
  return [
    { key: "time", name: t("time"), cell: (one) => <Since at={one.atMs} /> },
    ...(whose
      ? [{
        ...{ key: "miner", name: t("miner") },
        cell: (one: Payment) => <Miner address={one.address} />,
      }]
      : []),
    {
      ...{ key: "amount", name: t("amount"), number: true },
      cell: (one) => <Amount of={one.amountShannon} />,
    },
    {
      ...{ key: "state", name: t("state") },
      cell: (one) => (
        <span class="stacked">
          <State mood={PAYMENT_MOODS[one.state]}>
            {t(`payment.${one.state}` as Word)}
          </State>
          {one.confirmations !== null && (
            <small>
              {t("payment.confirmations", { n: one.confirmations })}
            </small>
          )}
          {one.reason && <small lang="en">{one.reason}</small>}
        </span>
      ),
    },
    {
      ...{ key: "transaction", name: t("transaction") },
      cell: (one) => <Hash of={one.transaction} kind="transaction" />,
    },
  ];
}

/** The columns of a miner's credits. */
export function creditColumns(): Column<Credit>[] {
  return [
    {
      key: "height",
      name: t("block.height"),
      cell: (one) => <Height of={one.height} />,
    },
    {
      key: "time",
      name: t("block.found"),
      cell: (one) => <Since at={one.atMs} />,
    },
    {
      ...{ key: "percent", name: t("credit.percent"), number: true },
      cell: (one) => one.percent === null ? <Unknown /> : percent(one.percent, 2),
    },
    {
      ...{ key: "amount", name: t("amount"), number: true },
      cell: (one) => <Amount of={one.amountShannon} />,
    },
    {
      ...{ key: "state", name: t("state") },
      cell: (one) => (
        <State mood={one.state === "matured" ? "good" : "warn"}>
          {t(`block.${one.state}`)}
        </State>
      ),
    },
  ];
}
