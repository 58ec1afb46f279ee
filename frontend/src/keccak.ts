/** Keccak-256, for the checksum in an address's capitals (EIP-55). */

const MASK = (1n << 64n) - 1n;
const RATE_BYTES = 136;

/** A round's constant, by the LFSR of FIPS 202, 3.2.5. */
function* roundConstants(): Generator<bigint> {
  let state = 1;
  for (let round = 0; round < 24; round++) {
    let constant = 0n;
    for (let j = 0; j < 7; j++) {
      if (state & 1) constant |= 1n << ((1n << BigInt(j)) - 1n);
      state = state & 0x80 ? (state << 1) ^ 0x171 : state << 1;
    }
    yield constant;
  }
}

const rotl = (x: bigint, by: number) =>
  by === 0 ? x : ((x << BigInt(by)) | (x >> BigInt(64 - by))) & MASK;

function permute(lanes: bigint[]): void {
  for (const constant of roundConstants()) {
    const columns = [0, 1, 2, 3, 4].map((x) =>
      lanes[x]! ^ lanes[x + 5]! ^ lanes[x + 10]! ^ lanes[x + 15]! ^
      lanes[x + 20]!
    );
    for (let i = 0; i < 25; i++) {
      lanes[i]! ^= columns[(i + 4) % 5]! ^ rotl(columns[(i + 1) % 5]!, 1);
    }
    let [x, y, current] = [1, 0, lanes[1]!];
    for (let t = 0; t < 24; t++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const moved = rotl(current, ((t + 1) * (t + 2) / 2) % 64);
      current = lanes[x + 5 * y]!;
      lanes[x + 5 * y] = moved;
    }
    for (let row = 0; row < 25; row += 5) {
      const old = lanes.slice(row, row + 5);
      for (let i = 0; i < 5; i++) {
        lanes[row + i] = old[i]! ^
          (~old[(i + 1) % 5]! & MASK & old[(i + 2) % 5]!);
      }
    }
    lanes[0]! ^= constant;
  }
}

/** The hash of ASCII text, as 64 hex digits. */
export function keccak256(text: string): string {
  const length = Math.ceil((text.length + 1) / RATE_BYTES) * RATE_BYTES;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  bytes[text.length]! ^= 0x01;
  bytes[length - 1]! ^= 0x80;
  const lanes = Array<bigint>(25).fill(0n);
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < length; block += RATE_BYTES) {
    for (let i = 0; i < RATE_BYTES / 8; i++) {
      lanes[i]! ^= view.getBigUint64(block + 8 * i, true);
    }
    permute(lanes);
  }
  const out = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < 4; i++) out.setBigUint64(8 * i, lanes[i]!, true);
  return Array.from(
    new Uint8Array(out.buffer),
    (byte) => byte.toString(16).padStart(2, "0"),
  )
    .join("");
}
