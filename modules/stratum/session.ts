/**
 * One miner's connection: its login, its deadlines, its answers in order.
 *
 * The session does not know which dialect it speaks. Answers leave in the order of the requests,
 * because miners reuse ids while earlier ones are open. An honest mistake never disconnects.
 */
import type { Clock, Logger } from "../base/mod.ts";
import { REJECTIONS } from "../share/mod.ts";
import type { Job } from "../work/mod.ts";
import type { Command, Dialect, RpcError, RpcId } from "./dialect.ts";
import { LineReader, LineTooLongError } from "./lines.ts";
import { type Login, readLogin } from "./login.ts";
import { type Miner, type MiningService, WORK_NOT_READY } from "./service.ts";
import type { Wire } from "./wire.ts";

/** Longest line accepted (bytes). */
export const LINE_BYTES_MAX = 4_096;
/** Requests of one session under way at once; more wait in the socket. */
const REQUESTS_MAX = 64;

/** Encoded pushes of one job, by dialect and difficulty, shared by all sessions. */
export type PushCache = Map<string, Uint8Array>;

/** What a session needs. */
export interface SessionDeps {
  service: MiningService;
  dialect: Dialect;
  clock: Clock;
  log: Logger;
}

const encoder = new TextEncoder();

/** A session over a wire. */
export class Session {
  readonly connectedAtMs: number;
  lastActiveMs: number;
  #miner: Login | undefined;
  #answers: Promise<void> = Promise.resolve();
  #underWay = 0;
  #malformed = 0;
  #wake: (() => void) | undefined;
  #ending = false;

  constructor(readonly wire: Wire, readonly deps: SessionDeps) {
    this.connectedAtMs = deps.clock.now();
    this.lastActiveMs = this.connectedAtMs;
  }

  /** Whether it has logged in and gets jobs. */
  get subscribed(): boolean {
    return this.#miner !== undefined;
  }

  /** The login, for status. */
  get login(): string | undefined {
    return this.#miner?.login;
  }

