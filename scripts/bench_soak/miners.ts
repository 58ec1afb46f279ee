/**
 * Thousands of miners that come back: each session logs in, submits at difficulty 1, and connects to
 * the next door when its own is gone. What they were told is kept, and what they were never told.
 */

/** Where miners connect. */
export interface Door {
  port: number;
  /** Certificates that are trusted; undefined: plain TCP. Asked at each connection. */
  certificates?: () => string[];
}

/** Login → shares. */
export type Counts = Map<string, bigint>;

/** What the miners were told. */
export interface Told {
  /** Shares answered true, by login. */
  accepted: Counts;
  /** Shares whose connection ended before an answer: they may be stored or not. */
  unanswered: Counts;
  /** By the words of the answer. */
  refused: Map<string, number>;
  connections: number;
  /** Longest time in which nobody was told true (milliseconds). */
  longestGapMs: number;
}

/** Settings of the miners. */
export interface MinersOptions {
  sessions: number;
  /** Sessions of one login. */
  sessionsPerLogin: number;
  /** Shares a second over all sessions. */
  rate: number;
  doors: Door[];
}

const TICK_MS = 20;
const AGAIN_MS = 300;
const encoder = new TextEncoder();

/** The running miners. */
export class Miners {
  readonly told: Told = {
    ...{ accepted: new Map(), unanswered: new Map(), refused: new Map() },
    ...{ connections: 0, longestGapMs: 0 },
  };
  readonly #options: MinersOptions;
  readonly #sessions: Session[];
  readonly #runs: Promise<void>[];
  #timer: ReturnType<typeof setInterval>;
  #stopped = false;
  #owed = 0;
  #next = 0;
  /** Never used twice, so that no two shares of a header are the same. */
  #serial = 0;
  #lastMs = performance.now();

  constructor(options: MinersOptions) {
    this.#options = options;
    this.#sessions = Array.from(
      { length: options.sessions },
      (_, i) => new Session(loginOf(Math.floor(i / options.sessionsPerLogin))),
    );
    this.#runs = this.#sessions.map((session, i) => this.#keep(session, i));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Sessions that have a job. */
  get ready(): number {
    return this.#sessions.filter((session) => session.job !== "").length;
  }

  /** Shares told true so far. */
  get accepted(): bigint {
    return sum(this.told.accepted);
  }

  /** Submits no more, waits for answers that are on their way, and leaves. */
  async stop(withinMs: number): Promise<void> {
    clearInterval(this.#timer);
    const untilMs = performance.now() + withinMs;
    while (performance.now() < untilMs && this.#sessions.some(({ waiting }) => waiting)) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    this.#stopped = true;
    for (const session of this.#sessions) session.close();
    await Promise.all(this.#runs);
  }

  #tick(): void {
    this.#owed = Math.min(this.#owed + this.#options.rate * TICK_MS / 1000, this.#options.rate);
    const { length } = this.#sessions;
    for (let tried = 0; tried < length && this.#owed >= 1; tried++) {
      const session = this.#sessions[this.#next++ % length]!;
      if (session.waiting || session.job === "") continue;
      session.submit(++this.#serial);
      this.#owed--;
    }
  }

  async #keep(session: Session, index: number): Promise<void> {
    for (let attempt = index; !this.#stopped; attempt++) {
      const { doors } = this.#options;
      try {
        await session.run(doors[attempt % doors.length]!, () => this.told.connections++, {
          accepted: () => this.#onAccepted(session.login),
          refused: (words) => {
            this.told.refused.set(words, (this.told.refused.get(words) ?? 0) + 1);
          },
        });
      } catch { /* the door is shut */ }
      if (session.waiting) add(this.told.unanswered, session.login);
      session.reset();
      if (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #onAccepted(login: string): void {
    add(this.told.accepted, login);
    const nowMs = performance.now();
    this.told.longestGapMs = Math.max(this.told.longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}

/** What an answer was. */
interface Answers {
  accepted(): void;
  refused(words: string): void;
}

class Session {
  job = "";
  waiting = false;
  #extranonce = "";
  #conn: Deno.Conn | undefined;

  constructor(readonly login: string) {}

  reset(): void {
    this.job = "";
    this.waiting = false;
    this.#conn = undefined;
  }

  close(): void {
    try {
      this.#conn?.close();
    } catch { /* it is closed */ }
  }

  async run(door: Door, onConnected: () => void, answers: Answers): Promise<void> {
    const to = { hostname: "127.0.0.1", port: door.port };
    const conn = door.certificates === undefined
      ? await Deno.connect(to)
      : await Deno.connectTls({ ...to, hostname: "localhost", caCerts: door.certificates() });
    this.#conn = conn;
    try {
      onConnected();
      this.#send("mining.subscribe", 1, ["soak/1", "EthereumStratum/1.0.0"]);
      this.#send("mining.authorize", 2, [`${this.login}.rig`, "x"]);
      const decoder = new TextDecoder();
      const buffer = new Uint8Array(4_096);
      let rest = "";
      for (let got = await conn.read(buffer); got !== null; got = await conn.read(buffer)) {
        const lines = (rest + decoder.decode(buffer.subarray(0, got))).split("\n");
        rest = lines.pop()!;
        for (const line of lines) this.#hear(JSON.parse(line), answers);
      }
    } finally {
      this.close();
    }
  }

  submit(serial: number): void {
    this.waiting = true;
    const digits = serial.toString(16).padStart(16 - this.#extranonce.length, "0");
    this.#send("mining.submit", 4, ["x", this.job, digits]);
  }

  #send(method: string, id: number, params: string[]): void {
    const line = encoder.encode(JSON.stringify({ id, method, params }) + "\n");
    this.#conn?.write(line).catch(() => this.close());
  }

  #hear(message: Record<string, unknown>, answers: Answers): void {
    if (message.method === "mining.notify") this.job = (message.params as string[])[0]!;
    else if (message.method === "mining.set_extranonce") {
      this.#extranonce = (message.params as string[])[0]!;
    } else if (message.id === 1) this.#extranonce = (message.result as string[])[1]!;
    else if (message.id === 4) {
      this.waiting = false;
      if (message.result === true) answers.accepted();
      else answers.refused(wordsOf(message.error));
    }
  }
}

function wordsOf(error: unknown): string {
  return Array.isArray(error) ? String(error[1]) : JSON.stringify(error);
}

function loginOf(number: number): string {
  return "0x" + (number + 1).toString(16).padStart(40, "0");
}

function add(counts: Counts, login: string): void {
  counts.set(login, (counts.get(login) ?? 0n) + 1n);
}

/** All of them together. */
export function sum(counts: Counts): bigint {
  return [...counts.values()].reduce((all, one) => all + one, 0n);
}
