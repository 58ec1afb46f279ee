/** PROXY headers: whole, cut at every byte, followed by data, wrong in one place, and random. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readProxyHeader, V2_BYTES_MAX } from "./proxy_header.ts";

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10];
const text = (line: string) => new TextEncoder().encode(line);

function v2(command: number, family: number, body: number[], length = body.length): Uint8Array {
  return Uint8Array.of(...SIGNATURE, command, family, length >> 8, length & 255, ...body);
}

const IPV4 = [203, 0, 113, 7, 10, 0, 0, 1, 0x1f, 0x90, 0x1f, 0x48];
const IPV6 = [
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x1f, 0x90, 0x1f, 0x48],
];
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 203, 0, 113, 7, ...IPV6.slice(16)];
const TLV = [4, 0, 3, 1, 2, 3];

const GOOD: [string, Uint8Array, string | undefined][] = [
  ["v1 IPv4", text("PROXY TCP4 203.0.113.7 10.0.0.1 8080 8008\r\n"), "203.0.113.7"],
  ["v1 IPv6", text("PROXY TCP6 2001:DB8::7 2001:db8::1 8080 8008\r\n"), "2001:db8::7"],
  ["v1 IPv4 in IPv6", text("PROXY TCP6 ::ffff:203.0.113.7 ::1 0 65535\r\n"), "203.0.113.7"],
  ["v1 UNKNOWN, short", text("PROXY UNKNOWN\r\n"), undefined],
  ["v1 UNKNOWN, long", text("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), undefined],
  [
    "v1, the longest line",
    text(`PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`),
    undefined,
  ],
  ["v2 LOCAL", v2(0x20, 0, []), undefined],
  ["v2 LOCAL with addresses to skip", v2(0x20, 0x11, IPV4), undefined],
  ["v2 IPv4", v2(0x21, 0x11, IPV4), "203.0.113.7"],
  ["v2 IPv4 with TLVs", v2(0x21, 0x11, [...IPV4, ...TLV]), "203.0.113.7"],
  ["v2 IPv6", v2(0x21, 0x21, IPV6), "2001:db8::7"],
  ["v2 IPv6 with TLVs", v2(0x21, 0x21, [...IPV6, ...TLV, ...TLV]), "2001:db8::7"],
  ["v2 IPv4 in IPv6", v2(0x21, 0x21, MAPPED), "203.0.113.7"],
  ["v2 UNSPEC", v2(0x21, 0, [1, 2, 3]), undefined],
  ["v2 UDP falls back", v2(0x21, 0x12, IPV4), undefined],
  ["v2 UNIX falls back", v2(0x21, 0x31, new Array(216).fill(65)), undefined],
];

const BROKEN: [string, Uint8Array, RegExp][] = [
  ["no CRLF", text("PROXY TCP4 " + "1".repeat(100)), /CRLF within 107/],
  ["LF alone", text("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n"), /CRLF/],
  ["CR alone", text("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\rx"), /CRLF/],
  ["line of 108", text("PROXY UNKNOWN " + "x".repeat(92) + "\r\n"), /CRLF within 107/],
  ["other family", text("PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n"), /TCP4, TCP6/],
  ["UNKNOWN glued", text("PROXY UNKNOWNX\r\n"), /TCP4, TCP6/],
  ["IPv6 in TCP4", text("PROXY TCP4 ::1 ::1 1 1\r\n"), /no TCP4 addresses/],
  ["IPv4 in TCP6", text("PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n"), /no TCP6 addresses/],
  ["leading zero", text("PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n"), /no TCP4 addresses/],
  ["octet too large", text("PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n"), /no TCP4 addresses/],
  ["zone", text("PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n"), /no TCP6 addresses/],
  ["two spaces", text("PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n"), /no TCP4 addresses/],
  ["port too large", text("PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n"), /port/],
  ["port with zero", text("PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n"), /port/],
  ["one port", text("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), /port/],
  ["trailing space", text("PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n"), /port/],
  ["v2, version 1", v2(0x11, 0x11, IPV4), /version 1/],
  ["v2, command 2", v2(0x22, 0x11, IPV4), /command 2/],
  ["v2, family 4", v2(0x21, 0x41, IPV4), /unassigned/],
  ["v2, transport 3", v2(0x21, 0x13, IPV4), /unassigned/],
  ["v2, too short for IPv4", v2(0x21, 0x11, IPV4.slice(1)), /too few/],
  ["v2, too short for IPv6", v2(0x21, 0x21, IPV4), /too few/],
  ["v2, too long", v2(0x21, 0x11, [], V2_BYTES_MAX), /at most 4096/],
];

for (const [name, header, source] of GOOD) {
  Deno.test(`readProxyHeader() reads ${name}, cut anywhere and with data behind it`, () => {
    for (let cut = 0; cut < header.length; cut++) {
      assert.deepEqual(readProxyHeader(header.subarray(0, cut)), { kind: "partial" }, `${cut}`);
    }
    const whole = { kind: "header", length: header.length, source };
    assert.deepEqual(readProxyHeader(header), whole);
    assert.deepEqual(readProxyHeader(Uint8Array.of(...header, ...text('{"id":1}\n'))), whole);
    assert.deepEqual(readProxyHeader(Uint8Array.of(...header, ...header)), whole);
  });
}

for (const [name, header, reason] of BROKEN) {
  Deno.test(`readProxyHeader() refuses a header with ${name}`, () => {
    const got = readProxyHeader(header);
    assert.equal(got.kind, "broken");
    assert.match((got as { reason: string }).reason, reason);
  });
}

Deno.test("readProxyHeader() sees at once what is no header", () => {
  for (const line of ['{"id":1}', "GET / HTTP/1.1", "PROXX", "POST /", "\r\n{", "\x16\x03\x01"]) {
    assert.deepEqual(readProxyHeader(text(line)), { kind: "absent" });
  }
});

Deno.test("readProxyHeader() decides the same however much more has come, and never throws", () => {
  const starts = fc.constantFrom(
    text("PROXY "),
    text("PROXY TCP4 1."),
    Uint8Array.of(...SIGNATURE),
  );
  fc.assert(fc.property(starts, fc.uint8Array({ maxLength: 200 }), (start, tail) => {
    const bytes = Uint8Array.of(...start, ...tail);
    let decided: unknown;
    for (let length = 0; length <= bytes.length; length++) {
      const got = readProxyHeader(bytes.subarray(0, length));
      if (decided === undefined && got.kind !== "partial") decided = got;
      else if (decided !== undefined) assert.deepEqual(got, decided);
    }
  }));
});
