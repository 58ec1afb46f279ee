/** What is wrong with a miner's rigs, worst first, one sentence each (pure). */
import { duration, grouped, percent } from "./format.ts";
import { t, tn } from "./i18n/mod.ts";
import type { Miner } from "./types.ts";

/** Told at most. */
const TOLD = 3;
/** Of a day's shares, from which on it is worth a word (percent), and out of how many. */
const STALE_PERCENT = 5;
const INVALID_PERCENT = 3;
const SHARES_LEAST = 50;
/** A worker gone for longer was taken away, not broken (milliseconds). */
const GONE_MS = 24 * 3_600_000;

/** The sentences; empty when all is well. @param nowMs by the server's clock */
export function troubleOf(miner: Miner, nowMs: number): string[] {
  const all: string[] = [];
  if (miner.payout.state === "held") all.push(t("trouble.held"));
  if (miner.payout.state === "halted") all.push(t("trouble.halted"));
  const quiet = miner.workers
    .filter(({ state, lastShareAtMs }) => state !== "online" && nowMs - lastShareAtMs < GONE_MS)
    .sort((a, b) => b.lastShareAtMs - a.lastShareAtMs);
  for (const { name, lastShareAtMs } of quiet) {
    all.push(t("trouble.silent", {
      worker: name === "" ? t("worker.unnamed") : name,
      span: duration(nowMs - lastShareAtMs),
    }));
  }
  for (const { name, shares } of miner.workers) {
    if (shares === null) continue;
    const total = shares.valid + shares.stale + shares.invalid;
    if (total < SHARES_LEAST) continue;
    const values = { worker: name === "" ? t("worker.unnamed") : name };
    const [stale, invalid] = [
      shares.stale / total * 100,
      shares.invalid / total * 100,
    ];
    if (invalid >= INVALID_PERCENT) {
      all.push(t("trouble.invalid", { ...values, part: percent(invalid) }));
    }
    if (stale >= STALE_PERCENT) {
      all.push(t("trouble.stale", { ...values, part: percent(stale) }));
    }
  }
  const more = all.length - TOLD;
  if (more <= 0) return all;
  return [
    ...all.slice(0, TOLD),
    tn("trouble.more.one", "trouble.more.other", more, grouped(more)),
  ];
}
