/** The samples of all threads side by side, as text for Prometheus. */
import { AggregatorRegistry } from "prom-client";
import { type MeterSample, sampleMeters } from "./meters.ts";

/** Content type of the text format. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const workers = new Map<string, MeterSample[]>();

/** Keeps a Deno worker's newest sample, in place of its former one. */
export function keepSample(worker: string, sample: MeterSample[]): void {
  workers.set(worker, sample);
}

/** Forgets a Deno worker that died: its last sessions and sums are not true any more. */
export function forgetSample(worker: string): void {
  workers.delete(worker);
}

/** Everything that this process counts, in Prometheus's text format. */
export async function renderMetrics(): Promise<string> {
  const samples = [
    named("main", await sampleMeters()),
    ...[...workers].map(([worker, sample]) => named(worker, sample)),
  ];
  return await AggregatorRegistry.aggregate(samples).metrics();
}

/** The sample with its thread's name at every value; it is not changed itself. */
function named(worker: string, sample: MeterSample[]): MeterSample[] {
  return sample.map((metric) => ({
    ...metric,
    values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker } })),
  }));
}
