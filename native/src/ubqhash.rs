//! Ubqhash (Ubiq from its epoch 22, UIP-1): Ethash whose light cache is a chain of BLAKE2b-512.
//!
//! Items, seed and final hash stay keccak; before epoch 22 it is Ethash.

use crate::algorithm::{Algorithm, Kind};
use crate::cache;
use crate::keccak::bytes_to_lanes;

/// The row of Ubqhash.
pub const ALGORITHM: Algorithm = Algorithm {
    code: 1,
    name: "ubqhash",
    file_suffix: "-ubqhash",
    kind: Kind::Hashimoto(|_, rows, modulus, seed| {
        cache::fill(
            rows,
            modulus,
            blake2b512(&bytes_to_lanes::<4>(seed)),
            blake2b512,
        );
    }),
};

/// Initial state of SHA-512, which BLAKE2b starts from (RFC 7693, 2.6).
const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Order of the message's words by round (RFC 7693, 2.7); rounds 10 and 11 repeat 0 and 1.
const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// BLAKE2b-512 without key of a message of whole lanes, at most one block (128 bytes).
fn blake2b512<const N: usize>(message: &[u64; N]) -> [u64; 8] {
    let mut block = [0; 16];
    block[..N].copy_from_slice(message);
    let mut h = IV;
    // Parameter block: 64 bytes of digest, no key, fanout 1, depth 1.
    h[0] ^= 0x0101_0040;
    let mut v = [0; 16];
    v[..8].copy_from_slice(&h);
    v[8..].copy_from_slice(&IV);
    v[12] ^= 8 * N as u64;
    // The only block is the last.
    v[14] = !v[14];
    for round in 0..12 {
        let word = |i: usize| block[SIGMA[round % 10][i]];
        for i in 0..4 {
            mix(
                &mut v,
                [i, i + 4, i + 8, i + 12],
                word(2 * i),
                word(2 * i + 1),
            );
        }
        for i in 0..4 {
            let places = [i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12];
            mix(&mut v, places, word(8 + 2 * i), word(9 + 2 * i));
        }
    }
    std::array::from_fn(|i| h[i] ^ v[i] ^ v[i + 8])
}

/// The mixing function G.
#[inline(always)]
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blake2b_agrees_with_the_published_digests() {
        // The first and a later row of the test vectors that come with RFC 7693's authors' code
        // (blake2b-kat: the messages are empty and 00 01 .. 3f, there is no key).
        let digest = |lanes: [u64; 8]| -> String {
            let bytes = lanes.iter().flat_map(|lane| lane.to_le_bytes());
            bytes.map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(
            digest(blake2b512(&[])),
            "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419\
             d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce"
        );
        let message: [u8; 64] = std::array::from_fn(|i| i as u8);
        assert_eq!(
            digest(blake2b512(&bytes_to_lanes::<8>(&message))),
            "2fc6e69fa26a89a5ed269092cb9b2a449a4409a7a44011eecad13d7c4b045660\
             2d402fa5844f1a7a758136ce3d5d8d0e8b86921ffff4f692dd95bdc8e5ff0052"
        );
    }
}
