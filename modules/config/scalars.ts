/** The small values of a configuration: durations, addresses, ports, wei, percent, paths. */
import ipaddr from "ipaddr.js";
import { z } from "zod";
import { isAddress, parseDecimal } from "../base/mod.ts";

/** A parsed "host:port". */
export interface ListenAddress {
  /** Host name or IP address; an IPv6 address without brackets. */
  hostname: string;
  /** TCP port; 0 lets the system choose. */
  port: number;
}

/** `poolFeeMillionths` of the whole: 100 percent in millionths of a percent. */
export const WHOLE_IN_MILLIONTHS = 100_000_000n;

const NANOSECONDS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  "µs": 1_000n,
  "μs": 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** A Go duration ("120ms", "1h30m") as milliseconds, or null when it is none. */
export function durationMs(text: string): number | null {
  if (!/^(\d+(\.\d{1,9})?(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return null;
  let total = 0n;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += parseDecimal(number!, 9) * NANOSECONDS[unit!]! / 1_000_000_000n;
  }
  const ms = Number(total) / 1e6;
  return Number.isSafeInteger(Number(total / 1_000_000n)) ? ms : null;
}

/** Refuses a value with a mend of its own. */
function refuse(context: z.RefinementCtx, message: string, mend: string): never {
  context.addIssue({ code: "custom", message, params: { mend } });
  return z.NEVER;
}

/** A duration in Go's notation → milliseconds, at least one. */
export const duration = z.string().transform((text, context) => {
  const ms = durationMs(text);
  const mend = 'write a duration such as "120ms", "10s" or "1h30m"';
  if (ms === null) return refuse(context, `expected a duration, current value is "${text}"`, mend);
  if (ms < 1) return refuse(context, `is shorter than 1ms, current value is "${text}"`, mend);
  if (ms > 2_147_483_647) {
    return refuse(context, `is longer than 24 days, current value is "${text}"`, mend);
  }
  return ms;
});

/** A span of time: Go's notation, or a number of seconds → milliseconds, at least one. */
export const span = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = typeof value === "number" ? value * 1000 : durationMs(value);
  if (ms !== null && ms >= 1 && ms <= 2_147_483_647) return ms;
  return refuse(
    context,
    `expected a duration from 1ms to 24 days, current value is ${JSON.stringify(value)}`,
    'write a duration such as "15s", or a number of seconds',
  );
});

/** "host:port" → {@linkcode ListenAddress}. */
export const listen = z.string().transform((text, context): ListenAddress => {
  const match = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text);
  const hostname = (match?.[1] ?? "").replace(/^\[|\]$/g, "");
  const mend = 'write host and port such as "0.0.0.0:8008" or "[::]:8008"';
  if (match === null) {
    return refuse(context, `expected host:port, current value is "${text}"`, mend);
  }
  if (Number(match[2]) > 65_535) {
    return refuse(context, `has a port above 65535, current value is "${text}"`, mend);
  }
  if (/^[\d.]+$/.test(hostname) && !ipaddr.IPv4.isValidFourPartDecimal(hostname)) {
    return refuse(context, `is no IPv4 address, current value is "${text}"`, mend);
  }
  // Go listens on every address when the host is left out (":8008").
  return { hostname: hostname === "" ? "0.0.0.0" : hostname, port: Number(match[2]) };
});

/** Where Redis is: "host:port" or the path of a unix socket. */
export const redisEndpoint = z.string().transform((text, context) => {
  if (text.startsWith("/")) return text;
  const path = text.replace(/^unix:(\/\/)?/, "");
  if (path !== text && path.startsWith("/")) return path;
  if (/^(\[[^\]]+\]|[^:\s]+):\d{1,5}$/.test(text)) return text;
  return refuse(
    context,
    `expected host:port or a socket path, current value is "${text}"`,
    'write "127.0.0.1:6379" or "/run/redis/redis.sock"',
  );
});

/** Wei or a count of gas as decimal or 0x text → bigint. */
export const quantityText = z.string().transform((text, context) => {
  if (/^(\d{1,30}|0x[0-9a-fA-F]{1,24})$/.test(text)) return BigInt(text);
  return refuse(
    context,
    `expected a whole number in quotes, current value is "${text}"`,
    'write decimal or hex text such as "50000000000" or "0xba43b7400"',
  );
});

/** A percentage as a JSON number → millionths of a percent, exactly. */
export const percent = z.number().transform((value, context) => {
  // The shortest text of a double gives back every decimal of up to 15 digits as it was written.
  const text = String(value);
  const mend = "write a percentage from 0 to 100 such as 1.0";
  if (value < 0 || value > 100) {
    return refuse(context, `must be from 0 to 100 percent, current value is ${text}`, mend);
  }
  if (!/^\d+(\.\d{1,6})?$/.test(text)) {
    return refuse(
      context,
      `has more than six decimals, current value is ${text}`,
      "round it to at most six decimals",
    );
  }
  return parseDecimal(text, 6);
});

