/** A process of the simulation: every call that it makes to the outside is a step at which it may die. */
import { PoolError } from "../../modules/base/mod.ts";
import { NodeError } from "../../modules/chain/mod.ts";
import { StoreError } from "../../modules/ledger/mod.ts";

/** The process is dead: nothing that it began goes on. */
export class Death extends Error {
  override readonly name = "Death";
}

/**
 * What happens at a call. `lost`: it took effect, the reply did not come; `unsent`: no reply and no
 * effect; `away`: refused before it was sent; `stall`: the world goes on before the call does.
 */
export type Trouble = "die before" | "die after" | "lost" | "unsent" | "away" | "stall";

/** What a process talks to. */
export type Outside = "store" | "node" | "file" | "signer";

/** What a gate tells the world. */
export interface GateHooks {
  trace(line: string): void;
  /** Lets the world go on while this process stands still. */
  meanwhile(): Promise<void>;
}

/** Calls that change something outside. */
const EFFECTS = new Set(["script", "append", "add", "done", "sendRawTransaction"]);
/** Calls that only look into memory, and those that end something. */
const QUIET = new Set(["entries", "close"]);

/** The gate through which one process reaches everything else. */
export class Gate {
  dead = false;
  /** It is in the middle of something; what happens meanwhile is done by others. */
  busy = false;
  #calls = 0;
  #plan: { at: number; trouble: Trouble; effects: boolean } | undefined;

  constructor(readonly name: string, readonly hooks: GateHooks) {}

  /** Trouble at the n-th call from now on, or at the n-th of those that change something. */
  plan(at: number, trouble: Trouble, effects: boolean): void {
    this.#calls = 0;
    this.#plan = { at, trouble, effects };
  }

  /** No more trouble is planned. */
  calm(): void {
    this.#plan = undefined;
  }

  /** The process dies. */
  kill(): void {
    this.dead = true;
  }

  /** Puts the gate before all asynchronous methods of a collaborator. */
  wrap<T extends object>(part: T, outside: Outside): T {
    return new Proxy(part, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target);
        if (typeof value !== "function" || QUIET.has(String(name))) return value;
        if (outside === "file" && name === "open") return value.bind(target);
        return (...args: unknown[]) =>
          this.#pass(outside, String(name), () => value.apply(target, args));
      },
    });
  }

  async #pass(outside: Outside, name: string, call: () => unknown): Promise<unknown> {
    if (this.dead) throw new Death(this.name);
    const plan = this.#plan;
    const counts = plan !== undefined && (!plan.effects || EFFECTS.has(name));
    const trouble = counts && ++this.#calls === plan.at ? plan.trouble : undefined;
    if (trouble === undefined) return await call();
    this.#plan = undefined;
    this.hooks.trace(`${this.name}: ${trouble} at ${outside} ${name}`);
    if (trouble === "die before") this.#die();
    if (trouble === "away" || trouble === "unsent") throw failure(outside, name, trouble);
    if (trouble === "stall") await this.hooks.meanwhile();
    const result = await call();
    if (trouble === "die after") this.#die();
    if (trouble === "lost" && outside !== "signer" && outside !== "file") {
      throw failure(outside, name, "lost");
    }
    return result;
  }

  #die(): never {
    this.dead = true;
    throw new Death(this.name);
  }
}

function failure(outside: Outside, name: string, trouble: Trouble): Error {
  if (outside === "store") {
    const fate = trouble === "away" ? "away" : "unknown";
    return new StoreError(`Redis gave no answer to ${name}`, fate);
  }
  if (outside === "node") {
    return new NodeError({ node: "simulated", method: name }, "unreachable", "no reply");
  }
  return new PoolError(`Cannot use ${outside}: ${name}`);
}
