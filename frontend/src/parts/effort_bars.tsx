/** Effort of each block as a bar beside the line of 100 %; the table beneath has the numbers. */
import { effortWord } from "../format.ts";
import { t } from "../i18n/mod.ts";
import type { Block } from "../types.ts";

const HEIGHT = 80;
/** Efforts above are cut (percent). */
const TOP = 400;

/** Bars from old to new. */
export function EffortBars({ blocks }: { blocks: readonly Block[] }) {
  const known = blocks.filter(({ effortPercent }) => effortPercent !== null)
    .reverse();
  if (known.length < 3) return null;
  const top = Math.min(
    TOP,
    Math.max(150, ...known.map((one) => one.effortPercent!)),
  );
  const y = (percent: number) => HEIGHT - Math.min(percent, top) / top * HEIGHT;
  return (
    <figure class="bars">
      <figcaption class="muted">{t("blocks.bars")}</figcaption>
      <svg
        viewBox={`0 0 ${known.length * 10} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {known.map((one, i) => (
          <rect
            key={`${one.height} ${one.hash} ${one.foundAtMs}`}
            class={effortWord(one.effortPercent!)}
            x={i * 10 + 1}
            y={y(one.effortPercent!)}
            width={8}
            height={HEIGHT - y(one.effortPercent!)}
          />
        ))}
        <line x1={0} x2={known.length * 10} y1={y(100)} y2={y(100)} />
      </svg>
    </figure>
  );
}