/** An address, or empty → lower-case text. */
export const optionalAddress = z.string().transform((text, context) => {
  if (text === "" || isAddress(text)) return text.toLowerCase();
  return refuseAddress(context, text);
});

/** The paying address; "0x0" is the old example's way to say none → "". */
export const payingAddress = z.string().transform((text, context) => {
  if (text === "" || /^0x0*$/.test(text)) return "";
  return isAddress(text) ? text.toLowerCase() : refuseAddress(context, text);
});

/** An address → lower-case text. */
export const address = z.string().transform((text, context) =>
  isAddress(text) ? text.toLowerCase() : refuseAddress(context, text)
);

function refuseAddress(context: z.RefinementCtx, text: string): never {
  return refuse(
    context,
    `expected an address, current value is "${text}"`,
    "write 0x and 40 hex digits",
  );
}

/** An http or https URL of a node. */
export const nodeUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "") return text;
  return refuse(
    context,
    `expected an http URL, current value is "${text}"`,
    'write a URL such as "http://127.0.0.1:8545"',
  );
});

/** A ws or wss URL of a node. */
export const webSocketUrl = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^wss?:$/.test(url.protocol) && url.hostname !== "") return text;
  return refuse(
    context,
    `expected a ws URL, current value is "${text}"`,
    'write a URL such as "ws://127.0.0.1:8546"',
  );
});

/** An IP address or CIDR range → CIDR text. */
export const addressRange = z.string().transform((text, context) => {
  if (ipaddr.isValidCIDR(text)) return text;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return `${text}/32`;
  if (ipaddr.IPv6.isValid(text)) return `${text}/128`;
  return refuse(
    context,
    `expected an address or range, current value is "${text}"`,
    'write an IP address or CIDR such as "10.0.0.1" or "10.0.0.0/8"',
  );
});

/** A positive whole number of hashes, as a JSON number or as text → bigint. */
export const hashes = z.union([z.int().min(1), z.string().regex(/^[1-9]\d{0,70}$/)])
  .transform((value) => BigInt(value));

/** A multiple with up to three decimals, as a JSON number or as text → thousandths. */
export const multiple = z.union([z.number(), z.string()]).transform((value, context) => {
  const text = String(value);
  const milli = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? parseDecimal(text, 3) : 0n;
  if (milli > 0n) return milli;
  return refuse(
    context,
    `expected a multiple from 0.001 to 9999.999, current value is ${JSON.stringify(value)}`,
    'write a number with at most three decimals such as "2" or "0.5"',
  );
});

/** The name of an ipset set, or empty for none; with a 6 behind it still has to fit. */
export const firewallSet = z.string().transform((text, context) => {
  if (text === "" || /^\w[\w.:-]{0,29}$/.test(text)) return text;
  return refuse(
    context,
    `expected the name of a set, current value is "${text}"`,
    'write at most 30 letters, digits or ".", ":", "_", "-", or nothing',
  );
});

/** A set of nftables as "family table set"; the family decides which addresses it can hold. */
export interface NftablesSet {
  family: "ip" | "ip6" | "inet";
  table: string;
  set: string;
}

/** "family table set" → {@linkcode NftablesSet}. */
export const nftablesSet = z.string().transform((text, context): NftablesSet => {
  const match = /^(ip|ip6|inet) ([a-z][\w.]{0,63}) ([a-z][\w.]{0,63})$/i.exec(text);
  if (match !== null) {
    const [, family, table, set] = match as unknown as [
      string,
      NftablesSet["family"],
      string,
      string,
    ];
    return { family, table, set };
  }
  return refuse(
    context,
    `expected family, table and set, current value is "${text}"`,
    'write text such as "inet quarry banned"; the family is ip, ip6 or inet',
  );
});

/** A whole number of Shannon as a JSON number → bigint. */
export const shannon = z.int().min(0).transform((value) => BigInt(value));

/** Coins as decimal text ("2", "0.5") → wei. */
export const coins = z.string().transform((text, context) => {
  if (/^\d{1,12}(\.\d{1,18})?$/.test(text)) return parseDecimal(text, 18);
  return refuse(
    context,
    `expected coins as decimal text, current value is "${text}"`,
    'write text such as "2" or "0.5"',
  );
});

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  ...{ kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, kb: 1e3, mb: 1e6, gb: 1e9 },
};

/** A size: a whole number of bytes, or text with a unit ("6GiB", "512 MB"). */
export const bytes = z.union([z.int().min(1), z.string()]).transform((value, context) => {
  if (typeof value === "number") return value;
  const match = /^(\d{1,15})\s*([a-z]*)$/i.exec(value.trim());
  const unit = BYTE_UNITS[match?.[2]?.toLowerCase() ?? "?"];
  if (match === null || unit === undefined || Number(match[1]) < 1) {
    context.addIssue(`expected bytes, or a number with a unit such as "6GiB"`);
    return z.NEVER;
  }
  return Number(match[1]) * unit;
});
