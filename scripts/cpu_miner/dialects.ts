/** The dialects that the CPU miner speaks: how to log in, what a line means, how to submit. */
import { hexToBytes, isHash, TWO_256 } from "../../modules/base/mod.ts";
import { type Message, readError, readWork, type Submission, type Work } from "./source.ts";

/** Names for `--dialect`. */
export const DIALECT_NAMES = ["eth-proxy", "miner-proxy", "stratum1", "stratum2"] as const;

/** A dialect's name. */
export type DialectName = typeof DIALECT_NAMES[number];

/** Sends a call and gives the answer. */
export type Caller = (method: string, params?: unknown) => Promise<Message>;

/** A dialect within one connection. */
export interface MinerDialect {
  /** Logs in; gives work when the pool answers with some. */
  logIn(call: Caller, login: string, worker: string, password: string): Promise<Work | undefined>;
  /** Takes a line that is no answer; gives new work when it brings some. */
  hear(message: Message): Work | undefined;
  /** The call that submits a share. */
  submission(share: Submission): [method: string, params: unknown];
}

/** Opens a dialect for one connection. */
export function openDialect(name: DialectName): MinerDialect {
  switch (name) {
    case "eth-proxy":
      return new EthProxy();
    case "miner-proxy":
      return new MinerProxy();
    case "stratum1":
      return new Stratum1();
    case "stratum2":
      return new Stratum2();
  }
}

class EthProxy implements MinerDialect {
  async logIn(call: Caller, login: string, _worker: string, password: string) {
    accepted(await call("eth_submitLogin", [login, password]));
    const { result } = await call("eth_getWork", []);
    // A pool may have nothing yet, and pushes later.
    return result ? readWork(result) : undefined;
  }

  hear({ id, result }: Message): Work | undefined {
    return id === 0 && Array.isArray(result) ? readWork(result) : undefined;
  }

  submission({ nonce, header, mix }: Submission): [string, unknown] {
    return ["eth_submitWork", [nonce, header, mix]];
  }
}

class MinerProxy implements MinerDialect {
  #user = "";

  async logIn(call: Caller, login: string, worker: string, password: string) {
    this.#user = `${login}.${worker}`;
    await call("mining.subscribe", []);
    accepted(await call("mining.authorize", [this.#user, password]));
    return undefined;
  }

  hear({ method, params }: Message): Work | undefined {
    if (method !== "mining.notify" || !Array.isArray(params)) return undefined;
    const [jobId, ...work] = params;
    return { ...readWork(work.slice(0, 3)), jobId: String(jobId) };
  }

  submission({ nonce, header, mix, jobId }: Submission): [string, unknown] {
    return ["mining.submit", [this.#user, jobId, nonce, header, mix]];
  }
}

/** EthereumStratum/1.0.0. */
class Stratum1 implements MinerDialect {
  #user = "";
  #extranonce = "";
  #target = 0n;

  async logIn(call: Caller, login: string, worker: string, password: string) {
    this.#user = `${login}.${worker}`;
    const answer = await call("mining.subscribe", ["quarry-cpu/1", "EthereumStratum/1.0.0"]);
    this.#extranonce = Array.isArray(answer.result) ? String(answer.result[1]) : "";
    await call("mining.extranonce.subscribe", []);
    accepted(await call("mining.authorize", [this.#user, password]));
    return undefined;
  }

  hear({ method, params }: Message): Work | undefined {
    if (!Array.isArray(params)) return undefined;
    if (method === "mining.set_extranonce") this.#extranonce = String(params[0]);
    if (method === "mining.set_difficulty") this.#target = targetOfUnits(Number(params[0]));
    if (method !== "mining.notify") return undefined;
    const [jobId, seed, header] = params.map(String);
    const work = readWork([`0x${header}`, `0x${seed}`, `0x${this.#target.toString(16)}`]);
    return { ...work, jobId: jobId!, extranonce: this.#extranonce };
  }

  submission({ nonce, jobId, extranonce }: Submission): [string, unknown] {
    return ["mining.submit", [this.#user, jobId, nonce.slice(2 + (extranonce?.length ?? 0))]];
  }
}

/** EthereumStratum/2.0.0. */
class Stratum2 implements MinerDialect {
  #token: unknown;
  #extranonce = "";
  #target = 0n;

  async logIn(call: Caller, login: string, worker: string, password: string) {
    const hello = { agent: "quarry-cpu/1", host: "", port: "0", proto: "EthereumStratum/2.0.0" };
    await call("mining.hello", hello);
    await call("mining.subscribe");
    const answer = await call("mining.authorize", [`${login}.${worker}`, password]);
    if (answer.error) accepted(answer);
    this.#token = answer.result;
    return undefined;
  }

  hear({ method, params }: Message): Work | undefined {
    if (method === "mining.set") {
      const { target, extranonce } = params as Record<string, string>;
      if (target !== undefined) this.#target = BigInt("0x" + target);
      if (extranonce !== undefined) this.#extranonce = extranonce;
    }
    if (method !== "mining.notify" || !Array.isArray(params)) return undefined;
    const [jobId, height, bare] = params.map(String);
    const header = "0x" + bare;
    if (!isHash(header)) throw new TypeError(`Cannot read work: header is "${header}"`);
    return {
      ...{ header, headerHash: hexToBytes(header), target: this.#target, jobId: jobId! },
      ...{ height: Number("0x" + height), extranonce: this.#extranonce },
    };
  }

  submission({ nonce, jobId, extranonce }: Submission): [string, unknown] {
    const rest = nonce.slice(2 + (extranonce?.length ?? 0));
    return ["mining.submit", [jobId, rest, this.#token]];
  }
}

function accepted(answer: Message): void {
  if (answer.result === true) return;
  throw new Error(`Login was refused: ${readError(answer.error) ?? "no reason given"}`);
}

/** The target of a NiceHash difficulty: 0x00000000ffff0000... at 1. */
function targetOfUnits(units: number): bigint {
  const scaled = BigInt(Math.max(1, Math.round(units * 2 ** 48)));
  const target = ((0xffffn << 208n) << 48n) / scaled;
  return target < TWO_256 ? target : TWO_256 - 1n;
}
