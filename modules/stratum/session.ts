/**
 * One miner's connection: lines in, answers out in the order of the requests, jobs in between.
 *
 * The first request decides which dialect is spoken; what fails before that is never an offence.
 * Answers keep their order because miners reuse ids while earlier requests are open.
 */
import type { Clock, Logger } from "../base/mod.ts";
import { observe } from "../metrics/mod.ts";
import { Conversation, type ConversationDeps, type Reply } from "./conversation.ts";
import { dialectOf } from "./detect.ts";
import { type Command, type Dialect, readId, requestOf } from "./dialect.ts";
import { ethProxy } from "./dialects/eth_proxy.ts";
import { LineReader, LineTooLongError } from "./lines.ts";
import type { OfferSet } from "./offers.ts";
import type { SessionFacts } from "./questions.ts";
import type { Wire } from "./net/mod.ts";

/** Longest line accepted (bytes). */
export const LINE_BYTES_MAX = 4_096;
/** Requests of one session under way at once; more wait in the socket. */
const REQUESTS_MAX = 64;
/** First requests that fit no dialect, after which the connection ends. */
const TRIES_MAX = 3;

/** What a session needs. */
export type SessionDeps = ConversationDeps & { clock: Clock; log: Logger };

const encoder = new TextEncoder();

/** A session over a wire. */
export class Session {
  readonly connectedAtMs: number;
  lastActiveMs: number;
  #dialect: Dialect | undefined;
  #conversation: Conversation | undefined;
  #answers: Promise<void> = Promise.resolve();
  #underWay = 0;
  #tries = 0;
  #wake: (() => void) | undefined;
  #ending = false;

  /** @param place its id, and the port that it came in by */
  constructor(
    readonly wire: Wire,
    readonly deps: SessionDeps,
    readonly place: { id: string; port: number } = { id: "", port: 0 },
  ) {
    this.connectedAtMs = deps.clock.now();
    this.lastActiveMs = this.connectedAtMs;
  }

  /** Whether it has logged in and gets jobs. */
  get subscribed(): boolean {
    return this.#conversation?.ready ?? false;
  }

  /** What an operator sees of it. */
  get facts(): SessionFacts {
    const { login, worker, dialect, difficulty, shares = 0 } = this.#conversation?.facts ?? {};
    return {
      ...{ ...this.place, ip: this.wire.remoteAddress, shares },
      ...{ connectedAtMs: this.connectedAtMs, lastActiveMs: this.lastActiveMs },
      ...(login === undefined ? {} : { login }),
      ...(worker === undefined ? {} : { worker }),
      ...(dialect === undefined ? {} : { dialect }),
      ...(difficulty === undefined ? {} : { difficulty }),
    };
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
      this.#onLongLine();
    } finally {
      await this.#answers;
      this.wire.close({ flush: true });
      this.#conversation?.close();
    }
  }

  /** Sends a job unasked, when the miner has logged in. */
  push(set: OfferSet): void {
    if (this.#conversation === undefined || !this.#conversation.ready) return;
    // Broadcasts take a while: a login in between has brought it already.
    if (this.#conversation.pushed === set) return;
    this.wire.sendLatest(this.#conversation.push(set, this.wire.queuedBytes > 0));
    this.lastActiveMs = this.deps.clock.now();
  }

  /**
   * Has the miner go over to another extranonce, or sends it away when it cannot be told one.
   *
   * @returns whether it could; undefined when it has none
   */
  async renewExtranonce(): Promise<boolean | undefined> {
    const conversation = this.#conversation;
    if (conversation === undefined || !conversation.hasExtranonce) return undefined;
    if (!await conversation.renewExtranonce()) {
      await this.drain();
      return false;
    }
    const { service } = this.deps;
    const current = service.offers();
    const set = current === conversation.pushed ? service.renewedOffers() : current;
    // Not as the newest job, which a newer one replaces: this one must arrive.
    if (conversation.ready && set !== undefined) this.wire.send(conversation.push(set, false));
    return true;
  }

  /** Takes nothing new, answers what is under way, says goodbye where that is usual, and ends. */
  async drain(): Promise<void> {
    const surprising = !this.#ending;
    this.#ending = true;
    await this.#answers;
    const farewell = this.#dialect?.farewell?.();
    if (farewell !== undefined && surprising) this.#send(farewell);
    this.wire.close({ flush: true });
  }

  #onLongLine(): void {
    const ip = this.wire.remoteAddress;
    this.deps.log.info("session.lineTooLong", { ip });
    if (this.#dialect !== undefined) this.deps.service.policy.onMalformed(ip);
    const message = `Line is longer than ${LINE_BYTES_MAX} bytes`;
    this.#send((this.#dialect ?? ethProxy).error(null, { code: -1, message, kind: "malformed" }));
  }

  /** Waits while too many requests are under way. */
  #room(): Promise<void> | void {
    if (this.#underWay >= REQUESTS_MAX) {
      return new Promise((resolve) => this.#wake = resolve);
    }
  }

  #take(line: string): void {
    const startMs = performance.now();
    const answer = this.#answer(line);
    this.#underWay++;
    const before = this.#answers;
    this.#answers = (async () => {
      const { text, after, end, verdict } = await answer;
      await before;
      if (text !== undefined) this.#send(text);
      if (verdict !== undefined) {
        observe("quarry_submit_seconds", (performance.now() - startMs) / 1000, { verdict });
      }
      if (after !== undefined) this.wire.send(after);
      if (end) this.#end();
      this.#underWay--;
      this.#wake?.();
      this.#wake = undefined;
    })();
  }

  async #answer(line: string): Promise<Reply> {
    const request = parsed(line);
    this.#dialect ??= dialectOf(request);
    if (this.#dialect === undefined) return this.#refuse(request);
    this.#conversation ??= new Conversation(
      this.#dialect,
      this.wire.remoteAddress,
      this.deps,
    );
    const command: Command = request === undefined
      ? { kind: "malformed", id: null, message: "Malformed request: no JSON" }
      : this.#dialect.read(request);
    try {
      return await this.#conversation.answer(command);
    } catch (error) {
      this.deps.log.error("session.failed", { ip: this.wire.remoteAddress, error });
      const internal = { code: 20, message: "Internal error", kind: "internal" as const };
      return { text: this.#dialect.error(command.id, internal) };
    }
  }

  /** A first request that no dialect has: answered, so that the miner tries its next one. */
  #refuse(request: unknown): Reply {
    const id = readId(requestOf(request)?.id);
    const message = request === undefined
      ? "Malformed request: no JSON"
      : "Method not found: expected eth_submitLogin, mining.subscribe or mining.hello";
    return {
      text: ethProxy.error(id, { code: request === undefined ? -1 : -3, message }),
      end: ++this.#tries >= TRIES_MAX,
    };
  }

  /** Ends the session; what was asked before has been answered. */
  #end(): void {
    this.#ending = true;
    queueMicrotask(() => void this.drain());
  }

  #send(text: string): void {
    this.wire.send(encoder.encode(text + "\n"));
  }
}

/** The value of a line; undefined when it is no JSON. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
