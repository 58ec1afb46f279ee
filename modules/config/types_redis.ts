/** Where Redis is, as the rooms receive it. */

/** Where Redis is. */
export interface RedisConfig {
  /** "host:port" or the path of a unix socket. */
  readonly endpoint: string;
  /** Connections shared by the workers. */
  readonly poolSize: number;
  readonly database: number;
  /** Resolved; empty for none. */
  readonly password: string;
  /** Undefined for the default user. */
  readonly username?: string;
  /** Replicas that must have shares before they are answered, and payments before they go out. */
  readonly waitReplicas: number;
  /** Undefined: plain. The texts are PEM, read from the files named. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
  };
  /** Who names the master, instead of `endpoint`. */
  readonly sentinel?: {
    readonly nodes: readonly string[];
    readonly master: string;
    readonly username?: string;
    /** Resolved; empty for none. */
    readonly password: string;
  };
  /** Nodes of a Cluster, instead of `endpoint`; `key` is a key in the pool's slot. */
  readonly cluster?: { readonly nodes: readonly string[]; readonly key: string };
  /** What the API reads from, "host:port" or a socket's path. */
  readonly replica?: string;
  /** How far it may be behind (milliseconds). */
  readonly replicaMaxLagMs: number;
}
