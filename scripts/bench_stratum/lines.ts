/** Lines of a stream, one at a time. */
import { TextLineStream } from "../bench_verifier/lines.ts";

/** Reads lines when they are asked for. */
export interface Lines {
  /** The next line; undefined at the end. */
  next(): Promise<string | undefined>;
  /** Reads to the end. */
  rest(): Promise<void>;
}

/** The lines of a byte stream. */
export function lineStream(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Lines {
  const reader = stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
    .getReader();
  const next = async () => (await reader.read()).value;
  return {
    next,
    async rest() {
      while (await next() !== undefined);
    },
  };
}
