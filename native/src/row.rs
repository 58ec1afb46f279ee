//! A 64-byte row of sixteen words, and the arithmetic that Ethash does on rows.

use crate::keccak::keccak512_lanes;

pub(crate) const FNV_PRIME: u32 = 0x0100_0193;

/// Ethash's "FNV": multiply, then exclusive-or (not FNV-1a).
#[inline(always)]
pub(crate) fn fnv(u: u32, v: u32) -> u32 {
    u.wrapping_mul(FNV_PRIME) ^ v
}

/// One 64-byte item, on one line of the processor's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Row(pub [u32; 16]);

impl Row {
    /// A row of zeros.
    pub const ZERO: Row = Row([0; 16]);

    /// Mixes another row in, word by word.
    #[inline(always)]
    pub(crate) fn mix(&mut self, other: &Row) {
        // All words are read before any is written: otherwise the compiler, which cannot rule out
        // that the rows overlap, does not turn this into vector instructions.
        let (ours, theirs) = (self.0, other.0);
        self.0 = std::array::from_fn(|i| fnv(ours[i], theirs[i]));
    }

    /// Replaces the row by its keccak-512.
    #[inline(always)]
    pub(crate) fn keccak512(&mut self) {
        *self = Row::from_lanes(&keccak512_lanes(&self.lanes()));
    }

    /// The row as little-endian lanes.
    #[inline(always)]
    pub(crate) fn lanes(&self) -> [u64; 8] {
        std::array::from_fn(|i| u64::from(self.0[2 * i]) | u64::from(self.0[2 * i + 1]) << 32)
    }

    /// The row of little-endian lanes.
    #[inline(always)]
    pub(crate) fn from_lanes(lanes: &[u64; 8]) -> Row {
        Row(std::array::from_fn(|i| {
            (lanes[i / 2] >> (32 * (i % 2))) as u32
        }))
    }

    /// The row of 64 little-endian bytes.
    #[inline(always)]
    pub(crate) fn from_bytes(bytes: &[u8; 64]) -> Row {
        let (words, _) = bytes.as_chunks::<4>();
        Row(std::array::from_fn(|i| u32::from_le_bytes(words[i])))
    }

    /// The row's 64 little-endian bytes.
    #[inline(always)]
    pub(crate) fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(self.0) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

/// Remainder by a fixed divisor as two multiplications (Lemire, Kaser and Kurz 2019, exact for
/// every 32-bit dividend and divisor).
#[derive(Clone, Copy, Debug)]
pub struct FastMod {
    divisor: u32,
    reciprocal: u64,
}

impl FastMod {
    /// Prepares a divisor above zero.
    pub fn new(divisor: u32) -> FastMod {
        assert!(divisor > 0, "a divisor is above zero");
        FastMod {
            divisor,
            reciprocal: (u64::MAX / u64::from(divisor)).wrapping_add(1),
        }
    }

    /// The divisor.
    #[inline(always)]
    pub fn divisor(&self) -> u32 {
        self.divisor
    }

    /// `dividend % divisor`.
    #[inline(always)]
    pub fn remainder(&self, dividend: u32) -> u32 {
        let fraction = self.reciprocal.wrapping_mul(u64::from(dividend));
        ((u128::from(fraction) * u128::from(self.divisor)) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_mod_agrees_with_the_operator() {
        let edges = [
            0,
            1,
            2,
            3,
            16,
            17,
            262_139,
            262_144,
            8_388_593,
            1 << 31,
            u32::MAX - 1,
            u32::MAX,
        ];
        for divisor in edges.into_iter().filter(|&d| d > 0) {
            let fast = FastMod::new(divisor);
            let mut dividend = 1u32;
            for step in 0..2_000 {
                for x in [
                    dividend,
                    divisor.wrapping_mul(step),
                    divisor.wrapping_mul(step).wrapping_sub(1),
                ] {
                    assert_eq!(fast.remainder(x), x % divisor, "{x} % {divisor}");
                }
                dividend = dividend.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            }
            for x in edges {
                assert_eq!(fast.remainder(x), x % divisor, "{x} % {divisor}");
            }
        }
    }

    #[test]
    fn rows_survive_lanes_and_bytes() {
        let row = Row(std::array::from_fn(|i| {
            0x9e37_79b9u32.wrapping_mul(i as u32 + 1)
        }));
        assert_eq!(Row::from_lanes(&row.lanes()), row);
        assert_eq!(Row::from_bytes(&row.to_bytes()), row);
    }
}
