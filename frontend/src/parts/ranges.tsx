/** The time that a chart covers; it stands in the address, so that it can be shared. */
import { t } from "../i18n/mod.ts";
import { place, withQuery } from "../router.ts";
import { Tabs } from "./frame.tsx";

const RANGES = ["24h", "7d", "30d"] as const;

/** A chart's time. */
export type Range = (typeof RANGES)[number];

/** What the address says. */
export function rangeNow(): Range {
  return RANGES.find((one) => one === place.value.query.get("range")) ?? "24h";
}

/** The choice. */
export function Ranges() {
  return (
    <Tabs
      label={t("range")}
      chosen={rangeNow()}
      tabs={RANGES.map((key) => ({
        key,
        name: t(`range.${key}`),
        href: withQuery({ range: key === "24h" ? null : key }),
      }))}
    />
  );
}

/** Text numbers as a drawing takes them. */
export function drawable(
  values: readonly (string | null)[] | undefined,
): (number | null)[] {
  return (values ?? []).map((value) => value === null ? null : Number(value));
}
