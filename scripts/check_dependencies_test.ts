/** The checks of dependencies find what they are for, and never take silence for a clean answer. */
import assert from "node:assert/strict";
import { judgeCargo, judgeDeno, judgeNpm } from "./check_advisories.ts";
import { badLicences, loosePackages, loosePins } from "./check_dependencies.ts";
import { isAllowed } from "./dist/licences.ts";

Deno.test("loose versions are found", () => {
  const imports = { a: "npm:a@1.2.3", "@b/c": "npm:@b/c@^1.2.3", d: "npm:d", e: "jsr:@e/e@1.0.0" };
  assert.deepEqual(loosePins(imports).map((line) => line.split(" ")[1]), ["@b/c", "d", "e"]);
  const text = JSON.stringify({ dependencies: { a: "1.0.0" }, devDependencies: { b: "~1.0.0" } });
  assert.deepEqual(loosePackages("p", text), ["p: b is ~1.0.0: write an exact version"]);
});

Deno.test("licences are read as SPDX says", () => {
  for (const one of ["MIT", "(MIT OR GPL-2.0)", "MIT OR Apache-2.0", "ISC AND (MIT OR X)"]) {
    assert.ok(isAllowed(one), one);
  }
  assert.ok(isAllowed("Apache-2.0 WITH LLVM-exception"));
  for (const one of ["", "GPL-2.0-only", "MIT AND SSPL-1.0", "UNLICENSED", "SEE LICENSE IN X"]) {
    assert.ok(!isAllowed(one), one);
  }
  assert.match(badLicences([{ name: "a", version: "1", licence: "" }])[0]!, /^a 1: licence ""/);
});

Deno.test("an auditor that could not ask is never a clean one", () => {
  const npm = (value: unknown) => judgeNpm(JSON.stringify(value)).kind;
  const report = (total: number) => ({
    auditReportVersion: 2,
    vulnerabilities: { lodash: {} },
    metadata: { vulnerabilities: { total } },
  });
  assert.equal(npm(report(0)), "clean");
  assert.equal(npm(report(2)), "weak");
  assert.equal(npm({ message: "request failed", error: { summary: "" } }), "unasked");
  assert.equal(judgeNpm("").kind, "unasked");
  assert.equal(judgeDeno(0, "").kind, "unasked");
  assert.equal(judgeDeno(1, "client error (Connect)").kind, "unasked");
  assert.equal(judgeDeno(0, "No known vulnerabilities found").kind, "clean");
  assert.equal(judgeDeno(1, "Found 2 vulnerabilities").kind, "weak");
  assert.equal(judgeCargo(101, "error: no such command: `audit`").kind, "unasked");
  assert.equal(judgeCargo(0, "").kind, "unasked");
  assert.equal(judgeCargo(1, "error: couldn't fetch advisory database").kind, "unasked");
  const scanning = "Scanning Cargo.lock for vulnerabilities (30 crate dependencies)";
  assert.equal(judgeCargo(0, scanning).kind, "clean");
  assert.equal(judgeCargo(1, `${scanning}\nerror: 1 vulnerability found!`).kind, "weak");
});
