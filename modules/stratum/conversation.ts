/**
 * What is said in a session: commands to answers, whatever the dialect.
 *
 * Its state is who mines (one login or several), what they were given to mine, and what they were
 * told. Sockets and order of answers are the session's.
 */
import { Buffer } from "node:buffer";
import type { Clock, Logger } from "../base/mod.ts";
import type { ShareTerms } from "../intake/mod.ts";
import { ShareRate } from "../policy/mod.ts";
import type { Claim, MalformedClaim } from "../share/mod.ts";
import { Assignments, type PortTerms } from "./assignments.ts";
import { habitsOf } from "./detect.ts";
import type { Command, Dialect, RpcError, RpcId, Told } from "./dialect.ts";
import { SESSION_SECONDS } from "./dialects/ethereum_stratum_2.ts";
import { loginProblem, readLogin, readPassword } from "./login.ts";
import { wholeNonce } from "./extranonce.ts";
import type { OfferSet } from "./offers.ts";
import { type MiningService, rejectionError, WORK_NOT_READY } from "./service.ts";
import { SchemeChoice } from "./scheme_choice.ts";
import { Users } from "./users.ts";

/** What a conversation needs. */
export interface ConversationDeps {
  service: MiningService;
  terms: PortTerms;
  clock: Clock;
  log: Logger;
}

/** An answer and what follows from it. */
export interface Reply {
  /** The line to send; none when nothing may be said. */
  text?: string;
  /** What follows it at once: a job. */
  after?: Uint8Array;
  /** Whether the connection ends after it. */
  end?: boolean;
  /** Of a submission that was judged: how. */
  verdict?: "accepted" | "rejected";
}

/** A claim whose job is known, or why it is not. */
type Placed =
  | {
    kind: "placed";
    share: { headerHash: string; nonce: string; mix?: string };
    terms: ShareTerms;
    /** What the session was given in front of its nonces; empty for none. */
    extranonce: string;
  }
  | { kind: "unknownJob" }
  | MalformedClaim & { kind: "malformed"; hint: string };

/** One session's state and answers. */
export class Conversation {
  readonly #deps: ConversationDeps;
  readonly #dialect: Dialect;
  readonly #ip: string;
  readonly #assignments: Assignments;
  readonly #users: Users;
  readonly #choice: SchemeChoice;
  /** Whether it takes another extranonce while it mines. */
  #takesExtranonces: boolean;
  #told: Told = {};
  #agent: unknown;
  #id: string;
  #subscribed = false;
  #malformed = 0;
  /** What was pushed last. */
  pushed: OfferSet | undefined;
  /** Undefined: no limit. */
  readonly #rate: ShareRate | undefined;

