/** Doors for miners over the whole share path: real server, verifier, recorder and Redis, made jobs. */
import { hexToBytes, silentLogger, systemClock } from "../../modules/base/mod.ts";
import { epochOf, openVerifier, VerifierBusyError } from "../../modules/ethash/mod.ts";
import { type SubmitDeps, submitShare } from "../../modules/intake/mod.ts";
import {
  createKeys,
  type JournalEntry,
  openJournal,
  openRecorder,
  openStore,
  recordOf,
  type Store,
} from "../../modules/ledger/mod.ts";
import { Policy, type PolicyOptions } from "../../modules/policy/mod.ts";
import { SeenNonces } from "../../modules/share/mod.ts";
import { Bindings } from "../../modules/stratum/bindings.ts";
import { Extranonces } from "../../modules/stratum/extranonce.ts";
import {
  serveStratum,
  type StratumOptions,
  type StratumServer,
} from "../../modules/stratum/server.ts";
import { MiningService } from "../../modules/stratum/service.ts";
import { type Job, JobBook, jobOf } from "../../modules/work/mod.ts";
import { spanStore } from "./door.ts";
import { startRedis } from "./redis.ts";

/** Every nonce is a share of this difficulty, and none a block. */
const DIFFICULTY = 1n;
const POLICY: PolicyOptions = {
  banning: {
    ...{ enabled: false, timeoutMs: 60_000, invalidPercent: 90, checkThreshold: 1_000 },
    malformedLimit: 5,
  },
  limits: { enabled: false, limit: 0, graceMs: 0, limitJump: 0 },
  resetIntervalMs: 60_000,
};

/** A pool's door with everything behind it but nodes. */
export interface WholeDoor extends AsyncDisposable {
  port: number;
  server: StratumServer;
  jobs: JobBook;
  policy: Policy;
  store: Store;
  /** Full hashes and claims that reached the verifier. */
  hashes(): number;
  /** Makes the n-th job of a height the current one and sends it to everybody. */
  setJob(height: number, n?: number): Job;
  /** The mix digest of a nonce, as an honest miner has it. */
  mix(job: Job, nonce: string): Promise<string>;
  /** The open round: login to shares. */
  round(): Promise<Record<string, string>>;
}

/** Opens it; there is no job yet. */
export async function openWholeDoor(
  change: {
    policy?: Partial<PolicyOptions>;
    stratum?: Partial<StratumOptions>;
    /** Parts of the extranonces, of which this has the first. */
    parts?: number;
  } = {},
): Promise<WholeDoor> {
  await using opening = new AsyncDisposableStack();
  const redis = opening.use(await startRedis());
  const log = silentLogger, clock = systemClock;
  const keys = createKeys("t");
  const store = await openStore({ endpoint: redis.endpoint, database: 0, password: "" }, { log });
  opening.defer(() => store.close());
  const verifier = openVerifier({ rule: { algorithm: "ethash" }, log });
  opening.defer(() => verifier.close());
  await verifier.prepare(1);
  const journal = await openJournal<JournalEntry>(`${redis.dir}/shares.journal`);
  opening.defer(() => journal.close());
  const recorder = openRecorder({
    ...{ store, keys, clock, log, journal, runId: "test" },
    hashrateExpirationSeconds: 600,
  });
  opening.defer(() => recorder.close());
  const jobs = new JobBook();
  const policy = new Policy({ ...POLICY, ...change.policy }, clock);
  let hashes = 0;
  const deps: SubmitDeps = {
    ...{ jobs, recorder, policy, log, seen: new SeenNonces() },
    hasher: {
      hash: (...args) => (hashes++, verifier.hash(...args)),
      hashClaim: (...args) => (hashes++, verifier.hashClaim(...args)),
      isBusy: (error) => error instanceof VerifierBusyError,
    },
    rule: { algorithm: "ethash" },
    rejectedLog: { add: () => undefined, close: () => Promise.resolve() },
    submitWork: () => Promise.resolve([]),
    noteAnswer: () => Promise.resolve(),
    counters: { accepted: 0, candidates: 0, rejected: {} },
  };
  const service = new MiningService({
    ...{ jobs, policy, maxWorkers: 64, niceHashMinDifficulty: DIFFICULTY, soloByLogin: true },
    askedDifficulty: { min: 1n, max: 10n ** 15n },
    extranonces: new Extranonces({ prefix: "", part: 0, parts: change.parts ?? 1 }),
    bindings: new Bindings({ scheme: "prop", several: true, digits: 4, store: spanStore(), log }),
    epochOf: (height) => epochOf({ algorithm: "ethash" }, height).epoch,
    healthy: () => recorder.healthy,
    submit: (submission, terms) => submitShare(deps, submission, terms),
    reportHashrate: () => {},
  });
  const server = await serveStratum({
    ports: [{
      ...{ listen: { hostname: "127.0.0.1", port: 0 }, proxyProtocol: false },
      ...{ difficulty: DIFFICULTY, scheme: "prop" },
    }],
    ...{ trustedProxies: [], maxConn: 256, timeoutMs: 60_000, loginTimeoutMs: 60_000 },
    ...{ reusePort: false, getwork: { limitHeadersBytes: 1_024, limitBodyBytes: 1_024 } },
    ...change.stratum,
  }, { service, clock, log });
  opening.defer(() => server.close());
  const closing = opening.move();
  return {
    ...{ port: server.ports[0]!, server, jobs, policy, store },
    hashes: () => hashes,
    setJob(height, n = 1) {
      const headerHash = "0x" + (height * 1_000 + n).toString(16).padStart(64, "b");
      const work = {
        ...{ headerHash, seedHash: "0x" + "00".repeat(32), height },
        target: (1n << 256n) / 10n ** 15n,
      };
      const job = jobOf(work, "node", clock.now());
      jobs.add(job);
      server.broadcast();
      return job;
    },
    async mix(job, nonce) {
      await verifier.prepare(job.height);
      const proof = await verifier.hash(job.height, hexToBytes(job.headerHash), BigInt(nonce));
      return "0x" + proof.mix.toHex();
    },
    round: async () => recordOf(await store.command("HGETALL", keys.roundCurrent())),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
