/** First bytes, addresses and ranges: what is told apart, and what is left for more bytes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { PoolError } from "../../base/mod.ts";
import { normalAddress, rangeTest } from "./addresses.ts";
import { httpAnswer, tellApart } from "./first_bytes.ts";

const text = (line: string) => new TextEncoder().encode(line);

Deno.test("tellApart() knows TLS, HTTP, PROXY and stratum by their first bytes", () => {
  const cases: [string, string][] = [
    ["\x16", "tls"],
    ["\x16\x03\x01\x02\x00", "tls"],
    ["POST /0x00 HTTP/1.1\r\n", "http"],
    ["GET / HTTP/1.1\r\n", "http"],
    ["PROXY TCP4 ", "proxy"],
    ["\r\n\r\n\0\r\nQUIT\n\x21", "proxy"],
    ['{"id":1}\n', "stratum"],
    ["\r\n{", "stratum"],
    ["GETWORK", "stratum"],
    ["PROXIES", "stratum"],
    ["x", "stratum"],
    ["", "more"],
    ["\r\n", "more"],
    ["P", "more"],
    ["PROXY", "more"],
  ];
  for (const [line, speech] of cases) assert.equal(tellApart(text(line)), speech, line);
});

Deno.test("tellApart() never changes its mind when more bytes come", () => {
  const start = fc.constantFrom("", "P", "PO", "POST ", "PROXY ", "G", "GET", "\r\n\r\n\0", "\x16");
  fc.assert(fc.property(start, fc.uint8Array({ maxLength: 20 }), (begin, tail) => {
    const bytes = Uint8Array.of(...text(begin), ...tail);
    let decided = "more";
    for (let length = 0; length <= bytes.length; length++) {
      const speech = tellApart(bytes.subarray(0, length));
      if (decided !== "more") assert.equal(speech, decided);
      decided = speech;
    }
  }));
});

Deno.test("httpAnswer() is HTTP with the right length and names the getwork port", () => {
  const answer = new TextDecoder().decode(httpAnswer(8888));
  const [head, body] = answer.split("\r\n\r\n");
  assert.match(head!, /^HTTP\/1\.1 400 /);
  assert.equal(Number(/Content-Length: (\d+)/.exec(head!)![1]), text(body!).length);
  assert.match(body!, /http:\/\/POOL:8888\/0xADDRESS\/worker/);
  assert.match(new TextDecoder().decode(httpAnswer(undefined)), /does not offer HTTP getwork/);
});

Deno.test("normalAddress() spells each address in one way", () => {
  assert.equal(normalAddress("10.0.0.1"), "10.0.0.1");
  assert.equal(normalAddress("::ffff:10.0.0.1"), "10.0.0.1");
  assert.equal(normalAddress("::FFFF:0a00:0001"), "10.0.0.1");
  assert.equal(normalAddress("2001:0DB8::0007"), "2001:db8::7");
  for (const none of ["", "x", "10.0.0", "10.0.0.1:80", undefined]) {
    assert.equal(normalAddress(none), undefined);
  }
});

Deno.test("rangeTest() takes ranges and single addresses, and names what is neither", () => {
  const isIn = rangeTest(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1"], "trustedProxies");
  for (const inside of ["10.255.0.1", "::ffff:10.1.1.1", "192.0.2.7", "2001:db8:1::2", "::1"]) {
    assert.equal(isIn(inside), true, inside);
  }
  for (const outside of ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::2", "x", ""]) {
    assert.equal(isIn(outside), false, outside);
  }
  assert.throws(() => rangeTest(["::1", "10.0.0.0/33"], "trustedProxies"), (error) => {
    return error instanceof PoolError &&
      /trustedProxies\[1\]: "10\.0\.0\.0\/33"/.test(error.message);
  });
});