  constructor(dialect: Dialect, ip: string, deps: ConversationDeps) {
    this.#deps = deps;
    this.#dialect = dialect;
    this.#ip = ip;
    this.#assignments = new Assignments(
      deps.terms,
      deps.service.deps.bindings.scheme,
      deps.clock.now(),
    );
    this.#choice = new SchemeChoice(deps.service, deps.terms.scheme, deps.log);
    // EthereumStratum/2.0.0 tells every setting whenever it changes.
    this.#takesExtranonces = dialect.hello !== undefined;
    this.#users = new Users(deps.service, ip, dialect.namesWorkers);
    this.#id = crypto.getRandomValues(new Uint8Array(16)).toHex();
    const { sharesPerSecond = 0 } = deps.service.policy.options.limits;
    if (sharesPerSecond > 0) this.#rate = new ShareRate(sharesPerSecond, deps.clock.now());
  }

  /** Whether it has logged in and gets jobs. */
  get ready(): boolean {
    return this.#users.first !== undefined;
  }

  /** Whether its nonces begin with an extranonce. */
  get hasExtranonce(): boolean {
    return this.#assignments.extranonce !== "";
  }

  /** Who mines, in which words and for what, as status shows it. */
  get facts() {
    const { difficulty, shares } = this.#assignments;
    return { ...this.#users.first, dialect: this.#dialect.name, difficulty, shares };
  }

  /** Answers a command. */
  async answer(command: Command): Promise<Reply> {
    const dialect = this.#dialect;
    const { id } = command;
    switch (command.kind) {
      case "hello":
        this.#agent = command.agent;
        return { text: dialect.hello?.(id) ?? dialect.result(id, true) };
      case "subscribe":
        return this.#subscribe(command);
      case "extranonce":
        // Some miners hang up on a refusal, so it is always granted.
        this.#takesExtranonces = true;
        return { text: dialect.result(id, true) };
      case "login":
        return await this.#logIn(command);
      case "getWork":
        return { text: this.#work(id) };
      case "submit":
        return await this.#submit(command);
      case "hashrate":
        this.#report(command);
        return { text: dialect.result(id, true) };
      case "noop":
        return { text: dialect.result(id, true) };
      case "bye":
        return { end: true };
      case "getBlock":
      case "unknown":
        return this.#offend(id, { code: -3, message: "Method not found" });
      case "malformed":
        return this.#offend(id, { code: -1, message: command.message });
    }
  }

  /**
   * The push of an offer to this session.
   *
   * @param forgetful whether an earlier push may be dropped unsent, so that nothing counts as told
   */
  push(set: OfferSet, forgetful: boolean): Uint8Array {
    this.pushed = set;
    const { offer, told } = this.#assignments.assign(set, this.#deps.clock.now());
    const dialect = this.#dialect;
    let bytes = offer.bytes.get(dialect.name);
    if (bytes === undefined) {
      // A socket would wrap other bytes into a Buffer at every session.
      bytes = Buffer.from(dialect.push(offer) + "\n");
      offer.bytes.set(dialect.name, bytes);
    }
    if (dialect.settings === undefined) return bytes;
    const extranonce = this.#assignments.extranonce;
    const now = { difficulty: told, epoch: offer.epoch, extranonce };
    const before = forgetful && this.#told.epoch !== undefined
      ? { extranonce: this.#told.extranonce ?? extranonce }
      : this.#told;
    const settings = dialect.settings(before, now);
    this.#told = now;
    if (settings.length === 0) return bytes;
    return Buffer.concat([Buffer.from(settings.join("\n") + "\n"), bytes]);
  }

  /**
   * Takes another extranonce, because this instance may not use its former ones any longer; jobs
   * that were sent keep theirs. The next push tells it.
   *
   * @returns whether the session can go on
   */
  async renewExtranonce(): Promise<boolean> {
    const before = this.#assignments.extranonce;
    if (before === "") return true;
    const next = this.#takesExtranonces ? this.#newExtranonce() : undefined;
    if (next === undefined) return false;
    const binding = this.#choice.rebind(next);
    const bound = binding && await binding;
    if ((bound !== undefined && "code" in bound) || this.#assignments.extranonce !== before) {
      this.#deps.service.giveBack(next);
      return false;
    }
    this.#assignments.extranonce = next;
    if (bound !== undefined) this.#assignments.bind(bound);
    this.#deps.service.giveBack(before);
    return true;
  }

  /** Gives the extranonce back, or keeps it for a session that may be resumed. */
  close(): void {
    const { service, clock } = this.#deps;
    const { extranonce } = this.#assignments;
    const { scheme } = this.#choice;
    if (extranonce === "") return;
    this.#assignments.extranonce = "";
    if (this.#dialect.hello !== undefined && scheme !== undefined) {
      const untilMs = clock.now() + SESSION_SECONDS * 1_000;
      service.deps.extranonces.keep(this.#id, { extranonce, scheme }, untilMs);
    } else {
      service.giveBack(extranonce);
    }
  }

  #subscribe(command: { id: RpcId; agent?: unknown; resume?: unknown }): Reply {
    const dialect = this.#dialect;
    this.#agent ??= command.agent;
    this.#subscribed = true;
    if (!dialect.hasExtranonce) return { text: dialect.result(command.id, true) };
    if (this.#assignments.extranonce === "") {
      const extranonce = this.#resumed(command.resume) ?? this.#newExtranonce();
      if (extranonce === undefined) {
        const message = "No extranonce is left: too many sessions at a time";
        return { text: dialect.error(command.id, { code: 20, message, kind: "busy" }), end: true };
      }
      this.#assignments.extranonce = extranonce;
      // Dialects that tell it in this answer need not tell it again.
      if (dialect.hello === undefined) this.#told = { extranonce };
    }
    const session = { id: this.#id, extranonce: this.#assignments.extranonce };
    return { text: dialect.subscribed!(command.id, session) };
  }

  #resumed(resume: unknown): string | undefined {
    if (typeof resume !== "string") return undefined;
    const kept = this.#deps.service.deps.extranonces.reclaim(resume);
    if (kept === undefined) return undefined;
    this.#id = resume;
    this.#choice.resume(kept.scheme);
    return kept.extranonce;
  }

  #newExtranonce(): string | undefined {
    const { extranonces, jobs } = this.#deps.service.deps;
    return extranonces.take(jobs.highest);
  }

  async #logIn(
    command: { id: RpcId; login: unknown; password?: unknown; worker?: unknown },
  ): Promise<Reply> {
    const dialect = this.#dialect;
    const { service, log } = this.#deps;
    if (dialect.hasExtranonce && !this.#subscribed) {
      return { text: dialect.error(command.id, rejectionError("notSubscribed")) };
    }
    const login = readLogin(command.login);
    if (login === undefined) {
      const message = loginProblem(command.login);
      return {
        text: dialect.error(command.id, { code: -1, message, kind: "unauthorized" }),
      };
    }
    if (service.policy.isBlacklisted(login.login)) return this.#turnAway(command.id);
    const wishes = readPassword(command.password);
    const problem = this.#choice.agree(login.solo || wishes.solo, dialect.hasExtranonce);
    if (problem !== undefined) return { text: dialect.error(command.id, problem) };
    const binding = this.#choice.bind(this.#assignments.extranonce);
    // Not waited for without need: a submission in the same packet finds its login.
    if (binding !== undefined) {
      const bound = await binding;
      if ("code" in bound) return { text: dialect.error(command.id, bound) };
      this.#assignments.bind(bound);
    }
    const worker = service.workerOf(login.login, command.worker, login.worker, wishes.worker);
    const user = { ...login, worker };
    const isFirst = this.#users.first === undefined;
    const name = this.#users.enter(command.login, user);
    if (isFirst || !dialect.namesWorkers) this.#wish(wishes);
    log.debug("session.login", { ip: this.#ip, login: login.login, worker, dialect: dialect.name });
    const text = dialect.result(command.id, dialect.namesWorkers ? name : true);
    const set = dialect.sendsWorkOnLogin ? service.offers() : undefined;
    return set === undefined ? { text } : { text, after: this.push(set, false) };
  }

  #wish(wishes: ReturnType<typeof readPassword>): void {
    const { niceHashMinDifficulty, askedDifficulty: { min, max } } = this.#deps.service.deps;
    const { late, niceHash } = habitsOf(this.#agent);
    const asked = wishes.difficulty;
    this.#assignments.wish({
      ...(asked === undefined ? {} : { fixed: asked < min ? min : asked > max ? max : asked }),
      floor: niceHash ? niceHashMinDifficulty : 0n,
      late,
    });
  }

  #work(id: RpcId): string {
    const dialect = this.#dialect;
    const set = this.#deps.service.offers();
    if (dialect.work === undefined) return dialect.error(id, { code: -3, message: "Not in use" });
    if (set === undefined) return dialect.error(id, WORK_NOT_READY);
    const { offer } = this.#assignments.assign(set, this.#deps.clock.now());
    return dialect.work(id, offer);
  }

  async #submit(
    command: { id: RpcId; claim: Claim | MalformedClaim; worker?: unknown },
  ): Promise<Reply> {
    const dialect = this.#dialect;
    const { service } = this.#deps;
    const { id, claim } = command;
    if (!this.ready) {
      return { text: dialect.error(id, rejectionError("notSubscribed")) };
    }
    const miner = this.#users.minerOf(command.worker);
    if (miner === undefined) {
      const message = "Unknown worker: authorize it first";
      return { text: dialect.error(id, { code: 24, message, kind: "unauthorized" }) };
    }
    if (service.policy.isBlacklisted(miner.login)) return this.#turnAway(id);
    if (this.#rate?.take(this.#deps.clock.now()) === false) {
      const message = "Too many shares a second: use a higher difficulty, share not counted";
      return { text: dialect.error(id, { code: 20, message, kind: "busy" }) };
    }
    if ("field" in claim) return this.#refusal(id, service.malformed(miner, claim));
    const placed = this.#place(claim);
    if (placed.kind === "unknownJob") {
      return { text: dialect.error(id, rejectionError("unknownJob")) };
    }
    if (placed.kind === "malformed") {
      return this.#refusal(id, service.malformed(miner, placed, placed.hint));
    }
    const { share, extranonce } = placed;
    const vouched = extranonce !== "" && share.nonce.startsWith(`0x${extranonce}`);
    const terms = vouched
      ? placed.terms
      : service.freeTerms(share.nonce, share.headerHash, placed.terms);
    const answer = await service.submit(miner, share, { ...terms, dialect: dialect.name });
    if (answer === undefined) return {};
    if (!answer.accepted) return { ...this.#refusal(id, answer), verdict: "rejected" };
    this.#assignments.onShare(placed.terms.difficulty);
    return { text: dialect.result(id, true), end: answer.banned, verdict: "accepted" };
  }

  /** Brings a claim together with what was assigned: whole nonce, header and terms. */
  #place(claim: Claim): Placed {
    const named = claim.jobId === undefined ? undefined : this.#assignments.byId(claim.jobId);
    const headerHash = claim.headerHash ?? named?.offer.job.headerHash;
    if (headerHash === undefined || (claim.jobId !== undefined && named === undefined)) {
      return { kind: "unknownJob" };
    }
    if (named !== undefined && named.offer.job.headerHash !== headerHash) {
      return { kind: "malformed", field: "header hash", hint: "it is not that of the job" };
    }
    const nonce = wholeNonce(claim.nonce, named?.extranonce ?? "");
    if (nonce === undefined) {
      const { extranonce } = named!;
      const hint = `expected ${16 - extranonce.length} hex digits after extranonce ${extranonce}`;
      return { kind: "malformed", field: "nonce", hint };
    }
    const share = { headerHash, nonce, ...(claim.mix === undefined ? {} : { mix: claim.mix }) };
    const assigned = named ?? this.#assignments.byHeader(headerHash);
    const terms = assigned?.offer.terms ?? this.#termsOfStranger(headerHash);
    return { kind: "placed", share, terms, extranonce: assigned?.extranonce ?? "" };
  }

  /** A header that this session was not given: its miner came back after a break, or guesses. */
  #termsOfStranger(headerHash: string): ShareTerms {
    const { service, clock } = this.#deps;
    const found = service.deps.jobs.find(headerHash);
    if (!("job" in found)) return this.#assignments.termsOfOld(undefined);
    const set = service.offers();
    // The current job is assigned by this, so that its terms stay the same.
    return set?.job === found.job
      ? this.#assignments.assign(set, clock.now()).offer.terms
      : this.#assignments.termsOfOld(found.job);
  }

  #refusal(id: RpcId, { error, banned }: { error: RpcError; banned: boolean }): Reply {
    const message = banned ? `${error.message} (banned for a while)` : error.message;
    return { text: this.#dialect.error(id, { ...error, message }), end: banned };
  }

  #report(command: { rate: unknown; worker?: unknown }): void {
    const miner = this.#users.minerOf(command.worker);
    if (miner !== undefined) this.#deps.service.reportHashrate(miner, command.rate);
  }

  #turnAway(id: RpcId): Reply {
    const message = "You are blacklisted";
    return {
      text: this.#dialect.error(id, { code: -1, message, kind: "unauthorized" }),
      end: true,
    };
  }

  /** Malformed requests are answered; a peer that sends nothing else is let go. */
  #offend(id: RpcId, error: RpcError): Reply {
    const { policy } = this.#deps.service;
    const banned = policy.onMalformed(this.#ip);
    const end = banned || ++this.#malformed >= policy.options.banning.malformedLimit;
    return { text: this.#dialect.error(id, { ...error, kind: "malformed" }), end };
  }
}
