/** What an operator asks of mining: the main thread's side, over all stratum workers. */
import { type Clock, PoolError } from "../base/mod.ts";
import { policyAddress, type PolicyHub } from "../policy/mod.ts";
import type { Job } from "../work/mod.ts";
import type { ShareTally } from "./job_shares.ts";
import type { ToStratum } from "./messages.ts";
import type { Adjustment, Answers, Question, SessionFacts, SessionFilter } from "./questions.ts";

/** Jobs that are remembered. */
const JOBS_KEPT = 256;
/** A worker has this long to answer (milliseconds); a busy one is not waited for longer. */
const ANSWER_MS = 5_000;

/** A job and what became of it. */
export interface JobFacts extends ShareTally {
  height: number;
  headerHash: string;
  node: string;
  /** Milliseconds since 1970. */
  receivedAtMs: number;
}

/** Mining as an operator reaches it. @throws {PoolError} when a worker gives no answer */
export interface MiningAdmin {
  /** Sessions, the newest first. @param max rows at most */
  sessions(filter: SessionFilter, max: number): Promise<Answers["sessions"]>;
  /** Sends sessions away; gives how many. */
  drop(filter: SessionFilter): Promise<number>;
  /** Bans an address for `forMs`, at all workers, and sends its sessions away. */
  ban(
    address: string,
    forMs: number,
    reason: string,
  ): Promise<{ address: string; dropped: number }>;
  unban(address: string): boolean;
  bans(): ReturnType<PolicyHub["list"]>;
  /** The newest first. */
  jobs(): Promise<JobFacts[]>;
  /** Takes other settings; gives the ports whose certificates could not be read again. */
  adjust(adjustment: Adjustment): Promise<number[]>;
}

/** The admin side of mining, with what it has to hear. */
export interface AdminSide extends MiningAdmin {
  onJob(job: Job): void;
  onAnswer(id: number, answer: unknown): void;
}

/** Opens it. @param send gives a message to one worker, if it runs */
export function openMiningAdmin(
  deps: {
    clock: Clock;
    hub: PolicyHub;
    workers: number;
    send(worker: number, message: ToStratum): void;
  },
): AdminSide {
  const { clock, hub, workers, send } = deps;
  const jobs: Job[] = [];
  const waiting = new Map<number, (answer: unknown) => void>();
  let lastId = 0;

  async function ask<Kind extends Question["kind"]>(
    question: Question & { kind: Kind },
  ): Promise<Answers[Kind][]> {
    const end = new AbortController();
    const asked = Array.from({ length: workers }, (_, worker) => {
      const id = ++lastId;
      const answer = new Promise<unknown>((resolve) => waiting.set(id, resolve));
      send(worker, { kind: "ask", id, question });
      const late = clock.sleep(ANSWER_MS, end.signal).then(() => {
        throw new PoolError(`Stratum worker ${worker} gives no answer: look at the pool's log`);
      });
      return Promise.race([answer, late]).finally(() => waiting.delete(id));
    });
    try {
      return await Promise.all(asked) as Answers[Kind][];
    } finally {
      end.abort(new Error("answered"));
    }
  }

  const keyed = ({ ip, ...others }: SessionFilter): SessionFilter => ({
    ...others,
    ...(ip === undefined ? {} : { ip: policyAddress(ip) }),
  });
  const drop = async (filter: SessionFilter) =>
    (await ask({ kind: "drop", filter: keyed(filter) })).reduce((sum, one) => sum + one, 0);

  return {
    async sessions(filter, max) {
      const answers = await ask({ kind: "sessions", filter: keyed(filter), max });
      const sessions: SessionFacts[] = answers.flatMap((one) => one.sessions)
        .sort((a, b) => b.connectedAtMs - a.connectedAtMs);
      const total = answers.reduce((sum, one) => sum + one.total, 0);
      return { sessions: sessions.slice(0, max), total };
    },
    drop,
    async ban(address, forMs, reason) {
      const [standing] = await ask({ kind: "standing", ip: address });
      if (standing?.white) {
        throw new PoolError(
          `${address} is on the white list or a proxy of ours: take it off there first`,
        );
      }
      const key = policyAddress(address);
      const sinceMs = clock.now();
      const ban = { address: key, reason, sinceMs, untilMs: sinceMs + forMs };
      hub.impose(ban, standing?.mixed ?? false);
      return { address: key, dropped: await drop({ ip: address }) };
    },
    unban: (address) => hub.unban(policyAddress(address)),
    bans: () => hub.list(),
    async jobs() {
      const tallies = new Map<string, ShareTally>();
      for (const [header, { valid, stale, invalid }] of (await ask({ kind: "jobs" })).flat()) {
        const sum = tallies.get(header) ?? { valid: 0, stale: 0, invalid: 0 };
        sum.valid += valid;
        sum.stale += stale;
        sum.invalid += invalid;
        tallies.set(header, sum);
      }
      return jobs.map(({ height, headerHash, node, receivedAtMs }) => ({
        ...{ height, headerHash, node, receivedAtMs },
        ...tallies.get(headerHash) ?? { valid: 0, stale: 0, invalid: 0 },
      }));
    },
    async adjust(adjustment) {
      const answers = await ask({ kind: "adjust", adjustment });
      return [...new Set(answers.flatMap((one) => one.certificates))];
    },
    onJob(job) {
      jobs.unshift(job);
      if (jobs.length > JOBS_KEPT) jobs.pop();
    },
    onAnswer: (id, answer) => waiting.get(id)?.(answer),
  };
}
