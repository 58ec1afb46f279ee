/** Login and password texts as miners write them. */
import assert from "node:assert/strict";
import { loginProblem, readDifficulty, readLogin, readPassword } from "./login.ts";

const ADDRESS = "0xabcdef1111111111111111111111111111111111";
const BARE = ADDRESS.slice(2);

Deno.test("readLogin() reads every way in which miners write address and rig", () => {
  for (
    const [text, worker] of [
      [ADDRESS, undefined],
      [`${ADDRESS}.rig-1`, "rig-1"],
      [`${ADDRESS}/rig_2`, "rig_2"],
      [`${ADDRESS}+rig`, "rig"],
      [`${ADDRESS}.rig/me@example.org`, "rig"],
      [`${ADDRESS}/rig/me@example.org`, "rig"],
      [`${ADDRESS}%2Frig`, "rig"],
      [`0X${BARE.toUpperCase()}.Rig`, "Rig"],
      [`${BARE}.rig`, "rig"],
      [`  ${ADDRESS} . rig `, undefined],
      [`${ADDRESS}.a.b`, "a.b"],
      [`${ADDRESS}.`, undefined],
      [`${ADDRESS}.${"x".repeat(33)}`, undefined],
      [`${ADDRESS}.jasminer x4`, undefined],
    ] as const
  ) {
    const found = readLogin(text);
    if (text.startsWith("  ")) assert.equal(found, undefined, text);
    else {
      const expected = { login: ADDRESS, solo: false, ...(worker === undefined ? {} : { worker }) };
      assert.deepEqual(found, expected, text);
    }
  }
});

Deno.test("loginProblem() tells the zero address from what is no address", () => {
  const zero = "0".repeat(40);
  for (
    const text of [`0x${zero}`, zero, `0x${zero}.rig`, `solo:0X${zero}/rig`, `0x${zero}%2Frig`]
  ) {
    assert.equal(readLogin(text), undefined, text);
    assert.match(loginProblem(text), /zero address/, text);
  }
  for (const text of [`0x${zero}0`, `0x${zero.slice(1)}`, "rig", "", 7, undefined]) {
    assert.match(loginProblem(text), /expected 0x and 40 hex digits/, String(text));
  }
});

Deno.test("readLogin() reads the wish for solo mining", () => {
  assert.deepEqual(readLogin(`solo:${ADDRESS}.rig`), { login: ADDRESS, solo: true, worker: "rig" });
  assert.deepEqual(readLogin(`SOLO: ${BARE}`), { login: ADDRESS, solo: true });
});

Deno.test("readLogin() refuses what is no payable address", () => {
  const wrong = [
    ...[
      "",
      "x",
      ADDRESS + "1",
      ADDRESS.slice(0, -1),
      `0x${"0".repeat(40)}`,
      "solo:",
      `..${ADDRESS}`,
    ],
    ...[null, undefined, 5, {}, `${ADDRESS}.${"x".repeat(300)}`, "%ff", `0x${"g".repeat(40)}`],
  ];
  for (const text of wrong) assert.equal(readLogin(text), undefined, String(text));
});

Deno.test("readPassword() reads difficulty, rig and solo, and ignores everything else", () => {
  assert.deepEqual(readPassword("x"), { solo: false });
  assert.deepEqual(readPassword("c=ETC,d=4G,n=rig7,m=solo"), {
    ...{ difficulty: 4_000_000_000n, worker: "rig7", solo: true },
  });
  assert.deepEqual(readPassword("d=2;x"), { difficulty: 2n << 32n, solo: false });
  for (const text of [null, 5, "#", "d=", "d=x", "d=0", "d=-1", "d=1e9", "n=a b", "m=prop"]) {
    assert.equal(readPassword(text).difficulty, undefined);
    assert.equal(readPassword(text).solo, false);
  }
});

Deno.test("readDifficulty() takes small bare numbers for units of 2^32 hashes", () => {
  assert.equal(readDifficulty("4000"), 4_000n << 32n);
  assert.equal(readDifficulty("0.5"), 1n << 31n);
  assert.equal(readDifficulty("999999"), 999_999n << 32n);
  assert.equal(readDifficulty("1000000"), 1_000_000n);
  assert.equal(readDifficulty("2.5g"), 2_500_000_000n);
  assert.equal(readDifficulty("150M"), 150_000_000n);
  assert.equal(readDifficulty("0.0000000001"), undefined);
  assert.equal(readDifficulty("1" + "0".repeat(18)), undefined);
});
