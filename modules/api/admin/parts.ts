/** What of a running pool an operator can reach; each part is there only where it runs. */
import type { Difficulty, LogLevel } from "../../base/mod.ts";
import type { ConfigChange, Scheme } from "../../config/mod.ts";
import type { Ban } from "../../policy/mod.ts";

/** Sessions that are meant. */
export interface SessionChoice {
  id?: string;
  login?: string;
  ip?: string;
}

/** Mining in this process. */
export interface AdminMining {
  status(): {
    sessions: number;
    accepted: number;
    ready: boolean;
    reason: string;
    draining: boolean;
    job?: { height: number; headerHash: string; node: string; receivedAtMs: number };
    nodes: readonly { name: string; healthy: boolean; reason: string; height?: number }[];
  };
  drain(): void;
  readonly admin: {
    sessions(choice: SessionChoice, max: number): Promise<{ sessions: unknown[]; total: number }>;
    drop(choice: SessionChoice): Promise<number>;
    ban(address: string, forMs: number, reason: string): Promise<{
      address: string;
      dropped: number;
    }>;
    unban(address: string): boolean;
    bans(): Ban[];
    jobs(): Promise<unknown[]>;
  };
}

/** What a reading of the file came to. */
export interface ReloadReport {
  /** Taken over. */
  applied: ConfigChange[];
  /** Waits for a restart. */
  restart: ConfigChange[];
  /** Ports whose certificate could not be read again: the former one stays. */
  certificates: number[];
}

/** The pool. */
export interface AdminParts {
  /** Name of this instance. */
  instance: string;
  version: string;
  startedAtMs: number;
  /** How the service manager watches it; empty: none does. */
  service: { watchdogMs?: number };
  /** Names of the parts that run. */
  parts(): string[];
  scheme: Scheme;
  /** Length of a ban for which none is given (milliseconds). */
  banMs(): number;
  mining?: AdminMining;
  unlocker?: { runNow(): void };
  payer?: { runNow(): void; look(): void };
  /** Reads the file again. @throws {Error} that lists what is wrong with it; nothing has changed */
  reload(): Promise<ReloadReport>;
  setLogLevel(level: LogLevel): void;
  /** Ends this process as a signal does. */
  stop(): void;
}

/** One row of `round`. */
export interface RoundRow {
  login: string;
  difficulty: Difficulty;
}
