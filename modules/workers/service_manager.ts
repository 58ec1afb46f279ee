/**
 * Tells the service manager how the process is: sd_notify over NOTIFY_SOCKET, and its watchdog.
 *
 * The protocol is that of systemd's sd_notify(3): one datagram of NAME=VALUE lines to a unix socket,
 * whose name is a path, or "@" and the rest of an abstract name. Without NOTIFY_SOCKET nothing
 * happens at all.
 */
import { dirname } from "node:path";
import type { Clock, Logger } from "../base/mod.ts";

/** The service manager's ear; every call is safe when nobody listens. */
export interface ServiceManager {
  /** It serves; `status` is what `systemctl status` shows. From now on the watchdog is fed. */
  ready(status: string): Promise<void>;
  /** What it does now, in a sentence. */
  status(text: string): Promise<void>;
  /** It reads its configuration again; `ready()` ends that. */
  reloading(): Promise<void>;
  /** It ends. */
  stopping(): Promise<void>;
  close(): void;
}

/** Where the service manager listens, from the environment that it gave. */
export interface ServiceSettings {
  /** NOTIFY_SOCKET; undefined: nobody listens. */
  socket?: string;
  /** The watchdog's patience (milliseconds); undefined: there is none. */
  watchdogMs?: number;
}

const NOTHING: ServiceManager = {
  ready: () => Promise.resolve(),
  status: () => Promise.resolve(),
  reloading: () => Promise.resolve(),
  stopping: () => Promise.resolve(),
  close: () => {},
};

/** Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
export function serviceSettings(
  env: (name: string) => string | undefined,
  pid: number,
): ServiceSettings {
  const socket = env("NOTIFY_SOCKET");
  if (socket === undefined || !/^[/@]./.test(socket)) return {};
  const watchdogMs = Number(env("WATCHDOG_USEC") ?? 0) / 1000;
  const ours = (env("WATCHDOG_PID") ?? String(pid)) === String(pid);
  return { socket, ...(ours && watchdogMs > 0 ? { watchdogMs } : {}) };
}

/**
 * Opens the way to the service manager.
 *
 * @param ownSocket path of the socket from which it is told; a file that is left there is replaced
 */
export function openServiceManager(
  { socket, watchdogMs }: ServiceSettings,
  deps: { ownSocket: string; clock: Clock; log: Logger },
): ServiceManager {
  if (socket === undefined) return NOTHING;
  const { clock, log, ownSocket } = deps;
  let from: Deno.DatagramConn;
  try {
    from = bind(ownSocket);
  } catch (error) {
    log.warn("service.notTold", { socket, error });
    return NOTHING;
  }
  const to = { transport: "unixpacket", path: nameOf(socket) } as const;
  const end = new AbortController();
  const encoder = new TextEncoder();
  let fed: Promise<void> | undefined;
  let failed = false;

  async function tell(...lines: string[]): Promise<void> {
    try {
      await from.send(encoder.encode(lines.join("\n")), to);
      failed = false;
    } catch (error) {
      // Once: the watchdog would repeat it every few seconds.
      if (!failed) log.warn("service.notTold", { socket, error });
      failed = true;
    }
  }

  /** A main thread that does not come round in time is started again; so is one with a hung worker. */
  async function feed(patienceMs: number): Promise<void> {
    while (!end.signal.aborted) {
      await tell("WATCHDOG=1");
      await clock.sleep(patienceMs / 2, end.signal).catch(() => {});
    }
  }

  return {
    async ready(status) {
      await tell("READY=1", `STATUS=${oneLine(status)}`);
      if (watchdogMs !== undefined) fed ??= feed(watchdogMs);
    },
    status: (text) => tell(`STATUS=${oneLine(text)}`),
    reloading: () => tell("RELOADING=1", "STATUS=reading the configuration again"),
    stopping: () => tell("STOPPING=1", "STATUS=stopping"),
    close() {
      end.abort(new Error("closed"));
      from.close();
      remove(ownSocket);
    },
  };
}

function bind(path: string): Deno.DatagramConn {
  remove(path);
  const listen = () => Deno.listenDatagram({ transport: "unixpacket", path: nameOf(path) });
  try {
    return listen();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // The state folder is not there yet at a first start. Asked for only then: a process is given
    // the socket, and not the folder that the service manager made for it.
    Deno.mkdirSync(dirname(path), { recursive: true });
    return listen();
  }
}

/** An abstract name begins with a zero byte, written "@". */
function nameOf(socket: string): string {
  return socket.startsWith("@") ? `\0${socket.slice(1)}` : socket;
}

function remove(path: string): void {
  if (path.startsWith("@")) return;
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
