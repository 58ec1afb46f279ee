/** Addresses as they count. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { plainAddress, policyAddress } from "./address.ts";

Deno.test("policyAddress() counts IPv6 by /64 and IPv4-mapped IPv6 as IPv4", () => {
  const cases = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:192.0.2.7", "192.0.2.7"],
    ["::ffff:c000:207", "192.0.2.7"],
    ["0:0:0:0:0:ffff:c000:0207", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8::/64"],
    ["fe80::1%eth0", "fe80::/64"],
    ["::1", "::/64"],
  ];
  for (const [ip, key] of cases) assert.equal(policyAddress(ip!), key, ip);
});

Deno.test("policyAddress() gives one key for a whole /64, and its own key for a key", () => {
  const part = fc.integer({ min: 0, max: 0xffff });
  const parts = fc.array(part, { minLength: 4, maxLength: 4 });
  fc.assert(fc.property(parts, parts, parts, (network, host, other) => {
    fc.pre(network.some((value) => value !== 0));
    const text = (tail: number[]) => [...network, ...tail].map((n) => n.toString(16)).join(":");
    const key = policyAddress(text(host));
    assert.equal(policyAddress(text(other)), key);
    assert.equal(policyAddress(key), key);
    assert.match(key, /\/64$/);
  }));
});

Deno.test("policyAddress() bounds what is no address", () => {
  assert.ok(policyAddress("x".repeat(1_000_000)).length < 50);
  assert.ok(policyAddress(":".repeat(1_000_000)).length < 50);
});

Deno.test("plainAddress() gives one spelling for an address of a list", () => {
  assert.equal(plainAddress(" 192.0.2.7 "), "192.0.2.7");
  assert.equal(plainAddress("2001:DB8:0::7"), "2001:db8::7");
  assert.equal(plainAddress("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(plainAddress("2001:DB8::7/64"), "2001:db8::/64");
});
