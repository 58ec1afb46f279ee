/** What is said over the operator's socket: one request line, one answer line, both JSON. */
import { z } from "zod";

/** Rows of a list at most. */
export const ROWS_MAX = 10_000;
/** Longest line (bytes). */
export const LINE_BYTES_MAX = 65_536;

const rows = z.int().min(1).max(ROWS_MAX);
const reason = z.string().max(200).default("");
const login = z.string().regex(/^0x[0-9a-f]{40}$/i, "write 0x and 40 hex digits")
  .transform((text) => text.toLowerCase());
const ip = z.union([z.ipv4(), z.ipv6()], "write an IPv4 or IPv6 address");
const session = z.string().regex(/^\d{1,4}-\d{1,15}$/, "write an id as `sessions` shows it (0-17)");

/** Every request, by its command. */
export const requestSchema = z.discriminatedUnion("command", [
  z.object({ command: z.literal("status") }),
  z.object({
    command: z.literal("sessions"),
    login: login.optional(),
    ip: ip.optional(),
    limit: rows.default(1_000),
  }),
  z.object({ command: z.literal("bans") }),
  z.object({
    command: z.literal("ban"),
    address: ip,
    minutes: z.number().positive().max(5_256_000).optional(),
    reason,
  }),
  z.object({ command: z.literal("unban"), address: ip }),
  z.object({
    command: z.literal("drop"),
    session: session.optional(),
    login: login.optional(),
    ip: ip.optional(),
  }),
  z.object({ command: z.literal("jobs"), limit: rows.default(20) }),
  z.object({ command: z.literal("round"), limit: rows.default(20) }),
  z.object({ command: z.literal("payouts pause"), reason }),
  z.object({ command: z.literal("payouts resume") }),
  z.object({ command: z.literal("unlock now") }),
  z.object({ command: z.literal("pay now") }),
  z.object({ command: z.literal("drain") }),
  z.object({ command: z.literal("stop") }),
  z.object({ command: z.literal("reload") }),
  z.object({
    command: z.literal("log level"),
    level: z.enum(["debug", "info", "warn", "error"]),
  }),
  z.object({ command: z.literal("log"), limit: rows.default(20) }),
]);

/** A request that was checked. */
export type AdminRequest = z.output<typeof requestSchema>;
/** A command's name. */
export type AdminCommand = AdminRequest["command"];

/** One line to the pool: the request, and who asks. */
export interface AdminLine {
  /** The operator's name, as the command line knows it. */
  user: string;
  request: unknown;
}

/** One line back. */
export type AdminAnswer = { ok: true; data: unknown } | { ok: false; error: string };
