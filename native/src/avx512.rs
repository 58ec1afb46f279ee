//! The AVX-512 tier: eight keccaks at once, and a single one in registers of 128 bits.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use crate::avx2;
use crate::cache::{self, Cache};
use crate::hashimoto::{Mix, Pages, mix_pages};
use crate::items;
use crate::keccak::{Lane, bytes_to_lanes, keccak_many, keccak512_lanes, keccak512_wide};
use crate::row::{FastMod, Row};

/// Rows of a group.
const EIGHT: usize = 8;

/// Lanes of eight states side by side.
///
/// Its methods are only ever compiled into functions that enable AVX-512; only this module makes
/// such values, inside its functions.
#[derive(Clone, Copy)]
struct Eight(__m512i);

impl Lane for Eight {
    const WIDTH: usize = 8;
    #[inline(always)]
    fn gather(column: &[u64; 8]) -> Eight {
        // SAFETY: as for `xor`; 64 bytes are readable, the load needs no alignment.
        Eight(unsafe { _mm512_loadu_si512(column.as_ptr().cast()) })
    }
    #[inline(always)]
    fn scatter(self) -> [u64; 8] {
        let mut column = [0; 8];
        // SAFETY: as for `xor`; 64 bytes are writable, the store needs no alignment.
        unsafe { _mm512_storeu_si512(column.as_mut_ptr().cast(), self.0) };
        column
    }
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

/// One lane of one state: AVX-512VL rotates and has ternary logic at 128 bits too, and there are 32
/// registers, so that a whole state stays in them.
#[derive(Clone, Copy)]
struct One(__m128i);

impl Lane for One {
    const WIDTH: usize = 1;
    #[inline(always)]
    fn gather(column: &[u64; 8]) -> One {
        // SAFETY: as for `Eight`; this one is SSE2, part of x86-64.
        One(unsafe { _mm_cvtsi64_si128(column[0].cast_signed()) })
    }
    #[inline(always)]
    fn scatter(self) -> [u64; 8] {
        // SAFETY: as for `gather`.
        let word = unsafe { _mm_cvtsi128_si64(self.0) };
        [word.cast_unsigned(), 0, 0, 0, 0, 0, 0, 0]
    }
    #[inline(always)]
    fn xor(self, other: One) -> One {
        // SAFETY: as for `gather`.
        One(unsafe { _mm_xor_si128(self.0, other.0) })
    }
    #[inline(always)]
    fn chi(self, b: One, c: One) -> One {
        // SAFETY: as for `Eight`, with AVX-512VL.
        One(unsafe { _mm_ternarylogic_epi64::<0xd2>(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn rotate<const N: u32>(self) -> One {
        // SAFETY: as for `chi`.
        One(unsafe { _mm_rolv_epi64(self.0, _mm_set1_epi64x(i64::from(N))) })
    }
    #[inline(always)]
    fn splat(bits: u64) -> One {
        // SAFETY: as for `gather`.
        One(unsafe { _mm_set1_epi64x(bits.cast_signed()) })
    }
}

/// Dataset items, see [`items::compute`].
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2")]
pub(crate) fn compute_items(cache: &Cache, numbers: &[u32], rows: &mut [Row]) {
    if numbers.len() < EIGHT {
        // Nothing to hash eight at a time, and the narrower registers answer sooner.
        return avx2::compute_items(cache, numbers, rows);
    }
    items::compute(
        cache,
        numbers,
        rows,
        |rows| hash_rows(rows),
        |row, line| avx2::mix_row(row, line),
    );
}

/// A light cache, see [`cache::fill`].
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2")]
pub(crate) fn fill_cache(rows: &mut [Row], modulus: &FastMod, seed: &[u8; 32]) {
    let first = keccak512_lanes(&bytes_to_lanes::<4>(seed));
    cache::fill(rows, modulus, first, |lanes: &[One; 8]| {
        let mut lanes = *lanes;
        keccak512_wide(&mut lanes);
        lanes
    });
}

/// Accesses to a dataset, see [`mix_pages`].
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2")]
pub(crate) fn mix(pages: &impl Pages, seeds: &[[u64; 8]], mixes: &mut [Mix]) {
    mix_pages(pages, seeds, mixes);
}

/// Digests of messages, see [`keccak_many`].
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2")]
pub(crate) fn keccak<const N: usize, const M: usize>(
    rate: usize,
    messages: &[[u64; N]],
    digests: &mut [[u64; M]],
) {
    if messages.len() == 1 {
        keccak_many::<One, N, M>(rate, messages, digests);
    } else {
        keccak_many::<Eight, N, M>(rate, messages, digests);
    }
}

/// Keccak-512 of every row, eight at a time, the rest one by one.
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2")]
#[inline]
fn hash_rows(rows: &mut [Row]) {
    let (groups, rest) = rows.as_chunks_mut::<EIGHT>();
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
