/**
 * The main thread's side of mining: one watcher of the nodes, several stratum workers.
 *
 * Jobs fan out from one watcher; a worker that is started again gets the current job at once.
 */
import type { Clock, Facts, Logger, LogLevel, LogSink } from "../base/mod.ts";
import type { NodeHealth } from "../chain/mod.ts";
import { createKeys, openStore, readHighestHeight, writeNodeState } from "../ledger/mod.ts";
import { beforeSample, count, gauge } from "../metrics/mod.ts";
import { countsMemory, openPolicyHub } from "../policy/mod.ts";
import type { Job } from "../work/mod.ts";
import { supervise, type Supervised } from "../workers/mod.ts";
import { leasePrefix } from "./instance_lease.ts";
import { type MiningAdmin, openMiningAdmin } from "./mining_admin.ts";
import type { FromStratum, StratumStatus, StratumWorkerOptions, ToStratum } from "./messages.ts";
import { adjusted } from "./mining_options.ts";
import { openWatching, type WatchingOptions } from "./watching.ts";

/** What mining is opened with: the workers' options without their number, and the watcher's. */
export interface MiningOptions {
  /** Unique name of this instance among the nodes. */
  name: string;
  /** Stratum workers. */
  workers: number;
  worker: Omit<
    StratumWorkerOptions,
    "index" | "workers" | "journals" | "rejectedLog" | "extranoncePrefix" | "connectionCounts"
  >;
  /** Whether several instances share the extranonces, and this one's number if it is chosen. */
  extranonce: { leased: boolean; instance?: number };
  /** Folder of the journals. */
  journalDir: string;
  /** Failed state reports in a row after which the pool calls itself not ready. */
  maxFails: number;
  /** Where work comes from; the nodes are the workers' upstreams. */
  watching: Omit<WatchingOptions, "upstreams">;
  stateUpdateIntervalMs: number;
  /** What a stratum worker may do; missing: all that the main thread may. */
  permissions?: Deno.PermissionOptionsObject;
}

/** What the rest of the process can see of mining. */
export interface MiningStatus {
  sessions: number;
  /** Whether every worker can record shares and has work. */
  ready: boolean;
  /** Why it is not ready; empty when it is. */
  reason: string;
  /** Whether no new miners are taken. */
  draining: boolean;
  accepted: number;
  job?: { height: number; headerHash: string; node: string; receivedAtMs: number };
  nodes: NodeHealth[];
  stratumPort?: number;
  getworkPort?: number;
}

/** Running mining. */
export interface Mining {
  status(): MiningStatus;
  /**
   * Takes no new miners for the rest of this process's life: "not ready" to a load balancer, ports
   * closed to new connections. Sessions that are there stay and mine until `stop`.
   */
  drain(): void;
  readonly admin: MiningAdmin;
  /** Has every worker log from this level on. */
  setLogLevel(level: LogLevel): void;
  /** No new connections, batches flushed, workers stopped. Gives false when one had to be cut. */
  stop(withinMs: number): Promise<boolean>;
}

