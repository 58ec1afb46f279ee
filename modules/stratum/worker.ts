/** The Deno worker that holds miners' connections: opens verifier, ledger and doors, in that order. */
import { epochOf, openVerifier, VerifierBusyError } from "../ethash/mod.ts";
import { createNode, createNodes } from "../chain/mod.ts";
import { type Logger, systemClock } from "../base/mod.ts";
import { openRejectedFile, openRejectedLog, type SubmitDeps, submitShare } from "../intake/mod.ts";
import {
  bindExtranonce,
  boundExtranonces,
  createKeys,
  type JournalEntry,
  noteSubmission,
  openJournal,
  openRecorder,
  openStore,
  readLists,
  readSchemeSpans,
  type RecorderDeps,
  ShareCounts,
  type Store,
  unbindExtranonces,
  writeReportedHashrate,
} from "../ledger/mod.ts";
import { beforeSample, gauge } from "../metrics/mod.ts";
import { openPolicy, type PolicyMessage, proxiesOf, SharedCounts } from "../policy/mod.ts";
import { SeenNonces } from "../share/mod.ts";
import { type Job, JobBook } from "../work/mod.ts";
import { hostWorker, type Running, type WorkerContext } from "../workers/mod.ts";
import { serveGetwork } from "./getwork.ts";
import { Bindings } from "./bindings.ts";
import { Extranonces } from "./extranonce.ts";
import { JobShares } from "./job_shares.ts";
import { LiveTerms } from "./live_terms.ts";
import type { FromStratum, StratumWorkerOptions, ToStratum } from "./messages.ts";
import type { Question } from "./questions.ts";
import { addressReader } from "./remote_address.ts";
import { type Miner, MiningService } from "./service.ts";
import { serveStratum } from "./server.ts";
import { answerQuestion } from "./worker_answers.ts";

const clock = systemClock;
/** Reported hashrates are written at most this often per worker (milliseconds). */
const REPORT_MS = 30_000;
const REPORTERS_MAX = 50_000;
/** Connections used up and earned are told the other workers as often as this (milliseconds). */
const EXCHANGE_MS = 200;
/** Counts of shares by worker are written as often as this (milliseconds). */
const COUNTS_MS = 5_000;
/** Getwork answers under way may take this long at the end (milliseconds). */
const CLOSE_MS = 10_000;

hostWorker<StratumWorkerOptions, ToStratum, FromStratum>("stratum", start);

