/** Everything that brings work from the nodes: polls, pushes, new heads and health checks. */
import type { Clock, Logger } from "../base/mod.ts";
import {
  createNode,
  createNodes,
  followHeads,
  type NodeHealth,
  type NodeOptions,
  type Push,
} from "../chain/mod.ts";
import { type Job, WorkWatch } from "../work/mod.ts";
import { type NotifyOptions, serveNotify } from "./notify_door.ts";

/** Where work comes from. */
export interface WatchingOptions {
  upstreams: NodeOptions[];
  /** Chain id that every node must report; undefined on a chain that nobody described. */
  chainId?: number;
  blockRefreshIntervalMs: number;
  upstreamCheckIntervalMs: number;
  /** Where nodes push new work; undefined: nowhere. */
  notify?: NotifyOptions;
  /** Nodes whose new heads are followed over WebSocket. */
  heads: { name: string; ws: string }[];
}

/** Running. */
export interface Watching {
  health(): NodeHealth[];
  /** A height that shares were recorded for. */
  sawHeight(height: number): void;
  /** Port of the door for pushes, when there is one. */
  readonly notifyPort: number | undefined;
  close(): Promise<void>;
}

/** Silence after which a node is asked over its WebSocket: four usual blocks (milliseconds). */
const HEADS_SILENT_MS = 60_000;
/** Work without a sign of life from any node is withdrawn after this (milliseconds). */
const WORK_STALE_MS = 30_000;
/** Pushes under way may take this long at the end (milliseconds). */
const CLOSE_MS = 1_000;

/** Opens all of it; the nodes have been checked once when it resolves. */
export async function openWatching(
  options: WatchingOptions,
  deps: { clock: Clock; log: Logger; onJob(job: Job): void; onWorkLost(reason: string): void },
): Promise<Watching> {
  const { clock, log } = deps;
  const end = new AbortController();
  const nodes = createNodes(options.upstreams.map((upstream) => createNode(upstream)), {
    ...{ log, clock, needsWork: true, onWork: (node, work) => watch.hear(node, work) },
    ...(options.chainId === undefined ? {} : { chainId: options.chainId }),
  });
  const watch = new WorkWatch({
    ...{ intervalMs: options.blockRefreshIntervalMs, staleAfterMs: WORK_STALE_MS },
  }, {
    ...{ clock, log, onJob: deps.onJob, onWorkLost: deps.onWorkLost },
    ...{ sources: () => nodes.healthy(), recheck: () => nodes.check() },
  });
  await nodes.check();

  function onPush([name, ...others]: string[], push: Push): void {
    // Whoever of several it was has news.
    if (others.length > 0) return [name!, ...others].forEach((one) => watch.ring(one));
    if (push.kind === "header") return void watch.push(name!, undefined, push.height);
    const { height } = push.work;
    watch.push(name!, height === undefined ? undefined : { ...push.work, height });
  }

  const notify = options.notify && await serveNotify(options.notify, { clock, log, onPush });
  const loops = [
    ...options.heads.map(({ name, ws }) =>
      followHeads({ node: name, url: ws, silentMs: HEADS_SILENT_MS }, {
        ...{ clock, log },
        // The work that follows a head is for the height above it.
        onHead: (height) => watch.ring(name, height === undefined ? 0 : height + 1),
      }, end.signal)
    ),
    nodes.run(options.upstreamCheckIntervalMs, end.signal),
    watch.run(end.signal),
  ];
  return {
    health: () => nodes.health(),
    sawHeight: (height) => watch.sawHeight(height),
    notifyPort: notify?.port,
    async close() {
      end.abort(new Error("stopped"));
      await notify?.close(CLOSE_MS);
      await Promise.allSettled(loops);
    },
  };
}
