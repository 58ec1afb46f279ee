/** A stratum worker's answers to an operator's questions. */
import type { Policy } from "../policy/mod.ts";
import type { JobShares } from "./job_shares.ts";
import type { LiveTerms } from "./live_terms.ts";
import type { Adjustment, Answers, Question } from "./questions.ts";
import type { StratumServer } from "./server.ts";
import type { MiningService } from "./service.ts";

/** What is asked about. */
export interface AnswerDeps {
  stratum: StratumServer | undefined;
  service: MiningService;
  policy: Policy;
  jobShares: JobShares;
  /** Terms of HTTP getwork's own port. */
  getworkTerms: LiveTerms;
  refreshLists(): Promise<void>;
}

/** Answers a question; what it changes has changed before anything is waited for. */
export async function answerQuestion(
  question: Question,
  deps: AnswerDeps,
): Promise<Answers[Question["kind"]]> {
  const { stratum, policy } = deps;
  switch (question.kind) {
    case "sessions": {
      const all = stratum?.facts(question.filter) ?? [];
      return { sessions: all.slice(0, question.max), total: all.length };
    }
    case "drop":
      return stratum?.drop(question.filter) ?? 0;
    case "standing":
      return policy.standing(question.ip);
    case "jobs":
      return deps.jobShares.all();
    case "adjust":
      adjust(question.adjustment, deps);
      await deps.refreshLists();
      return { certificates: await stratum?.reloadCertificates() ?? [] };
  }
}

function adjust(to: Adjustment, { stratum, service, policy, getworkTerms }: AnswerDeps): void {
  getworkTerms.change({ difficulty: to.difficulty });
  stratum?.adjust(to);
  const { niceHashMinDifficulty, askedDifficulty, maxWorkers } = to;
  Object.assign(service.deps, { niceHashMinDifficulty, askedDifficulty, maxWorkers });
  policy.adjust(to.policy);
}
