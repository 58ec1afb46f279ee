/**
 * A million seeded lines through the line reader and every dialect: nothing throws, nothing grows.
 * QUARRY_FUZZ_SEED repeats a run.
 */
import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { FakeClock, silentLogger } from "../base/mod.ts";
import { dialogueNames, readDialogue } from "../../tests/support/dialogue.ts";
import { scriptedDoor } from "../../tests/support/door.ts";
import { Conversation } from "./conversation.ts";
import { dialectOf } from "./detect.ts";
import type { Dialect } from "./dialect.ts";
import { ethProxy } from "./dialects/eth_proxy.ts";
import { ethereumStratum1 } from "./dialects/ethereum_stratum_1.ts";
import { ethereumStratum2 } from "./dialects/ethereum_stratum_2.ts";
import { minerProxy } from "./dialects/miner_proxy.ts";
import { LineReader, LineTooLongError } from "./lines.ts";

const INPUTS = 1_000_000;
/** Inputs that also go through a session. */
const ANSWERED_EVERY = 8;
/** A session lives this many inputs. */
const SESSION_INPUTS = 500;
const DIALECTS: Dialect[] = [ethProxy, minerProxy, ethereumStratum1, ethereumStratum2];
/** Values that break careless code. */
const STRANGE = [
  ...["null", "true", "-1", "1e999", '""', "[]", "{}", '"\\u0000"', '"__proto__"', '"0x"'],
  ...['"' + "f".repeat(64) + '"', '"0x' + "0".repeat(64) + '"', '"constructor"', "[[[[]]]]"],
  ...['{"toString":1}', '"💥"', "12345678901234567890", '"%ff"', '"w-1"', '"00000000"'],
];

/** Seeded numbers below a bound (Steele, Lea and Flood's SplitMix32). */
function random(seed: number) {
  let state = seed >>> 0;
  return (bound: number) => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) % bound;
  };
}

/** What is alive, after a collection. */
function heapBytes(): number {
  v8.setFlagsFromString("--expose-gc");
  (vm.runInNewContext("gc") as () => void)();
  return Deno.memoryUsage().heapUsed;
}

/** Changes a line: a value for another, a part left out, doubled or exchanged. */
function mutate(line: string, lines: string[], below: (bound: number) => number): string {
  let text = line;
  for (let i = below(3); i >= 0; i--) {
    const at = below(text.length + 1);
    switch (below(7)) {
      case 0:
        text = text.slice(0, at) + text.slice(at + 1 + below(8));
        break;
      case 1:
        text = text.slice(0, at) + String.fromCharCode(below(0x250)) + text.slice(at);
        break;
      case 2: {
        const strange = STRANGE[below(STRANGE.length)]!;
        text = text.replace(/"[^"]*"(?=[,\]}])/, () => below(2) === 0 ? strange : '"x"');
        break;
      }
      case 3:
        text = text.replace(/\[.*\]/, () => STRANGE[below(STRANGE.length)]!);
        break;
      case 4:
        text += text.slice(at);
        break;
      case 5:
        text = text.slice(0, at) + lines[below(lines.length)]!.slice(at);
        break;
    }
  }
  return text;
}

Deno.test("a million lines make no dialect throw and no session grow", async () => {
  const seed = Number(Deno.env.get("QUARRY_FUZZ_SEED") ?? 20_261_122);
  const below = random(seed);
  const dialogues = ["eth_proxy", "miner_proxy", "stratum1", "stratum2", "wrong"]
    .flatMap(dialogueNames);
  const steps = (await Promise.all(dialogues.map(readDialogue))).flat();
  const lines = steps.filter(({ kind }) => kind === "→").map(({ text }) => text);
  const door = scriptedDoor(1_000_000);
  const deps = {
    ...{ service: door.service, clock: new FakeClock(), log: silentLogger },
    terms: { difficulty: 2_000_000_000n, scheme: "prop" as const },
  };
  const encoder = new TextEncoder();
  let reader = new LineReader(4_096);
  let conversations: Conversation[] = [];
  let [answered, heapAtFirst] = [0, 0];
  for (let i = 0; i < INPUTS; i++) {
    const text = mutate(lines[below(lines.length)]!, lines, below);
    let found: string[] = [];
    try {
      found = reader.push(encoder.encode(text + "\n"));
    } catch (error) {
      assert.ok(error instanceof LineTooLongError);
      reader = new LineReader(4_096);
    }
    if (i % SESSION_INPUTS === 0) {
      for (const conversation of conversations) conversation.close();
      conversations = DIALECTS.map((dialect) => new Conversation(dialect, "10.0.0.1", deps));
      door.submissions.length = door.terms.length = door.reported.length = 0;
    }
    for (const line of found) {
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        value = undefined;
      }
      dialectOf(value);
      const which = below(DIALECTS.length);
      const command = DIALECTS[which]!.read(value);
      assert.equal(typeof command.kind, "string", `seed ${seed}, input ${i}: ${text}`);
      if (i % ANSWERED_EVERY !== 0) continue;
      const reply = await conversations[which]!.answer(command);
      answered++;
      if (reply.text !== undefined) JSON.parse(reply.text);
    }
    if (i === INPUTS / 4) heapAtFirst = heapBytes();
  }
  assert.ok(answered > INPUTS / ANSWERED_EVERY / 2);
  const growth = heapBytes() - heapAtFirst;
  assert.ok(growth < 8 * 1024 * 1024, `the heap grew by ${growth} bytes, seed ${seed}`);
});
