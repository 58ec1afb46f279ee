/** Who mines in a session: one login or several, and which of them a request is from. */
import { type Login, readLogin } from "./login.ts";
import type { Miner, MiningService } from "./service.ts";

/** Logins of one session at most; the first to come is the first to be forgotten. */
const LOGINS_MAX = 256;

/** A login with the worker that counts for it. */
export type User = Login & { worker: string };

/** The users of one session. */
export class Users {
  readonly #service: MiningService;
  readonly #ip: string;
  /** Whether submissions name a worker by what its login was answered with. */
  readonly #byToken: boolean;
  /** By what submissions may name: the login's text, or the token. */
  readonly #byName = new Map<string, User>();
  #entered = 0;
  #first: User | undefined;

  constructor(service: MiningService, ip: string, byToken: boolean) {
    this.#service = service;
    this.#ip = ip;
    this.#byToken = byToken;
  }

  /** Who mines where a request names nobody; undefined before the first login. */
  get first(): User | undefined {
    return this.#first;
  }

  /** Takes a login; gives the name that submissions may use. */
  enter(text: unknown, user: User): string {
    const name = this.#byToken ? `w-${++this.#entered}` : String(text);
    if (this.#byName.size >= LOGINS_MAX) this.#byName.delete(this.#byName.keys().next().value!);
    this.#byName.set(name, user);
    // A later login takes over, except where requests say whose they are.
    if (this.#first === undefined || !this.#byToken) this.#first = user;
    return name;
  }

  /** Who a request is from; undefined when it names a worker that never logged in. */
  minerOf(name: unknown): Miner | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const user = typeof name === "string" ? this.#byName.get(name) : undefined;
    if (user !== undefined) return { login: user.login, worker: user.worker, ip: this.#ip };
    if (this.#byToken) return undefined;
    // A text of the same login in another spelling, or the bare name of a rig.
    const spelt = readLogin(name);
    const rig = spelt === undefined ? name : spelt.login === first.login ? spelt.worker : undefined;
    const worker = this.#service.workerOf(first.login, rig, first.worker);
    return { login: first.login, worker, ip: this.#ip };
  }
}
