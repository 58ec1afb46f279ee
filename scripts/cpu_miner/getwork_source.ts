/** HTTP getwork: work is polled for, shares are posted, one request each. */
import { type Clock, errorText } from "../../modules/base/mod.ts";
import {
  hashrateParams,
  type Message,
  randomId,
  readError,
  readReply,
  readWork,
  type Reply,
  sameWork,
  type Submission,
  type Work,
  type WorkSource,
} from "./source.ts";

/** How long an answer may take (milliseconds). */
const REPLY_TIMEOUT_MS = 10_000;

/** A pool, or a node, that answers eth_getWork over HTTP. */
export class GetworkSource implements WorkSource {
  #url: string;
  #pollMs: number;
  #clock: Clock;
  #id = randomId();
  #nextId = 1;

  /** @param pollMs time between two polls (milliseconds) */
  constructor(url: string, pollMs: number, clock: Clock) {
    this.#url = url;
    this.#pollMs = pollMs;
    this.#clock = clock;
  }

  async serve(onWork: (work: Work) => void, signal: AbortSignal): Promise<void> {
    let last: Work | undefined;
    while (true) {
      signal.throwIfAborted();
      const message = await this.#call("eth_getWork", [], signal);
      const error = readError(message.error);
      if (error !== undefined) throw new Error(`Work was refused: ${error}`);
      const work = readWork(message.result);
      if (!sameWork(work, last)) onWork(work);
      last = work;
      await this.#clock.sleep(this.#pollMs, signal);
    }
  }

  async submit({ nonce, header, mix }: Submission): Promise<Reply> {
    try {
      return readReply(await this.#call("eth_submitWork", [nonce, header, mix]));
    } catch (error) {
      return { accepted: null, error: errorText(error) };
    }
  }

  reportHashrate(hashrateHps: number): void {
    const params = hashrateParams(hashrateHps, this.#id);
    this.#call("eth_submitHashrate", params).catch(() => {});
  }

  async #call(method: string, params: unknown[], signal?: AbortSignal): Promise<Message> {
    // Not AbortSignal.timeout(): its timer would outlive the call.
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(new Error(`No answer to ${method} within ${REPLY_TIMEOUT_MS} ms`)),
      REPLY_TIMEOUT_MS,
    );
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id: this.#nextId++, jsonrpc: "2.0", method, params }),
        signal: signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal,
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`The pool answered ${response.status}: ${text.trim()}`);
      return JSON.parse(text);
    } finally {
      clearTimeout(timer);
    }
  }
}
