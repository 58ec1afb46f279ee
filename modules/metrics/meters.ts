/** The meters of one thread, made when they are first used: a thread shows what it counts. */
import { Counter, Gauge, Histogram, type MetricObjectWithValues, Registry } from "prom-client";
import { type LabelsOf, type MeterFacts, type MeterName, type MeterOf, METERS } from "./table.ts";

/** The numbers of one thread, as plain data that can be posted. */
export type MeterSample = MetricObjectWithValues<SampleValue>;

interface SampleValue {
  value: number;
  labels: Partial<Record<string, string | number>>;
  metricName?: string;
}

type Meter = Counter | Gauge | Histogram;

const registry = new Registry();
const meters = new Map<MeterName, Meter>();
const looks = new Set<() => void | Promise<void>>();

/** Adds to a counter. */
export function count<Name extends MeterOf<"counter">>(
  name: Name,
  ...[labels, by = 1]: keyof LabelsOf<Name> extends never ? [labels?: undefined, by?: number]
    : [labels: LabelsOf<Name>, by?: number]
): void {
  const counter = meter(name) as Counter;
  if (labels === undefined) counter.inc(by);
  else counter.inc(labels, by);
}

/** Adds a value to a histogram. */
export function observe<Name extends MeterOf<"histogram">>(
  name: Name,
  value: number,
  ...[labels]: keyof LabelsOf<Name> extends never ? [] : [labels: LabelsOf<Name>]
): void {
  const histogram = meter(name) as Histogram;
  if (labels === undefined) histogram.observe(value);
  else histogram.observe(labels, value);
}

/** Sets a gauge. */
export function gauge<Name extends MeterOf<"gauge">>(
  name: Name,
  value: number,
  ...[labels]: keyof LabelsOf<Name> extends never ? [] : [labels: LabelsOf<Name>]
): void {
  const held = meter(name) as Gauge;
  if (labels === undefined) held.set(value);
  else held.set(labels, value);
}

/** Forgets a gauge: what is not known is missing, not zero. */
export function clearGauge(name: MeterOf<"gauge">): void {
  registry.removeSingleMetric(name);
  meters.delete(name);
}

/**
 * Has `look` set its gauges before each sample of this thread.
 *
 * @returns ends it
 */
export function beforeSample(look: () => void | Promise<void>): () => void {
  looks.add(look);
  return () => void looks.delete(look);
}

/** What this thread has counted since its start. */
export async function sampleMeters(): Promise<MeterSample[]> {
  await Promise.all([...looks].map((look) => look()));
  return await registry.getMetricsAsJSON() as unknown as MeterSample[];
}

function meter(name: MeterName): Meter {
  const known = meters.get(name);
  if (known !== undefined) return known;
  const facts: MeterFacts = METERS[name];
  const options = {
    ...{ name, help: facts.help, labelNames: [...facts.labels], registers: [registry] },
    // A meter that is used only now has not been at zero before: none without labels is shown then.
    ...(facts.buckets === undefined ? {} : { buckets: [...facts.buckets] }),
  };
  const made = facts.kind === "counter"
    ? new Counter(options)
    : facts.kind === "gauge"
    ? new Gauge(options)
    : new Histogram(options);
  meters.set(name, made);
  return made;
}