async function start(
  options: StratumWorkerOptions,
  context: WorkerContext<FromStratum>,
): Promise<Running<ToStratum>> {
  const { log, ending } = context;
  const keys = createKeys(options.prefix);
  const patient = { log, wait: ending };
  const store = await openStore(options.redis, patient);
  const notes = options.connections === 2 ? await openStore(options.redis, patient) : store;
  const verifier = openVerifier({
    rule: options.rule,
    log,
    dag: options.index === 0 ? options.dag : { mode: "off" },
    ...(options.verifierThreads === undefined ? {} : { threads: options.verifierThreads }),
    ...(options.libraryPath === undefined ? {} : { libraryPath: options.libraryPath }),
  });
  const runId = `${crypto.randomUUID()}:${options.index}`;
  const recording = {
    ...{ store, keys, clock, log, runId },
    hashrateExpirationSeconds: Math.ceil(options.hashrateExpirationMs / 1000),
    pplnsWindowMilli: options.pplnsWindowMilli,
    waitReplicas: options.redis.waitReplicas,
  };
  const [ownJournal, ...formerJournals] = options.journals;
  for (const path of formerJournals) await replayFormer(path, recording);
  const journal = await openJournal<JournalEntry>(ownJournal!);
  const recorder = openRecorder({ ...recording, journal });

  const tellOthers = (message: PolicyMessage) => context.post({ kind: "policy", message });
  const { policy, close: closePolicy } = openPolicy(options.policy, {
    ...{ clock, log, proxies: proxiesOf(proxyRanges(options)) },
    ...(options.connectionCounts === undefined
      ? {}
      : { counts: new SharedCounts(options.connectionCounts, options.index) }),
    onBan: (ban, mixed) => tellOthers({ kind: "ban", ban, mixed }),
    onLift: (address, ended) => tellOthers({ kind: "lift", address, ended }),
  });
  const jobs = new JobBook();
  const nodes = createNodes(options.upstreams.map((upstream) => createNode(upstream)), {
    log,
    needsWork: true,
  });
  const rejectedLog = openRejectedLog(await openRejectedFile(options.rejectedLog), {
    ...{ clock, prefix: `${clock.now().toString(36)}-${options.index}` },
    onError: (error) => log.warn("rejectedLog.notWritten", { error }),
  });
  const { algorithm, ecip1099Height } = options.rule;
  const jobShares = new JobShares();
  const shareCounts = new ShareCounts({ store: notes, keys, clock });
  const submitDeps: SubmitDeps = {
    rejectedLog,
    rule: {
      algorithm,
      ...(ecip1099Height === undefined ? {} : { "ecip1099-height": ecip1099Height }),
    },
    ...{ jobs, recorder, policy, log, seen: new SeenNonces() },
    hasher: {
      hash: (...args) => verifier.hash(...args),
      hashClaim: (...args) => verifier.hashClaim(...args),
      isBusy: (error) => error instanceof VerifierBusyError,
    },
    submitWork: (nonce, headerHash, mix) => nodes.submitWork(nonce, headerHash, mix),
    noteAnswer: (candidate, node, answer) =>
      noteSubmission({ store: notes, keys }, candidate, node, answer),
    counters: { accepted: 0, candidates: 0, rejected: {} },
    count({ login, worker, headerHash }, kind, { difficulty, dialect }) {
      jobShares.add(headerHash, kind);
      const told = dialect === undefined ? undefined : { difficulty, dialect };
      shareCounts.add(login, worker, kind, told);
    },
  };
  const extranonces = new Extranonces({
    ...{ prefix: options.extranoncePrefix, part: options.index, parts: options.workers },
  });
  const schemes = new Set(options.stratum?.ports.map(({ scheme }) => scheme));
  const bindings = new Bindings({
    ...{ scheme: options.scheme, digits: extranonces.digits, workers: options.workers, log },
    several: options.soloByLogin || [...schemes].some((scheme) => scheme !== options.scheme),
    store: {
      bind: (...span) => bindExtranonce({ store, keys }, ...span),
      unbind: (gone) => unbindExtranonces({ store, keys }, gone),
      find: (wanted) => readSchemeSpans({ store, keys }, wanted),
    },
  });
  bindings.adopt(extranonces.withhold(await boundExtranonces({ store, keys })));
  const service = new MiningService({
    ...{ jobs, policy, maxWorkers: options.maxWorkers },
    niceHashMinDifficulty: options.niceHashMinDifficulty,
    ...{ askedDifficulty: options.askedDifficulty },
    ...{ extranonces, bindings, soloByLogin: options.soloByLogin },
    epochOf: (height) => epochOf(options.rule, height).epoch,
    healthy: () => !options.healthCheck || recorder.healthy,
    submit: async (submission, terms) => {
      const outcome = await submitShare(submitDeps, submission, terms);
      const { login, worker } = submission;
      const first = submitDeps.counters.accepted === 1;
      if (outcome?.accepted && first) context.event("share.first", { login, worker });
      return outcome;
    },
    reportHashrate: reporter(notes, keys, log),
  });

  const reusePort = options.workers > 1;
  const stratum = options.stratum &&
    await serveStratum({
      ...{ ...options.stratum, reusePort, index: options.index },
      ...(options.getwork === undefined ? {} : { getwork: options.getwork }),
    }, { service, clock, log });
  const { difficulty, scheme } = options;
  const getworkTerms = new LiveTerms({ difficulty, scheme });
  const getwork = options.getwork && await serveGetwork({ ...options.getwork, reusePort }, {
    ...{ service, clock, log, addressOf: addressReader(options.getwork.trustedProxies) },
    terms: getworkTerms,
  });
  const end = new AbortController();
  every(options.policy.resetIntervalMs, end.signal, () => policy.sweep());
  every(options.policy.refreshIntervalMs, end.signal, refreshLists);
  every(1_000, end.signal, postStatus);
  every(COUNTS_MS, end.signal, writeCounts);
  if (options.policy.shared) every(EXCHANGE_MS, end.signal, exchangeAllowances);
  every(10_000, end.signal, () => service.sweepExtranonces(clock.now()));

  async function refreshLists() {
    await readLists({ store: notes, keys }).then((lists) => policy.setLists(lists), (error) => {
      // The lists stay as they were: a failed read is no empty list.
      log.warn("policy.listsNotRead", { error });
    });
  }

  async function writeCounts() {
    await shareCounts.flush().catch((error) => log.debug("shareCounts.notWritten", { error }));
  }

  function exchangeAllowances() {
    const changes = policy.takeChanges();
    if (changes.length > 0) tellOthers({ kind: "allowances", changes });
  }

  function hear(message: PolicyMessage) {
    if (message.kind === "ban") policy[message.byHand ? "impose" : "adopt"](message.ban);
    else if (message.kind === "unban") policy.unban(message.address);
    else if (message.kind === "allowances") policy.applyChanges(message.changes);
  }

  function postStatus() {
    context.post({
      ...{ kind: "status", sessions: stratum?.sessions ?? 0, healthy: recorder.healthy },
      ...{ hasWork: service.currentJob() !== undefined, counters: submitDeps.counters },
      ...(stratum === undefined ? {} : { stratumPorts: stratum.ports }),
      ...(getwork === undefined ? {} : { getworkPort: getwork.port }),
    });
  }

  let newest: Job | undefined;
  async function onJob(job: Job) {
    newest = job;
    // At once: all workers hear of jobs and of changed terms in one order.
    for (const part of [stratum, getworkTerms, jobShares]) part?.note(job.headerHash);
    if (options.powEndsHeight !== undefined && job.height >= options.powEndsHeight) {
      return log.error("work.unsupported", { height: job.height, endsAt: options.powEndsHeight });
    }
    try {
      // Miners get the job once its shares can be checked at once.
      await verifier.prepare(job.height);
    } catch (error) {
      return log.error("verifier.notReady", { height: job.height, error });
    }
    if (newest === job && jobs.add(job)) stratum?.broadcast();
  }

  async function answer(id: number, question: Question) {
    const about = { stratum, service, policy, jobShares, getworkTerms, refreshLists };
    context.post({ kind: "answer", id, answer: await answerQuestion(question, about) });
  }

  const endSampling = beforeSample(() => {
    gauge("quarry_sessions", stratum?.sessions ?? 0);
    gauge("quarry_verifier_queue", verifier.stats().underWay);
    gauge("quarry_redis_ready", recorder.healthy ? 1 : 0);
  });

  postStatus();
  return {
    receive(message) {
      if (message.kind === "job") void onJob(message.job);
      else if (message.kind === "policy") hear(message.message);
      else if (message.kind === "ask") void answer(message.id, message.question);
      else if (message.kind === "extranonces") {
        extranonces.rebase(message.prefix);
        void stratum?.renewExtranonces();
      } else if (message.kind === "drain") {
        stratum?.drain();
        // Getwork has no sessions: its miners go where they are sent with their next request.
        void getwork?.close(CLOSE_MS);
      } else {
        newest = undefined;
        jobs.suspend();
      }
    },
    async stop() {
      end.abort(new Error("stopped"));
      endSampling();
      jobs.suspend();
      await Promise.all([stratum?.close(), getwork?.close(CLOSE_MS)]);
      await recorder.close();
      await writeCounts();
      await closePolicy();
      await rejectedLog.close();
      await journal.close();
      if (notes !== store) await notes.close();
      await store.close();
      await verifier.close();
    },
  };
}

