/** The rows of `redis`, and of secrets in general. */
import { z } from "zod";
import { count, filePath, pause } from "./rows.ts";
import { redisEndpoint } from "./scalars.ts";

/** A secret as text, or where it is. */
export const secret = (text: string) =>
  z.union([
    z.string(),
    z.object({
      file: z.string().min(1).optional().describe("file whose first line it is"),
      env: z.string().min(1).optional().describe("environment variable that holds it"),
      credential: z.string().regex(/^(?!\.\.?$)[\w.-]{1,255}$/, "is no name of a credential")
        .optional().describe("systemd credential whose first line it is"),
    }),
  ]).describe(
    `${text}; text, or {"file": "..."}, or {"env": "NAME"}, or {"credential": "NAME"}`,
  );

/** The section `redis`. */
export const redis = z.object({
  endpoint: redisEndpoint.prefault("127.0.0.1:6379").describe("host:port or a unix socket's path"),
  poolSize: count(
    10,
    "connections of the stratum workers; each uses one, or two when there are enough",
    1,
    1_000,
  ),
  database: count(0, "number of the database", 0, 1_000_000),
  waitReplicas: count(
    0,
    "replicas that must have shares before they are answered, and payments before they go out",
    0,
    100,
  ),
  username: z.string().default("").describe("ACL user; empty: the default user"),
  password: secret("password").default(""),
  tls: z.object({
    ca: filePath(
      "file of the certificates (PEM) that the server's must descend from; " +
        "default those of the system",
    ),
    cert: filePath("file of the pool's own certificate (PEM), where the server asks for one"),
    key: filePath("file of its key (PEM)"),
    serverName: z.string().min(1).max(253).optional()
      .describe("name in the server's certificate; default the host that is connected to"),
  }).optional().describe("TLS to Redis and to the Sentinels; {} for a certificate of a known CA"),
  sentinels: z.array(redisEndpoint).min(1).max(64).optional()
    .describe("host:port of every Sentinel: the master is the one that they name, not endpoint"),
  sentinelMaster: z.string().min(1).max(255).default("mymaster")
    .describe("name of the master at the Sentinels"),
  sentinelUsername: z.string().default("").describe("ACL user at the Sentinels"),
  sentinelPassword: secret("password at the Sentinels").default(""),
  cluster: z.array(redisEndpoint).min(1).max(1_000).optional()
    .describe(
      "host:port of the nodes of a Redis Cluster, instead of endpoint; coin is in braces then",
    ),
  replica: redisEndpoint.optional()
    .describe("host:port or socket of a replica that the API reads from; it writes to the master"),
  replicaMaxLag: pause("10s", "how far the replica may be behind before the master is read"),
});
