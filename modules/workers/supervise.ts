/**
 * Starts a Deno worker, hears its errors, restarts it with backoff and ends it on request.
 *
 * An error that nobody hears in a Deno worker would end the whole process, so `onerror` with
 * `preventDefault()` is not optional. A worker that stops beating cannot be ended by `terminate()`
 * while it spins; it is reported as `hung`, and the process owner decides.
 */
import {
  backoffMs,
  type Clock,
  type Facts,
  type Logger,
  type LogLevel,
  type LogSink,
} from "../base/mod.ts";
import { beforeSample, forgetSample, gauge, keepSample } from "../metrics/mod.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";

/** A worker that ran this long is restarted without the pauses that earlier deaths earned. */
const STEADY_MS = 60_000;

/** What to run and with which rights. */
export interface SuperviseOptions<Options, Out> {
  /** Name in the log ("stratum 1"). */
  name: string;
  /** The worker's module. */
  url: URL;
  /** Its start options, sent at each start. */
  options: Options;
  /** Least permissions; missing means those of the main thread. */
  permissions?: Deno.PermissionOptionsObject;
  /** A message of the worker's own. */
  onMessage?: (message: Out) => void;
  /** A milestone. */
  onEvent?: (name: string, facts: Facts) => void;
  /** Called each time the worker is ready, so that state can be sent again. */
  onReady?: () => void;
  /** No beat for `hungAfterMs`. */
  onHung?: () => void;
  /** @default {30000} */
  hungAfterMs?: number;
}

/** A supervised Deno worker. */
export interface Supervised<In> {
  readonly name: string;
  /** "starting", "ready", "failed" (restart pending), "stopped". */
  readonly state: string;
  /** How often it has been started again. */
  readonly restarts: number;
  send(message: In): void;
  /** Has it log from this level on, also after it was started again. */
  setLogLevel(level: LogLevel): void;
  /** Asks it to finish; resolves when it has, or after `withinMs` when it has not. */
  stop(withinMs: number): Promise<boolean>;
}

/** Starts a Deno worker and keeps it running until `stop()`. */
export function supervise<Options, In = never, Out = never>(
  options: SuperviseOptions<Options, Out>,
  deps: { log: Logger; sink: LogSink; clock: Clock },
): Supervised<In> {
  const { log, clock } = deps;
  let worker: Worker | undefined;
  let state: "starting" | "ready" | "failed" | "stopped" = "starting";
  let restarts = 0;
  let failuresInRow = 0;
  let readyAtMs = Infinity;
  let lastBeatMs = clock.now();
  let stopping: (() => void) | undefined;
  const end = new AbortController();

  function launch() {
    state = "starting";
    lastBeatMs = clock.now();
    const current = new Worker(options.url, {
      type: "module",
      name: options.name,
      deno: { permissions: options.permissions ?? "inherit" },
    });
    worker = current;
    current.onerror = (event) => {
      event.preventDefault();
      if (worker === current) fail(event.message);
    };
    current.onmessage = (event: MessageEvent<FromWorker<Out>>) => {
      if (worker === current) hear(event.data);
    };
    post({ type: "start", options: options.options });
  }

  function post(message: ToWorker<Options, In>) {
    worker?.postMessage(message);
  }

  function hear(message: FromWorker<Out>) {
    lastBeatMs = clock.now();
    switch (message.type) {
      case "ready":
        state = "ready";
        readyAtMs = clock.now();
        log.info("worker.ready", { worker: options.name });
        options.onReady?.();
        break;
      case "log":
        deps.sink(message.record);
        break;
      case "event":
        options.onEvent?.(message.name, message.facts);
        break;
      case "message":
        options.onMessage?.(message.message);
        break;
      case "failed":
        fail(message.reason);
        break;
      case "stopped":
        stopping?.();
        break;
      case "meters":
        keepSample(options.name, message.sample);
        break;
      case "beat":
        break;
    }
  }

  function fail(reason: string) {
    worker?.terminate();
    worker = undefined;
    forgetSample(options.name);
    if (state === "stopped") return;
    if (clock.now() - readyAtMs > STEADY_MS) failuresInRow = 0;
    readyAtMs = Infinity;
    state = "failed";
    stopping?.();
    const delayMs = backoffMs(failuresInRow++, { minMs: 500, maxMs: 30_000 });
    log.error("worker.died", { worker: options.name, reason, restartInMs: delayMs });
    if (end.signal.aborted) return;
    clock.sleep(delayMs, end.signal).then(() => {
      restarts++;
      launch();
    }, () => {});
  }

  async function watch() {
    const hungAfterMs = options.hungAfterMs ?? 30_000;
    let lookedAtMs = clock.now();
    while (!end.signal.aborted) {
      await clock.sleep(1_000, end.signal);
      // Who slept itself, as on a paused machine, could not hear any beat.
      if (clock.now() - lookedAtMs > hungAfterMs / 2) lastBeatMs = clock.now();
      lookedAtMs = clock.now();
      if (worker !== undefined && clock.now() - lastBeatMs > hungAfterMs) {
        log.error("worker.hung", { worker: options.name, silentMs: clock.now() - lastBeatMs });
        lastBeatMs = clock.now();
        options.onHung?.();
      }
    }
  }

  const endRestarts = beforeSample(() =>
    gauge("quarry_worker_restarts", restarts, { part: options.name })
  );
  launch();
  watch().catch(() => {});
  return {
    name: options.name,
    get state() {
      return state;
    },
    get restarts() {
      return restarts;
    },
    send: (message) => post({ type: "message", message }),
    setLogLevel(level) {
      Object.assign(options.options as object, { logLevel: level });
      post({ type: "logLevel", level });
    },
    async stop(withinMs) {
      end.abort(new Error("stopped"));
      endRestarts();
      const alive = worker;
      let finished = alive === undefined;
      if (alive !== undefined) {
        const timeout = new AbortController();
        const done = new Promise<void>((resolve) => stopping = resolve).then(() => finished = true);
        post({ type: "stop" });
        await Promise.race([done, clock.sleep(withinMs, timeout.signal).catch(() => {})]);
        timeout.abort(new Error("done"));
      }
      state = "stopped";
      worker?.terminate();
      worker = undefined;
      return finished;
    },
  };
}