  /** Reads requests until the peer goes or the session ends. */
  async run(): Promise<void> {
    const lines = new LineReader(LINE_BYTES_MAX);
    try {
      while (!this.#ending) {
        const chunk = await this.wire.read();
        if (chunk === null) break;
        for (const line of lines.push(chunk)) {
          if (this.#ending) break;
          this.lastActiveMs = this.deps.clock.now();
          await this.#room();
          this.#take(line);
        }
      }
    } catch (error) {
      if (!(error instanceof LineTooLongError)) throw error;
      this.deps.log.info("session.lineTooLong", { ip: this.wire.remoteAddress });
      this.deps.service.policy.onMalformed(this.wire.remoteAddress);
      this.#send(this.deps.dialect.error(null, {
        code: -1,
        message: `Line is longer than ${LINE_BYTES_MAX} bytes`,
      }));
    } finally {
      await this.#answers;
      this.wire.close({ flush: true });
    }
  }

  /** Sends a job unasked, when the miner has logged in. */
  push(job: Job, cache: PushCache): void {
    if (this.#miner === undefined) return;
    const { dialect, service } = this.deps;
    const terms = service.termsOf(job);
    const key = `${dialect.name}:${terms.difficulty}`;
    let bytes = cache.get(key);
    if (bytes === undefined) {
      bytes = encoder.encode(dialect.push(job, terms.target) + "\n");
      cache.set(key, bytes);
    }
    this.wire.send(bytes);
    this.lastActiveMs = this.deps.clock.now();
  }

  /** Takes nothing new, answers what is under way, and ends. */
  async drain(): Promise<void> {
    this.#ending = true;
    await this.#answers;
    this.wire.close({ flush: true });
  }

  /** Waits while too many requests are under way. */
  #room(): Promise<void> | void {
    if (this.#underWay >= REQUESTS_MAX) {
      return new Promise((resolve) => this.#wake = resolve);
    }
  }

  #take(line: string): void {
    const command = this.#read(line);
    const answer = this.#answer(command);
    this.#underWay++;
    const before = this.#answers;
    this.#answers = (async () => {
      const text = await answer.catch((error) => {
        this.deps.log.error("session.failed", { ip: this.wire.remoteAddress, error });
        return this.deps.dialect.error(command.id, { code: 20, message: "Internal error" });
      });
      await before;
      if (text !== undefined) this.#send(text);
      this.#underWay--;
      this.#wake?.();
      this.#wake = undefined;
    })();
  }

  #read(line: string): Command {
    try {
      return this.deps.dialect.read(JSON.parse(line));
    } catch {
      return { kind: "malformed", id: null, message: "Malformed request: no JSON" };
    }
  }

  async #answer(command: Command): Promise<string | undefined> {
    const { dialect, service } = this.deps;
    switch (command.kind) {
      case "login":
        return this.#logIn(command);
      case "getWork": {
        const job = service.currentJob();
        return job === undefined
          ? dialect.error(command.id, WORK_NOT_READY)
          : dialect.work(command.id, job, service.termsOf(job).target);
      }
      case "submit":
        return await this.#submit(command);
      case "hashrate":
        if (this.#miner !== undefined) {
          service.reportHashrate(this.#identity(command.worker), command.rate);
        }
        return dialect.result(command.id, true);
      case "getBlock":
      case "unknown":
        this.#offend();
        return dialect.error(command.id, { code: -3, message: "Method not found" });
      case "malformed":
        this.#offend();
        return dialect.error(command.id, { code: -1, message: command.message });
    }
  }

  #logIn(command: { id: RpcId; login: unknown; worker?: unknown }): string {
    const { dialect, service } = this.deps;
    const miner = readLogin(command.login);
    if (miner === undefined) {
      return dialect.error(command.id, {
        code: -1,
        message: "Invalid login: expected 0x and 40 hex digits, or that with .worker",
      });
    }
    if (service.policy.isBlacklisted(miner.login)) return this.#turnAway(command.id);
    const worker = service.workerOf(miner.login, command.worker, miner.worker);
    this.#miner = { login: miner.login, worker };
    this.deps.log.debug("session.login", { ip: this.wire.remoteAddress, ...this.#miner });
    return dialect.result(command.id, true);
  }

  #turnAway(id: RpcId): string {
    this.#end();
    return this.deps.dialect.error(id, { code: -1, message: "You are blacklisted" });
  }

  async #submit(
    command: { id: RpcId; params: unknown; worker?: unknown },
  ): Promise<string | undefined> {
    const { dialect, service } = this.deps;
    if (this.#miner === undefined) {
      const { code, message } = REJECTIONS.notSubscribed;
      return dialect.error(command.id, { code, message });
    }
    if (service.policy.isBlacklisted(this.#miner.login)) return this.#turnAway(command.id);
    const answer = await service.submit(this.#identity(command.worker), command.params);
    if (answer === undefined) return undefined;
    if (answer.banned) this.#end();
    return answer.accepted
      ? dialect.result(command.id, true)
      : dialect.error(command.id, this.#banNote(answer.error, answer.banned));
  }

  #banNote(error: RpcError, banned: boolean): RpcError {
    return banned ? { ...error, message: `${error.message} (banned for a while)` } : error;
  }

  #identity(worker: unknown): Miner {
    const { login, worker: own } = this.#miner!;
    const name = this.deps.service.workerOf(login, worker, own);
    return { login, worker: name, ip: this.wire.remoteAddress };
  }

  /** Malformed requests are answered; a peer that sends nothing else is let go. */
  #offend(): void {
    const { policy } = this.deps.service;
    const banned = policy.onMalformed(this.wire.remoteAddress);
    if (banned || ++this.#malformed >= policy.options.banning.malformedLimit) this.#end();
  }

  /** Ends the session once what was asked before is answered. */
  #end(): void {
    this.#ending = true;
    this.#answers.finally(() => queueMicrotask(() => void this.drain()));
  }

  #send(text: string): void {
    this.wire.send(encoder.encode(text + "\n"));
  }
}