/** Addresses of our own proxies, whatever they speak. */
function proxyRanges({ stratum, getwork }: StratumWorkerOptions): string[] {
  const isProxied = stratum?.ports.some((port) => port.proxyProtocol) ?? false;
  return [...isProxied ? stratum!.trustedProxies : [], ...getwork?.trustedProxies ?? []];
}

/** Settles what a former worker left, so that fewer threads than before lose nothing. */
async function replayFormer(path: string, deps: Omit<RecorderDeps, "journal">): Promise<void> {
  const journal = await openJournal<JournalEntry>(path);
  const recorder = openRecorder({ ...deps, runId: `${deps.runId}:former`, journal });
  await recorder.replayed;
  await recorder.close();
  await journal.close();
  await Deno.remove(path);
}

/** Writes reported hashrates, each worker's at most twice a minute. */
function reporter(store: Store, keys: ReturnType<typeof createKeys>, log: Logger) {
  const lastMs = new Map<string, number>();
  return ({ login, worker }: Miner, hashrateHps: bigint) => {
    const key = `${login}:${worker}`;
    const nowMs = clock.now();
    if (nowMs - (lastMs.get(key) ?? 0) < REPORT_MS) return;
    if (lastMs.size >= REPORTERS_MAX) lastMs.clear();
    lastMs.set(key, nowMs);
    writeReportedHashrate({ store, keys, clock }, { login, worker, hashrateHps })
      .catch((error) => log.debug("hashrate.notWritten", { error }));
  };
}

function every(ms: number, signal: AbortSignal, work: () => unknown): void {
  (async () => {
    while (!signal.aborted) {
      await work();
      await clock.sleep(ms, signal);
    }
  })().catch(() => {});
}
