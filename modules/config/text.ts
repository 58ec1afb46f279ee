/**
 * JSON with comments and trailing commas, as the old pool's manual writes it, to plain values.
 *
 * A parser of its own, because JSON.parse does not say where most mistakes are.
 */

/** Text that is no JSON even with comments; the message carries line and column. */
export class JsonSyntaxError extends SyntaxError {
  override readonly name = "JsonSyntaxError";
}

interface Cursor {
  readonly text: string;
  at: number;
}

const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORD = /[^\s,:[\]{}"/]+/y;
const DEPTH_MAX = 100;

/**
 * Parses JSON in which // and block comments and trailing commas may stand.
 *
 * A key that is given twice in one object is refused, as are control characters in strings.
 *
 * @throws {JsonSyntaxError} with line and column
 */
export function parseJsonWithComments(text: string): unknown {
  const cursor: Cursor = { text: text.replace(/^\uFEFF/, " "), at: 0 };
  const value = readValue(cursor, 0);
  if (peek(cursor) !== "") fail(cursor, "Unexpected text after the end");
  return value;
}

function fail(cursor: Cursor, reason: string, at = cursor.at): never {
  const before = cursor.text.slice(0, at).split("\n");
  const place = `line ${before.length} column ${before.at(-1)!.length + 1}`;
  throw new JsonSyntaxError(`${reason} at ${place}`);
}

/** The next character after blanks and comments; empty at the end. */
function peek(cursor: Cursor): string {
  const { text } = cursor;
  while (cursor.at < text.length) {
    const two = text.slice(cursor.at, cursor.at + 2);
    if (/^[ \t\r\n]/.test(two)) {
      cursor.at++;
    } else if (two === "//") {
      const end = text.indexOf("\n", cursor.at);
      cursor.at = end === -1 ? text.length : end;
    } else if (two === "/*") {
      const end = text.indexOf("*/", cursor.at + 2);
      if (end === -1) fail(cursor, "Comment without end");
      cursor.at = end + 2;
    } else {
      return text[cursor.at]!;
    }
  }
  return "";
}

function readValue(cursor: Cursor, depth: number): unknown {
  const char = peek(cursor);
  if (depth > DEPTH_MAX) fail(cursor, "Nested too deeply");
  if (char === "{") return readObject(cursor, depth);
  if (char === "[") return readArray(cursor, depth);
  if (char === '"') return readString(cursor);
  if (/[-\d]/.test(char)) return readNumber(cursor);
  WORD.lastIndex = cursor.at;
  const word = WORD.exec(cursor.text)?.[0] ?? char;
  const known: Record<string, unknown> = { true: true, false: false, null: null };
  if (!Object.hasOwn(known, word)) {
    fail(cursor, word === "" ? "Unexpected end" : `Expected a value, got "${word}"`);
  }
  cursor.at += word.length;
  return known[word];
}

function readObject(cursor: Cursor, depth: number): Record<string, unknown> {
  const entries = new Map<string, unknown>();
  cursor.at++;
  while (peek(cursor) !== "}") {
    if (peek(cursor) !== '"') fail(cursor, "Expected a key in quotes or }");
    const start = cursor.at;
    const key = readString(cursor);
    if (entries.has(key)) fail(cursor, `Key "${key}" is given twice`, start);
    if (peek(cursor) !== ":") fail(cursor, `Expected : after "${key}"`);
    cursor.at++;
    entries.set(key, readValue(cursor, depth + 1));
    if (peek(cursor) === ",") cursor.at++;
    else if (peek(cursor) !== "}") fail(cursor, "Expected , or }");
  }
  cursor.at++;
  return Object.fromEntries(entries);
}

function readArray(cursor: Cursor, depth: number): unknown[] {
  const items: unknown[] = [];
  cursor.at++;
  while (peek(cursor) !== "]") {
    items.push(readValue(cursor, depth + 1));
    if (peek(cursor) === ",") cursor.at++;
    else if (peek(cursor) !== "]") fail(cursor, "Expected , or ]");
  }
  cursor.at++;
  return items;
}

function readString(cursor: Cursor): string {
  const start = cursor.at;
  for (let i = start + 1; i < cursor.text.length; i++) {
    const char = cursor.text[i]!;
    if (char === "\\") {
      i++;
    } else if (char === '"') {
      cursor.at = i + 1;
      try {
        return JSON.parse(cursor.text.slice(start, i + 1));
      } catch {
        fail(cursor, "Text with a bad escape or control character", start);
      }
    } else if (char === "\n") {
      break;
    }
  }
  fail(cursor, "Text without a closing quote", start);
}

function readNumber(cursor: Cursor): number {
  NUMBER.lastIndex = cursor.at;
  const text = NUMBER.exec(cursor.text)?.[0];
  if (text === undefined || /[\w.]/.test(cursor.text[cursor.at + text.length] ?? "")) {
    fail(cursor, "Number that is not understood");
  }
  cursor.at += text.length;
  return Number(text);
}
