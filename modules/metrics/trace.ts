/**
 * Spans for OpenTelemetry, which Deno exports when `OTEL_DENO=true` is set; nothing otherwise.
 *
 * Deno registers its exporter with `@opentelemetry/api` by itself, in Deno workers too.
 */
import { type Attributes, SpanStatusCode, trace } from "@opentelemetry/api";

/** One share in so many is traced: spans cost more than a share does. */
const SHARES_PER_SPAN = 100;

const tracer = trace.getTracer("quarry");
let sharesSince = 0;

/** Runs work as a span, a child of the span that runs around it; errors are marked and passed on. */
export function traced<T>(
  name: string,
  attributes: Attributes,
  run: () => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await run();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** {@linkcode traced} for what is not traced. */
export function untraced<T>(_name: string, _facts: Attributes, run: () => Promise<T>): Promise<T> {
  return run();
}

/** Whether the share that comes now is one that is traced. */
export function isTracedShare(): boolean {
  sharesSince = (sharesSince + 1) % SHARES_PER_SPAN;
  return sharesSince === 1;
}
