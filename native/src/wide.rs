//! Keccak-512 of eight rows at once in AVX-512 registers.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use crate::items;
use crate::keccak::{Lane, keccak512_wide};
use crate::row::Row;

/// Lanes of eight states side by side.
///
/// Its methods are only ever compiled into functions that enable AVX-512; only this module makes
/// such values, inside [`hash_rows`].
#[derive(Clone, Copy)]
struct Eight(__m512i);

impl Lane for Eight {
    #[inline(always)]
    fn xor(self, other: Eight) -> Eight {
        // SAFETY: values of this type exist only where AVX-512F is enabled.
        Eight(unsafe { _mm512_xor_si512(self.0, other.0) })
    }
    #[inline(always)]
    fn chi(self, b: Eight, c: Eight) -> Eight {
        // a ^ (!b & c) as one ternary operation, truth table 0xd2.
        // SAFETY: as for `xor`.
        Eight(unsafe { _mm512_ternarylogic_epi64::<0xd2>(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn rotate<const N: u32>(self) -> Eight {
        // The count is a constant after inlining, so this becomes one rotation.
        // SAFETY: as for `xor`.
        Eight(unsafe { _mm512_rolv_epi64(self.0, _mm512_set1_epi64(i64::from(N))) })
    }
    #[inline(always)]
    fn splat(bits: u64) -> Eight {
        // SAFETY: as for `xor`.
        Eight(unsafe { _mm512_set1_epi64(bits.cast_signed()) })
    }
}

/// Keccak-512 of every row, eight at a time, the rest one by one.
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2")]
#[inline]
pub(crate) fn hash_rows(rows: &mut [Row]) {
    let (groups, rest) = rows.as_chunks_mut::<8>();
    for group in groups {
        let mut lanes = transpose(group.each_ref().map(|row| load(row))).map(Eight);
        keccak512_wide(&mut lanes);
        let hashed = transpose(lanes.map(|lane| lane.0));
        for (row, words) in group.iter_mut().zip(hashed) {
            store(row, words);
        }
    }
    items::hash_rows(rest);
}

#[target_feature(enable = "avx512f")]
#[inline]
fn load(row: &Row) -> __m512i {
    // SAFETY: a row is 64 readable bytes, aligned to 64.
    unsafe { _mm512_load_si512(std::ptr::from_ref(row).cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn store(row: &mut Row, words: __m512i) {
    // SAFETY: a row is 64 writable bytes, aligned to 64.
    unsafe { _mm512_store_si512(std::ptr::from_mut(row).cast(), words) }
}

/// Turns eight rows of eight words into eight columns; its own inverse.
#[target_feature(enable = "avx512f")]
#[inline]
fn transpose(rows: [__m512i; 8]) -> [__m512i; 8] {
    // Pairs of words: (even rows, odd rows) interleaved.
    let low = |i: usize| _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
    let high = |i: usize| _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
    // Then 128-bit blocks: first of four rows, then of all eight.
    let quad = |a: __m512i, b: __m512i| {
        (
            _mm512_shuffle_i64x2::<0x88>(a, b),
            _mm512_shuffle_i64x2::<0xdd>(a, b),
        )
    };
    let (a04, a26) = quad(low(0), low(2));
    let (b04, b26) = quad(low(4), low(6));
    let (a15, a37) = quad(high(0), high(2));
    let (b15, b37) = quad(high(4), high(6));
    let ((c0, c4), (c1, c5)) = (quad(a04, b04), quad(a15, b15));
    let ((c2, c6), (c3, c7)) = (quad(a26, b26), quad(a37, b37));
    [c0, c1, c2, c3, c4, c5, c6, c7]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::Tier;

    #[test]
    fn eight_rows_at_once_equal_one_by_one() {
        if Tier::detect() != Tier::Avx512 {
            return;
        }
        for count in 0..=35 {
            let mut rows: Vec<Row> = (0..count)
                .map(|i| {
                    Row(std::array::from_fn(|j| {
                        0x9e37_79b9u32.wrapping_mul(i * 16 + j as u32 + 1)
                    }))
                })
                .collect();
            let mut expected = rows.clone();
            items::hash_rows(&mut expected);
            // SAFETY: the tier's features, which are this function's, were just detected.
            unsafe { hash_rows(&mut rows) };
            assert_eq!(rows, expected, "{count} rows");
        }
    }
}
