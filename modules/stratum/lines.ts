/** Bytes to lines, with a maximum: what a peer sends is never kept without bound. */

/** A line that is longer than allowed; the connection is to be closed. */
export class LineTooLongError extends Error {
  override readonly name = "LineTooLongError";
}

/** Cuts a byte stream into lines ended by LF, CRLF tolerated; one per connection. */
export class LineReader {
  readonly #decoder = new TextDecoder();
  readonly #maxBytes: number;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param maxBytes longest line without its end */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes a chunk and gives the lines that are complete; blank ones are left out.
   *
   * @throws {LineTooLongError} when a line, finished or not, exceeds the maximum.
   */
  push(chunk: Uint8Array): string[] {
    const bytes = this.#rest.length === 0 ? chunk : concat(this.#rest, chunk);
    const lines: string[] = [];
    let start = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      if (end - start > this.#maxBytes) throw new LineTooLongError();
      const line = this.#decoder.decode(bytes.subarray(start, end)).trim();
      if (line !== "") lines.push(line);
      start = end + 1;
    }
    if (bytes.length - start > this.#maxBytes) throw new LineTooLongError();
    this.#rest = bytes.slice(start);
    return lines;
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
