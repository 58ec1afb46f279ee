/** A chart's place, kept free until its code is here: what is below must not jump. */
import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { allWords } from "../i18n/mod.ts";
import type { ChartProps } from "./chart.tsx";

/** What `Chart` draws. */
export function LazyChart(props: ChartProps) {
  const loaded = useSignal<{ Chart: FunctionComponent<ChartProps> } | null>(
    null,
  );
  useEffect(() => {
    void Promise.all([import("./chart.tsx"), allWords()])
      .then(([module]) => loaded.value = module);
  }, []);
  if (loaded.value !== null) return <loaded.value.Chart {...props} />;
  return (
    <figure class="chart" aria-busy="true">
      <figcaption class="head">
        <h2>{props.title}</h2>
        {props.aside}
      </figcaption>
      <div class="canvas" />
      <div class="legend" />
    </figure>
  );
}
