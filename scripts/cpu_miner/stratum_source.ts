/** Stratum over TCP: one JSON object per line; the dialect says what they mean. */
import { errorText } from "../../modules/base/mod.ts";
import { type Caller, type DialectName, type MinerDialect, openDialect } from "./dialects.ts";
import {
  hashrateParams,
  type Message,
  randomId,
  readReply,
  type Reply,
  type Submission,
  type Work,
  type WorkSource,
} from "./source.ts";

/** The longest line that is read (characters). */
const LINE_MAX = 65_536;
/** How long an answer may take (milliseconds); then the connection is given up. */
const REPLY_TIMEOUT_MS = 30_000;
/** Submissions count from here, as ethminer's do. */
const FIRST_SUBMIT_ID = 40;

/** Where and as whom to log in. */
export interface StratumLogin {
  hostname: string;
  port: number;
  login: string;
  worker: string;
  password?: string;
  dialect: DialectName;
}

interface Call {
  resolve: (message: Message) => void;
  reject: (error: Error) => void;
}

/** A pool over stratum. */
export class StratumSource implements WorkSource {
  #login: StratumLogin;
  #open: { connection: Connection; dialect: MinerDialect } | undefined;
  #id = randomId();

  constructor(login: StratumLogin) {
    this.#login = login;
  }

  async serve(onWork: (work: Work) => void, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { hostname, port, login, worker, password = "x" } = this.#login;
    const socket = await Deno.connect({ hostname, port });
    const dialect = openDialect(this.#login.dialect);
    const connection = new Connection(socket, worker, (message) => {
      const work = dialect.hear(message);
      if (work !== undefined) onWork(work);
    });
    const stop = () => connection.close(new Error("The miner stops"));
    signal.addEventListener("abort", stop, { once: true });
    const reading = connection.read();
    const session = async () => {
      const call: Caller = (method, params) => connection.call(method, params);
      const work = await dialect.logIn(call, login, worker, password);
      this.#open = { connection, dialect };
      if (work !== undefined) onWork(work);
    };
    try {
      await Promise.all([reading, session()]);
    } finally {
      this.#open = undefined;
      signal.removeEventListener("abort", stop);
      connection.close(new Error("The connection was closed"));
      await reading.catch(() => {});
    }
  }

  async submit(submission: Submission): Promise<Reply> {
    if (this.#open === undefined) return { accepted: null, error: "Not connected" };
    const { connection, dialect } = this.#open;
    try {
      return readReply(await connection.call(...dialect.submission(submission)));
    } catch (error) {
      return { accepted: null, error: errorText(error) };
    }
  }

  reportHashrate(hashrateHps: number): void {
    const params = hashrateParams(hashrateHps, this.#id);
    this.#open?.connection.call("eth_submitHashrate", params).catch(() => {});
  }
}

/** One connection: calls by id, pushes to the owner, one failure for all. */
class Connection {
  #socket: Deno.TcpConn;
  #worker: string;
  #onMessage: (message: Message) => void;
  #calls = new Map<number, Call>();
  #nextId = FIRST_SUBMIT_ID;
  #writing: Promise<unknown> = Promise.resolve();
  #closed: Error | undefined;

  constructor(socket: Deno.TcpConn, worker: string, onMessage: (message: Message) => void) {
    this.#socket = socket;
    this.#worker = worker;
    this.#onMessage = onMessage;
    socket.setNoDelay(true);
  }

  /** Sends a call and waits for the answer with its id. */
  call(method: string, params: unknown): Promise<Message> {
    if (this.#closed) return Promise.reject(this.#closed);
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const timer = setTimeout(
      () => this.close(new Error(`No answer to ${method} within ${REPLY_TIMEOUT_MS} ms`)),
      REPLY_TIMEOUT_MS,
    );
    const settle = <T>(act: (value: T) => void) => (value: T) => {
      clearTimeout(timer);
      this.#calls.delete(id);
      act(value);
    };
    this.#calls.set(id, { resolve: settle(resolve), reject: settle(reject) });
    this.#write(JSON.stringify({ id, jsonrpc: "2.0", method, params, worker: this.#worker }));
    return promise;
  }

  /** Reads lines until the connection ends; rejects with the reason. */
  async read(): Promise<void> {
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(16_384);
    let text = "";
    try {
      while (true) {
        const count = await this.#socket.read(chunk);
        if (count === null) throw new Error("The pool closed the connection");
        text += decoder.decode(chunk.subarray(0, count), { stream: true });
        const lines = text.split("\n");
        text = lines.pop()!;
        for (const line of lines) if (line.trim() !== "") this.#take(JSON.parse(line));
        if (text.length > LINE_MAX) throw new Error(`The pool sent a line above ${LINE_MAX}`);
      }
    } catch (error) {
      this.close(error instanceof Error ? error : new Error(String(error)));
      throw this.#closed;
    }
  }

  /** Closes the socket and fails every open call; the first reason stays. */
  close(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    for (const call of [...this.#calls.values()]) call.reject(reason);
    this.#socket.close();
  }

  #take(message: Message): void {
    const call = typeof message.id === "number" ? this.#calls.get(message.id) : undefined;
    if (call) call.resolve(message);
    else this.#onMessage(message);
  }

  #write(line: string): void {
    const bytes = new TextEncoder().encode(`${line}\n`);
    this.#writing = this.#writing.then(async () => {
      for (let sent = 0; sent < bytes.length && !this.#closed;) {
        sent += await this.#socket.write(bytes.subarray(sent));
      }
    }).catch((error) => this.close(error));
  }
}
