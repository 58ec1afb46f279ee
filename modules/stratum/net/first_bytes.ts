/** What a connection speaks, by its first bytes, and what to tell one that knocked at the wrong door. */

/** What the first bytes begin; "more" while they may still become several of these. */
export type Speech = "more" | "tls" | "http" | "proxy" | "stratum";

/** The first byte of a TLS connection: a handshake record (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 0x16;
const encoder = new TextEncoder();
const STARTS: { speech: Speech; start: Uint8Array }[] = [
  { speech: "http", start: encoder.encode("POST ") },
  { speech: "http", start: encoder.encode("GET ") },
  { speech: "proxy", start: encoder.encode("PROXY ") },
  { speech: "proxy", start: encoder.encode("\r\n\r\n\0\r\nQUIT\n") },
];

/** Tells what a connection speaks; all that is nothing else is stratum, also what is no JSON. */
export function tellApart(bytes: Uint8Array): Speech {
  if (bytes.length === 0) return "more";
  if (bytes[0] === TLS_HANDSHAKE) return "tls";
  for (const { speech, start } of STARTS) {
    const length = Math.min(bytes.length, start.length);
    let same = 0;
    while (same < length && bytes[same] === start[same]) same++;
    if (same === start.length) return speech;
    if (same === bytes.length) return "more";
  }
  return "stratum";
}

/** The answer to an HTTP request on a port that speaks stratum alone. */
export function httpAnswer(getworkPort: number | undefined): Uint8Array {
  const body = "This port speaks stratum (lines of JSON over TCP), not HTTP. " +
    (getworkPort === undefined
      ? "This pool does not offer HTTP getwork: connect with stratum+tcp.\n"
      : `HTTP getwork is on port ${getworkPort}: http://POOL:${getworkPort}/0xADDRESS/worker\n`);
  return encoder.encode(
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** The answer to a plain connection on a port for TLS alone, as every dialect understands it. */
export const PLAIN_ANSWER: Uint8Array = encoder.encode(
  `{"id":null,"jsonrpc":"2.0","result":null,"error":{"code":-1,` +
    `"message":"This port takes TLS only: connect with stratum+ssl"}}\n`,
);

/** The answer to TLS on a port without a certificate: alert, fatal, handshake_failure (RFC 8446, 6). */
export const TLS_ANSWER: Uint8Array = Uint8Array.of(0x15, 3, 3, 0, 2, 2, 40);