/** Opens mining: workers first, then the watcher. */
export async function openMining(
  options: MiningOptions,
  deps: {
    log: Logger;
    sink: LogSink;
    clock: Clock;
    onEvent(name: string, facts: Facts): void;
    onHung(): void;
    /** Ends the wait for Redis while it opens. */
    signal?: AbortSignal;
  },
): Promise<Mining> {
  const { clock } = deps;
  const log = deps.log.for("mining");
  const end = new AbortController();
  const statuses: (StratumStatus | undefined)[] = [];
  let job: Job | undefined;
  /** Why there is no job. */
  let noWork = "no node gives work";
  /** State reports that Redis did not take, in a row. */
  let failures = 0;
  let draining = false;

  const extranoncePrefix = options.extranonce.leased
    ? await leasePrefix(options, {
      ...{ clock, log, signal: AbortSignal.any([end.signal, deps.signal ?? end.signal]) },
      onChange: (prefix) => tell({ kind: "extranonces", prefix: changedPrefix = prefix }),
    })
    : "";
  /** The prefix after the lease was lost and another one taken. */
  let changedPrefix: string | undefined;
  const { policy } = options.worker;
  const hub = openPolicyHub(policy, {
    ...{ clock, log: deps.log.for("policy"), workers: options.workers },
    tell: (worker, message) => workers[worker]?.send({ kind: "policy", message }),
  });
  const admin = openMiningAdmin({
    ...{ clock, hub, workers: options.workers },
    send: (worker, message) => workers[worker]?.send(message),
  });
  const isShared = options.workers > 1;
  const connectionCounts = isShared && (policy.limits.perAddress ?? 0) > 0
    ? countsMemory(options.workers)
    : undefined;
  // The firewall is the hub's: one command for a ban, whoever began it.
  const { firewall: _, ...banning } = policy.banning;
  const journals = await journalPaths(options.journalDir, options.workers);
  /** What each worker is started with, and started again. */
  const starts = journals.map((paths, index): StratumWorkerOptions => ({
    ...{ ...options.worker, index, workers: options.workers, journals: paths },
    ...{ extranoncePrefix, policy: { ...policy, banning, shared: isShared } },
    ...(connectionCounts === undefined ? {} : { connectionCounts }),
    rejectedLog: `${options.journalDir}/rejected-${index}.jsonl`,
  }));
  const workers = starts.map((start, index): Supervised<ToStratum> =>
    supervise<StratumWorkerOptions, ToStratum, FromStratum>({
      name: `stratum ${index}`,
      url: new URL("./worker.ts", import.meta.url),
      options: start,
      ...(options.permissions === undefined ? {} : { permissions: options.permissions }),
      onMessage(message) {
        if (message.kind === "policy") hub.hear(index, message.message);
        else if (message.kind === "answer") admin.onAnswer(message.id, message.answer);
        else statuses[index] = message;
      },
      onEvent: deps.onEvent,
      onReady() {
        hub.welcome(index);
        const prefix = changedPrefix;
        if (prefix !== undefined) workers[index]?.send({ kind: "extranonces", prefix });
        if (job !== undefined) workers[index]?.send({ kind: "job", job });
        if (draining) workers[index]?.send({ kind: "drain" });
      },
      onHung: deps.onHung,
    }, { ...deps, log })
  );
  const tell = (message: ToStratum) => workers.forEach((worker) => worker.send(message));

  const watching = await openWatching({
    ...{ ...options.watching, upstreams: options.worker.upstreams },
  }, {
    ...{ clock, log },
    onJob(next) {
      job = next;
      noteJob(next);
      admin.onJob(next);
      const { height, headerHash, node } = next;
      log.info("work.job", { height, headerHash, node, difficulty: next.difficulty });
      tell({ kind: "job", job: next });
    },
    onWorkLost(reason) {
      job = undefined;
      noWork = reason;
      tell({ kind: "noWork", reason });
    },
  });
  const endSampling = beforeSample(() => {
    for (const { name: node, healthy, height } of watching.health()) {
      gauge("quarry_node_healthy", healthy ? 1 : 0, { node });
      if (height !== undefined) gauge("quarry_node_height", height, { node });
    }
  });
  const reporting = reportState().catch((error) => log.warn("state.ended", { error }));

  async function reportState() {
    const keys = createKeys(options.worker.prefix);
    const store = await openStore(options.worker.redis, { log, wait: end.signal })
      .catch(() => undefined);
    if (store === undefined) return;
    while (!end.signal.aborted) {
      // Of this chain's shares, also by other instances and before a restart.
      await readHighestHeight({ store, keys }).then(
        (height) => watching.sawHeight(height),
        (error) => log.warn("state.heightNotRead", { error }),
      );
      if (job !== undefined) {
        const state = {
          name: options.name,
          height: job.height,
          difficulty: job.difficulty,
        };
        await writeNodeState({ store, keys, clock }, state).then(() => failures = 0, (error) => {
          failures++;
          log.warn("state.notWritten", { error, failures, maxFails: options.maxFails });
        });
      }
      await clock.sleep(options.stateUpdateIntervalMs, end.signal).catch(() => {});
    }
    await store.close();
  }

  function status(): MiningStatus {
    const known = statuses.filter((one) => one !== undefined);
    const down = workers.find((worker) => worker.state !== "ready");
    const reason = draining
      ? "draining: no new miners are taken"
      : down !== undefined
      ? `${down.name} is ${down.state}`
      : job === undefined
      ? noWork
      : known.length < workers.length || known.some((one) => !one.healthy)
      ? "pool storage is away"
      : failures >= options.maxFails
      ? `Redis did not take ${failures} state reports in a row`
      : known.some((one) => !one.hasWork)
      ? "the verifier is getting ready"
      : "";
    const first = known[0];
    return {
      sessions: known.reduce((sum, one) => sum + one.sessions, 0),
      accepted: known.reduce((sum, one) => sum + one.counters.accepted, 0),
      ...{ ready: reason === "", reason, draining, nodes: watching.health() },
      ...(job === undefined ? {} : { job: shownJob(job) }),
      ...(first?.stratumPorts?.[0] === undefined ? {} : { stratumPort: first.stratumPorts[0] }),
      ...(first?.getworkPort === undefined ? {} : { getworkPort: first.getworkPort }),
    };
  }

  return {
    status,
    admin: {
      ...admin,
      async adjust(to) {
        for (const start of starts) Object.assign(start, adjusted(start, to));
        return await admin.adjust(to);
      },
    },
    setLogLevel: (level) => workers.forEach((worker) => worker.setLogLevel(level)),
    drain() {
      if (draining) return;
      draining = true;
      log.info("mining.draining", { sessions: status().sessions });
      tell({ kind: "drain" });
    },
    async stop(withinMs) {
      end.abort(new Error("stopped"));
      endSampling();
      const [stopped] = await Promise.all([
        Promise.all(workers.map((worker) => worker.stop(withinMs))),
        ...[watching.close(), reporting],
      ]);
      await hub.close();
      return stopped.every(Boolean);
    },
  };
}

function shownJob({ height, headerHash, node, receivedAtMs }: Job) {
  return { height, headerHash, node, receivedAtMs };
}

function noteJob({ height, difficulty, receivedAtMs }: Job): void {
  count("quarry_jobs_total");
  gauge("quarry_job_height", height);
  gauge("quarry_job_timestamp_seconds", receivedAtMs / 1000);
  gauge("quarry_network_difficulty", Number(difficulty));
}

/** Each worker's own journal first; those of workers that exist no more go to the first one. */
async function journalPaths(dir: string, workers: number): Promise<string[][]> {
  await Deno.mkdir(dir, { recursive: true });
  const paths = Array.from({ length: workers }, (_, index) => [`${dir}/shares-${index}.journal`]);
  for await (const { name } of Deno.readDir(dir)) {
    const number = /^shares-(\d+)\.journal$/.exec(name)?.[1];
    if (number !== undefined && Number(number) >= workers) paths[0]!.push(`${dir}/${name}`);
  }
  return paths;
}
