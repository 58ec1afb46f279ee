/** The operator's colours: contrast by WCAG's own examples, and what a file is told. */
import assert from "node:assert/strict";
import { contrast } from "./build_brand.ts";
import { ConfigError, parseConfig } from "./mod.ts";

const CONTEXT = { baseDir: "/etc/quarry", readSecret: () => "" };

function parse(api: unknown) {
  return parseConfig(JSON.stringify({ api }), CONTEXT).config.api;
}

/** The problems of a file's api, as "path: problem". */
function problemsOf(api: unknown): string[] {
  try {
    parse(api);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, problem }) => `${path}: ${problem}`);
  }
  return [];
}

Deno.test("contrast() is WCAG's", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#123456", "#123456"), 1);
  // The lightest grey that may stand on white.
  assert(contrast("#767676", "#ffffff") >= 4.5 && contrast("#777777", "#ffffff") < 4.5);
});

Deno.test("parseConfig() takes an operator's colours and logo", () => {
  const { accent, logo } = parse({
    ...{ accent: "#8a1c5a", accentDark: "#ff9ad2", logo: "logo.svg" },
  });
  assert.deepEqual(accent, { light: "#8a1c5a", dark: "#ff9ad2" });
  assert.equal(logo, "/etc/quarry/logo.svg");
  assert.equal(parse({}).accent, undefined);
});

Deno.test("parseConfig() refuses colours that cannot be read, that stand alone or are none", () => {
  const table: [api: Record<string, string>, problem: RegExp][] = [
    [
      { accent: "#ffcc00", accentDark: "#ffcc00" },
      /^api\.accent: cannot be read on the light page: its contrast is 1\.3, 4\.5 is the least$/,
    ],
    [
      { accent: "#0b5fc0", accentDark: "#0b5fc0" },
      /^api\.accentDark: cannot be read on the dark page/,
    ],
    [{ accent: "#0b5fc0" }, /^api\.accent: stands without api\.accentDark$/],
    [{ accent: "blue" }, /^api\.accent: /],
  ];
  for (const [api, problem] of table) {
    const problems = problemsOf(api);
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.match(problems[0]!, problem);
  }
});
