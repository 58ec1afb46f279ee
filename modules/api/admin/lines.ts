/** One line of JSON over a connection, bounded in length. */
import { PoolError } from "../../base/mod.ts";
import { LINE_BYTES_MAX } from "./protocol.ts";

/** Reads up to the first end of line. @throws {PoolError} when there is none, or too much before */
export async function readLine(
  conn: Pick<Deno.Conn, "read">,
  bytesMax = LINE_BYTES_MAX,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  let size = 0, text = "";
  while (true) {
    const read = await conn.read(buffer);
    if (read === null) throw new PoolError("The other side ended without a word");
    const chunk = buffer.slice(0, read);
    const end = chunk.indexOf(10);
    chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
    size += read;
    if (size > bytesMax) throw new PoolError(`More than ${bytesMax} bytes in one line`);
    if (end < 0) continue;
    for (const one of chunks) text += decoder.decode(one, { stream: true });
    return text + decoder.decode();
  }
}

/** Writes a value as one line; bigint becomes text. */
export async function writeLine(conn: Pick<Deno.Conn, "write">, value: unknown): Promise<void> {
  const text = JSON.stringify(value, (_, one) => typeof one === "bigint" ? String(one) : one);
  const bytes = new TextEncoder().encode(text + "\n");
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}
