/** The inside of a Deno worker: starts its work on `start`, beats each second, ends it on `stop`. */
import {
  createLogger,
  errorText,
  type Facts,
  type Logger,
  type LogLevel,
  plainFacts,
} from "../base/mod.ts";
import { sampleMeters, watchLoop } from "../metrics/mod.ts";
import type { FromWorker, Running, ToWorker } from "./protocol.ts";

/** What a worker has counted is posted as often as this (milliseconds). */
const METERS_MS = 5_000;

/** What the work inside a Deno worker may use to speak to the main thread. */
export interface WorkerContext<Out> {
  log: Logger;
  /** Announces a milestone. */
  event(name: string, facts: Facts): void;
  /** Sends a message of the work's own. */
  post(message: Out): void;
  /** Ends when the work is to stop, even while it starts. */
  ending: AbortSignal;
}

/** The global scope of a Deno worker, as far as it is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** Options that every Deno worker of quarry gets beside its own. */
export interface CommonWorkerOptions {
  logLevel: LogLevel;
}

/**
 * Connects a piece of work to the main thread; call it once at the top of a `worker.ts`.
 *
 * @param room name in log lines
 * @param start opens the work; what it throws is reported as `failed`
 */
export function hostWorker<Options extends CommonWorkerOptions, In = never, Out = never>(
  room: string,
  start: (options: Options, context: WorkerContext<Out>) => Promise<Running<In>>,
): void {
  const scope = self as unknown as WorkerScope;
  const post = (message: FromWorker<Out>) => scope.postMessage(message);
  let running: Promise<Running<In>> | undefined;
  const end = new AbortController();
  let beat: ReturnType<typeof setInterval> | undefined;
  let meters: ReturnType<typeof setInterval> | undefined;
  let endLoopWatch = () => {};
  let logLevel: LogLevel = "info";
  scope.onmessage = (event: MessageEvent<ToWorker<Options, In>>) => {
    const message = event.data;
    if (message.type === "start") {
      logLevel = message.options.logLevel;
      const context: WorkerContext<Out> = {
        log: createLogger(
          (record) => post({ type: "log", record }),
          room,
          () => logLevel,
        ),
        event: (name, facts) => post({ type: "event", name, facts: plainFacts(facts) }),
        post: (own) => post({ type: "message", message: own }),
        ending: end.signal,
      };
      beat = setInterval(() => post({ type: "beat", atMs: Date.now() }), 1_000);
      meters = setInterval(() => {
        sampleMeters().then((sample) => post({ type: "meters", sample }), () => {});
      }, METERS_MS);
      endLoopWatch = watchLoop();
      running = start(message.options, context);
      running.then(
        () => post({ type: "ready" }),
        (error) => {
          if (!end.signal.aborted) post({ type: "failed", reason: errorText(error) });
        },
      );
    } else if (message.type === "logLevel") {
      logLevel = message.level;
    } else if (message.type === "message") {
      running?.then((work) => work.receive?.(message.message), () => {});
    } else {
      void (async () => {
        try {
          end.abort(new Error("stopped"));
          // One that has not started has nothing to finish.
          await (await running?.catch(() => undefined))?.stop();
          post({ type: "stopped" });
        } catch (error) {
          post({ type: "failed", reason: errorText(error) });
        } finally {
          clearInterval(beat);
          clearInterval(meters);
          endLoopWatch();
        }
      })();
    }
  };
}
