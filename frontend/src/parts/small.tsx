/** The small parts: a heading, times, amounts, addresses, state words. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { now } from "../clock.ts";
import { currency, explorerLink, poolNow } from "../facts.ts";
import {
  absolute,
  coins,
  type EffortWord,
  effortWord,
  exactCoins,
  NONE,
  percent,
  relative,
  SHANNON,
  shortAddress,
  shortHash,
} from "../format.ts";
import { t, type Word } from "../i18n/mod.ts";
import { focusHeading } from "../router.ts";
import { Copy } from "./copy.tsx";

/** A page's heading; the window is called after it. */
export function Heading(
  { text, children }: { text: string; children?: ComponentChildren },
) {
  const heading = useRef<HTMLHeadingElement>(null);
  const pool = poolNow()?.name ?? "";
  useEffect(() => {
    document.title = pool === "" || pool === text ? text : `${text} · ${pool}`;
  }, [text, pool]);
  useEffect(() => focusHeading(heading.current), []);
  return <h1 ref={heading} tabIndex={-1}>{children ?? text}</h1>;
}

/** Said to those who do not see the dash. */
export function Unknown() {
  return (
    <>
      <span aria-hidden="true">{NONE}</span>
      <span class="hidden">{t("noData")}</span>
    </>
  );
}

/** How long ago, ticking; the whole time in the title. */
export function Since({ at }: { at: number | null | undefined }) {
  if (at === null || at === undefined) return <Unknown />;
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute(at)}>
      {relative(at, now.value) ?? t("justNow")}
    </time>
  );
}

/** Money: five decimals, all of them in the title. @param decimals of its unit */
export function Amount(
  { of, decimals = SHANNON, unit = true }: {
    of: string | null | undefined;
    decimals?: number;
    unit?: boolean;
  },
) {
  if (of === null || of === undefined) return <Unknown />;
  const ticker = currency();
  return (
    <span class="amount" title={`${exactCoins(of, decimals)} ${ticker}`.trim()}>
      {coins(of, decimals)}
      {unit && ticker !== "" && <span class="unit">{`\u202f${ticker}`}</span>}
    </span>
  );
}

/** A miner: short, a link to its page. */
export function Miner({ address }: { address: string | null }) {
  if (address === null) return <Unknown />;
  return (
    <a class="mono" href={`/miner/${address}`} title={address}>
      <span class="hidden">{address}</span>
      <span aria-hidden="true">{shortAddress(address)}</span>
    </a>
  );
}

/** A hash: short, a link to the explorer when there is one, and a copy. */
export function Hash(
  { of, kind }: { of: string | null; kind: "transaction" | "block" },
) {
  if (of === null) return <Unknown />;
  const link = kind === "transaction" ? explorerLink(kind, of) : undefined;
  return (
    <span class="hash">
      {link === undefined ? <span class="mono" title={of}>{shortHash(of)}</span> : (
        <a
          class="mono"
          title={of}
          href={link}
          rel="noreferrer"
          target="_blank"
        >
          {shortHash(of)}
        </a>
      )}
      <Copy text={of} label={t("copyHash")} small />
    </span>
  );
}

/** A block's height, a link to the explorer when there is one. */
export function Height({ of }: { of: number }) {
  const link = explorerLink("block", of);
  return link === undefined
    ? <span>{of}</span>
    : <a href={link} rel="noreferrer" target="_blank">{of}</a>;
}

/** How a state is coloured; the word says it. */
export type Mood = "good" | "warn" | "bad" | "calm";

/** A state in a word, with a dot of its colour. */
export function State(
  { mood, children }: { mood: Mood; children: ComponentChildren },
) {
  return <span class={`state ${mood}`}>{children}</span>;
}

const EFFORT_WORDS: Record<EffortWord, [Word, Mood]> = {
  early: ["effort.early", "good"],
  expected: ["effort.expected", "calm"],
  late: ["effort.late", "warn"],
  veryLate: ["effort.veryLate", "bad"],
};

/** A round's effort with its word. */
export function Effort({ of }: { of: number | null | undefined }) {
  if (of === null || of === undefined) return <Unknown />;
  const [word, mood] = EFFORT_WORDS[effortWord(of)];
  return (
    <span class="effort">
      {percent(of, 0)} <State mood={mood}>{t(word)}</State>
    </span>
  );
}
