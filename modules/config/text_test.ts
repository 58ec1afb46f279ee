/** JSON with comments: what is read, and where a mistake is said to be. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { JsonSyntaxError, parseJsonWithComments } from "./text.ts";

Deno.test("parseJsonWithComments() reads comments of both kinds and trailing commas", () => {
  const text = `\uFEFF{ // one "quoted" remark
    "url": "http://node/*no comment*/", /* a
    longer, "one" */ "list": [1, 2, /* last */ ], "escaped": "a\\"// b",
  }`;
  assert.deepEqual(parseJsonWithComments(text), {
    url: "http://node/*no comment*/",
    list: [1, 2],
    escaped: 'a"// b',
  });
});

Deno.test("parseJsonWithComments() names line and column of a mistake", () => {
  const cases: [string, RegExp][] = [
    ['{\n  "a": 1\n  "b": 2\n}', /line 3 column 3/],
    ["{\n  // fine\n  a: 1\n}", /line 3 column 3/],
    ['{ "a": [1, 2 }', /line 1 column 14/],
    ['{ "a": 1', /line 1 column 9/],
    ['{ "a": 1 } x', /line 1 column 12/],
    ['{ "a": tru }', /"tru" at line 1 column 8/],
    ['{ "a": 012 }', /line 1 column 8/],
    ['{ "a": 1,\n "a": 2 }', /"a" is given twice at line 2 column 2/],
    ['{ "a": "open\n" }', /line 1 column 8/],
    ['{ "a": "\\x" }', /line 1 column 8/],
    ["", /Unexpected end at line 1 column 1/],
    ["[".repeat(200), /Nested too deeply/],
    ['{ /* never closed\n "a": 1 }', /Comment without end at line 1 column 3/],
    ['{ "a": , }', /line 1 column 8/],
    ["[1,,2]", /line 1 column 4/],
  ];
  for (const [text, place] of cases) {
    assert.throws(() => parseJsonWithComments(text), (error) => {
      assert.ok(error instanceof JsonSyntaxError);
      assert.match(error.message, place);
      return true;
    }, text);
  }
});

Deno.test("parseJsonWithComments() reads plain JSON as JSON.parse does", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = JSON.stringify(value, null, 1);
    assert.deepEqual(parseJsonWithComments(text), JSON.parse(text));
  }));
});
