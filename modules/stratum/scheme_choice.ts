/** Which scheme a session mines by: its first login's, for good, bound to its extranonce. */
import type { Logger } from "../base/mod.ts";
import type { Scheme } from "../intake/mod.ts";
import type { RpcError } from "./dialect.ts";
import { type MiningService, needsExtranonce, rejectionError, WORK_NOT_READY } from "./service.ts";

/** A scheme that is not the pool's, and the first height of a session's extranonce with it. */
export interface BoundScheme {
  scheme: Scheme;
  fromHeight: number;
}

/** The choice of one session. */
export class SchemeChoice {
  #scheme: Scheme | undefined;
  #bound: Promise<number> | undefined;

  /** @param ofPort the scheme of who asks for nothing else */
  constructor(readonly service: MiningService, readonly ofPort: Scheme, readonly log: Logger) {}

  /** Undefined before the first login that fits. */
  get scheme(): Scheme | undefined {
    return this.#scheme;
  }

  /** Takes the scheme of the session that is resumed. */
  resume(scheme: Scheme): void {
    this.#scheme = scheme;
  }

  /** Settles the scheme, or says why this login does not fit it. */
  agree(asksSolo: boolean, hasExtranonce: boolean): RpcError | undefined {
    const { bindings, soloByLogin, jobs } = this.service.deps;
    const scheme = asksSolo ? "solo" : this.ofPort;
    const refuse = (message: string): RpcError => ({ code: -1, message, kind: "unauthorized" });
    if (scheme !== this.ofPort && !soloByLogin) {
      return refuse("Solo mining is not offered here: log in without solo");
    }
    if (scheme !== bindings.scheme && !hasExtranonce) {
      return refuse(needsExtranonce(asksSolo, scheme));
    }
    if (this.#scheme !== undefined && this.#scheme !== scheme) {
      return refuse(`This connection mines ${this.#scheme}: open another one for ${scheme}`);
    }
    if (scheme !== bindings.scheme && this.#scheme === undefined && bindings.isFull) {
      return refuse(`Too many ${scheme} sessions at a time: try again in a few minutes`);
    }
    // Without a height nobody can say from when on.
    if (scheme !== bindings.scheme && jobs.highest === 0) return WORK_NOT_READY;
    this.#scheme = scheme;
  }

  /** Binds the extranonce, once; undefined when the pool's own scheme holds. */
  bind(extranonce: string): Promise<BoundScheme | RpcError> | undefined {
    const { bindings, jobs } = this.service.deps;
    const scheme = this.#scheme;
    if (scheme === undefined || scheme === bindings.scheme) return undefined;
    this.#bound ??= bindings.bind(extranonce, scheme, jobs.highest);
    return this.#bound.then((fromHeight) => ({ scheme, fromHeight }), (error) => {
      this.log.warn("extranonce.notBound", { error });
      this.#bound = undefined;
      return rejectionError("away");
    });
  }

  /** Binds another extranonce in place of the one before. */
  rebind(extranonce: string): Promise<BoundScheme | RpcError> | undefined {
    this.#bound = undefined;
    return this.bind(extranonce);
  }
}
