/**
 * Recorded conversations between a miner and the pool, to be replayed over a socket.
 *
 * A file has a line per step: `→` the miner says, `←` the pool answers, `!` something happens
 * (`! job`: a new header at the next height, `! refresh`: one at the same height, `! drain`: the
 * pool shuts down, `! closed`: it has closed the connection). `#` begins a comment. Upper-case words
 * stand for what differs from run to run: HEADER, SEED, TARGET and MIX are the current job's, each
 * with 0x, or without it as HEADER64, SEED64 and TARGET64; JOB, SESSION and EXTRANONCE are read from
 * the pool's line and used in the miner's lines after it. OLDJOB and OLDHEADER are those before.
 */
import assert from "node:assert/strict";

/** One step of a dialogue. */
export interface Step {
  kind: "→" | "←" | "!";
  text: string;
  /** Line in the file, for messages. */
  line: number;
}

/** Reads a dialogue of tests/dialogues. */
export async function readDialogue(name: string): Promise<Step[]> {
  const url = new URL(`../dialogues/${name}.txt`, import.meta.url);
  const lines = (await Deno.readTextFile(url)).split("\n");
  return lines.flatMap((line, i): Step[] => {
    if (line === "" || line.startsWith("#")) return [];
    const kind = line[0];
    assert.ok(kind === "→" || kind === "←" || kind === "!", `${name} line ${i + 1}: "${line}"`);
    return [{ kind, text: line.slice(2), line: i + 1 }];
  });
}

/** The names of all dialogues that begin so. */
export function dialogueNames(prefix: string): string[] {
  const folder = new URL("../dialogues/", import.meta.url);
  return [...Deno.readDirSync(folder)].map(({ name }) => name.replace(/\.txt$/, ""))
    .filter((name) => name.startsWith(prefix)).sort();
}

/** Words that are read from the pool's lines, with what they may be. */
const READ: Record<string, string> = {
  JOB: "[0-9a-f]{8}",
  SESSION: "[0-9a-f]{32}",
  EXTRANONCE: "[0-9a-f]{4,6}",
};

/** A word, in braces where letters or digits follow it. */
const WORD = /\{([A-Z]+)\}|\b[A-Z]+(?:64)?\b/g;

/** What the words of a dialogue stand for now. */
export class Words {
  readonly #values = new Map<string, string>();

  /** Sets a word; the job's are set by whoever makes jobs. */
  set(word: string, value: string): void {
    this.#values.set(word, value);
  }

  /** A word's value. */
  get(word: string): string | undefined {
    return this.#values.get(word);
  }

  /** The text with every word replaced. */
  fill(text: string): string {
    return text.replace(WORD, (found, word) => this.#values.get(word ?? found) ?? found);
  }

  /** Compares a line of the pool with a dialogue's and reads the words that are read. */
  match(text: string, line: string | null, place: string): void {
    const known = text.replace(WORD, (found, word) => {
      return found in READ ? found : this.#values.get(word ?? found) ?? found;
    });
    const pattern = known.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replace(/\b(JOB|SESSION|EXTRANONCE)\b/g, (word) => `(?<${word}>${READ[word]})`);
    const found = new RegExp(`^${pattern}$`).exec(line ?? "");
    // The comparison of the texts shows where they part.
    if (found === null) assert.equal(line, known, place);
    for (const [word, value] of Object.entries(found!.groups ?? {})) {
      if (word === "JOB") this.set("OLDJOB", this.get("JOB") ?? "");
      this.set(word, value);
    }
  }
}
