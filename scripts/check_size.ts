/** Weighs the built page: what the first view loads, all scripts, the style, the shell. */
import { gzipSync } from "node:zlib";

const DIST = decodeURIComponent(new URL("../frontend/dist/", import.meta.url).pathname);
const KIB = 1024;
/** Bytes after gzip. */
const BUDGETS = { firstScripts: 20 * KIB, scripts: 60 * KIB, styles: 5 * KIB, shell: 4 * KIB };

/** What a build weighs (bytes after gzip). */
export type Weights = Record<keyof typeof BUDGETS, number>;

/** Weighs files by their names; `html` says which scripts come first. */
export function weigh(html: string, files: ReadonlyMap<string, Uint8Array>): Weights {
  const gzipped = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }).length;
  const weights = { firstScripts: 0, scripts: 0, styles: 0, shell: 0 };
  weights.shell = gzipped(new TextEncoder().encode(html));
  for (const [name, bytes] of files) {
    const weight = gzipped(bytes);
    if (name.endsWith(".css")) weights.styles += weight;
    if (!name.endsWith(".js")) continue;
    // A dictionary takes the place of another; nobody loads two.
    if (!/\/(de|help_de)-/.test(name)) weights.scripts += weight;
    if (html.includes(name)) weights.firstScripts += weight;
  }
  return weights;
}

/** What is too heavy, in words. */
export function tooHeavy(weights: Weights): string[] {
  return Object.entries(BUDGETS).flatMap(([name, budget]) => {
    const weight = weights[name as keyof Weights];
    if (weight > 0 && weight <= budget) return [];
    return [`${name}: ${weight} bytes after gzip, at most ${budget} and more than none`];
  });
}

async function main(): Promise<number> {
  const files = new Map<string, Uint8Array>();
  let html: string;
  try {
    html = await Deno.readTextFile(`${DIST}index.html`);
    for await (const { name } of Deno.readDir(`${DIST}assets`)) {
      files.set(`/assets/${name}`, await Deno.readFile(`${DIST}assets/${name}`));
    }
  } catch {
    await say("The page is not built: deno task frontend");
    return 1;
  }
  const weights = weigh(html, files);
  const heavy = tooHeavy(weights);
  await say(Object.entries(weights).map(([name, weight]) => `${name} ${weight}`).join(", "));
  for (const line of heavy) await say(line);
  return heavy.length === 0 ? 0 : 1;
}

async function say(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(line + "\n"));
}

if (import.meta.main) Deno.exit(await main());
