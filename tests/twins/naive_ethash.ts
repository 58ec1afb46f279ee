/**
 * Ethash as the specification words it: one item after the other, big integers, no cleverness.
 *
 * The twin of the native verifier. It is thousands of times slower and shares nothing with it.
 */

const HASH_BYTES = 64;
const MIX_BYTES = 128;
const CACHE_ROUNDS = 3;
const DATASET_PARENTS = 256;
const ACCESSES = 64;
const MASK64 = (1n << 64n) - 1n;

/** Keccak with the original padding, of any rate. */
export function keccak(message: Uint8Array, digestBytes: 32 | 64): Uint8Array {
  const rate = 200 - 2 * digestBytes;
  const padded = new Uint8Array((Math.floor(message.length / rate) + 1) * rate);
  padded.set(message);
  padded[message.length]! ^= 0x01;
  padded[padded.length - 1]! ^= 0x80;
  // state[x][y], as in the Keccak reference.
  const state = Array.from({ length: 5 }, () => new Array<bigint>(5).fill(0n));
  for (let start = 0; start < padded.length; start += rate) {
    const view = new DataView(padded.buffer, start, rate);
    for (let i = 0; i < rate / 8; i++) {
      state[i % 5]![Math.floor(i / 5)]! ^= view.getBigUint64(8 * i, true);
    }
    keccakF(state);
  }
  const digest = new DataView(new ArrayBuffer(digestBytes));
  for (let i = 0; i < digestBytes / 8; i++) {
    digest.setBigUint64(8 * i, state[i % 5]![Math.floor(i / 5)]!, true);
  }
  return new Uint8Array(digest.buffer);
}

/** The permutation; rotation offsets and round constants are computed as they are defined. */
function keccakF(a: bigint[][]): void {
  let lfsr = 1;
  for (let round = 0; round < 24; round++) {
    const c = a.map((column) => column.reduce((sum, lane) => sum ^ lane, 0n));
    for (let x = 0; x < 5; x++) {
      const d = c[(x + 4) % 5]! ^ rotate(c[(x + 1) % 5]!, 1);
      for (let y = 0; y < 5; y++) a[x]![y]! ^= d;
    }
    let [x, y, current] = [1, 0, a[1]![0]!];
    for (let t = 0; t < 24; t++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const moved = a[x]![y]!;
      a[x]![y] = rotate(current, (t + 1) * (t + 2) / 2 % 64);
      current = moved;
    }
    for (let row = 0; row < 5; row++) {
      const lanes = a.map((column) => column[row]!);
      for (let i = 0; i < 5; i++) {
        a[i]![row] = lanes[i]! ^ (~lanes[(i + 1) % 5]! & MASK64 & lanes[(i + 2) % 5]!);
      }
    }
    for (let j = 0; j < 7; j++) {
      if (lfsr & 1) a[0]![0]! ^= 1n << BigInt((1 << j) - 1);
      lfsr = lfsr & 0x80 ? (lfsr << 1) ^ 0x171 : lfsr << 1;
    }
  }
}

function rotate(lane: bigint, bits: number): bigint {
  return ((lane << BigInt(bits)) | (lane >> BigInt(64 - bits))) & MASK64;
}

function fnv(u: number, v: number): number {
  return (Math.imul(u, 0x01000193) ^ v) >>> 0;
}

function words(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}

function bytesOf(numbers: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * numbers.length));
  numbers.forEach((number, i) => view.setUint32(4 * i, number, true));
  return new Uint8Array(view.buffer);
}

/** 32 zero bytes hashed again and again. */
export function naiveSeedHash(rounds: number): Uint8Array {
  let seed: Uint8Array = new Uint8Array(32);
  for (let i = 0; i < rounds; i++) seed = keccak(seed, 32);
  return seed;
}

/** mkcache of the specification. */
export function naiveCache(items: number, seed: Uint8Array): Uint8Array[] {
  const cache = [keccak(seed, 64)];
  while (cache.length < items) cache.push(keccak(cache.at(-1)!, 64));
  for (let round = 0; round < CACHE_ROUNDS; round++) {
    for (let i = 0; i < items; i++) {
      const before = cache[(i - 1 + items) % items]!;
      const partner = cache[words(cache[i]!)[0]! % items]!;
      cache[i] = keccak(before.map((byte, j) => byte ^ partner[j]!), 64);
    }
  }
  return cache;
}

/** calc_dataset_item of the specification. */
function naiveItem(cache: Uint8Array[], number: number): number[] {
  let mix = words(cache[number % cache.length]!);
  mix[0] = (mix[0]! ^ number) >>> 0;
  mix = words(keccak(bytesOf(mix), 64));
  for (let j = 0; j < DATASET_PARENTS; j++) {
    const parent = words(cache[fnv(number ^ j, mix[j % 16]!) % cache.length]!);
    mix = mix.map((word, k) => fnv(word, parent[k]!));
  }
  return words(keccak(bytesOf(mix), 64));
}

/** hashimoto_light of the specification; `datasetItems` counts pages of 128 bytes. */
export function naiveHashimoto(
  cache: Uint8Array[],
  datasetItems: number,
  headerHash: Uint8Array,
  nonce: bigint,
): { mix: Uint8Array; result: bigint } {
  const littleNonce = new DataView(new ArrayBuffer(8));
  littleNonce.setBigUint64(0, nonce, true);
  const seed = keccak(new Uint8Array([...headerHash, ...new Uint8Array(littleNonce.buffer)]), 64);
  const start = words(seed);
  let mix = [...start, ...start];
  for (let i = 0; i < ACCESSES; i++) {
    const page = fnv(i ^ start[0]!, mix[i % (MIX_BYTES / 4)]!) % datasetItems;
    const pages = MIX_BYTES / HASH_BYTES;
    const data = [...naiveItem(cache, pages * page), ...naiveItem(cache, pages * page + 1)];
    mix = mix.map((word, k) => fnv(word, data[k]!));
  }
  const folded = Array.from({ length: 8 }, (_, i) => {
    const [a, b, c, d] = mix.slice(4 * i, 4 * i + 4);
    return fnv(fnv(fnv(a!, b!), c!), d!);
  });
  const digest = bytesOf(folded);
  const result = keccak(new Uint8Array([...seed, ...digest]), 32);
  return { mix: digest, result: BigInt("0x" + result.toHex()) };
}
