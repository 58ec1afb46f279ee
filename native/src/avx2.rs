//! The AVX2 tier: the portable code compiled for it, and four keccaks at once.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use crate::cache::{self, Cache};
use crate::hashimoto::{Mix, Pages, mix_pages};
use crate::items;
use crate::keccak::{Lane, bytes_to_lanes, keccak_many, keccak512_lanes, keccak512_wide};
use crate::row::{FNV_PRIME, FastMod, Row};

/// Lanes of four states side by side.
///
/// Its methods are only ever compiled into functions that enable AVX2; only this module makes such
/// values, inside its functions.
#[derive(Clone, Copy)]
struct Four(__m256i);

impl Lane for Four {
    const WIDTH: usize = 4;
    #[inline(always)]
    fn gather(column: &[u64; 8]) -> Four {
        // SAFETY: as for `xor`; 32 bytes are readable, the load needs no alignment.
        Four(unsafe { _mm256_loadu_si256(column.as_ptr().cast()) })
    }
    #[inline(always)]
    fn scatter(self) -> [u64; 8] {
        let mut column = [0; 8];
        // SAFETY: as for `xor`; 32 bytes are writable, the store needs no alignment.
        unsafe { _mm256_storeu_si256(column.as_mut_ptr().cast(), self.0) };
        column
    }
    #[inline(always)]
    fn xor(self, other: Four) -> Four {
        // SAFETY: values of this type exist only where AVX2 is enabled.
        Four(unsafe { _mm256_xor_si256(self.0, other.0) })
    }
    #[inline(always)]
    fn chi(self, b: Four, c: Four) -> Four {
        // SAFETY: as for `xor`.
        Four(unsafe { _mm256_xor_si256(self.0, _mm256_andnot_si256(b.0, c.0)) })
    }
    #[inline(always)]
    fn rotate<const N: u32>(self) -> Four {
        // SAFETY: as for `xor`; counts are constants below 64 after inlining.
        Four(unsafe {
            let (left, right) = (
                _mm_cvtsi32_si128(N as i32),
                _mm_cvtsi32_si128(64 - N as i32),
            );
            _mm256_or_si256(
                _mm256_sll_epi64(self.0, left),
                _mm256_srl_epi64(self.0, right),
            )
        })
    }
    #[inline(always)]
    fn splat(bits: u64) -> Four {
        // SAFETY: as for `xor`.
        Four(unsafe { _mm256_set1_epi64x(bits.cast_signed()) })
    }
}

/// Dataset items, see [`items::compute`].
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn compute_items(cache: &Cache, numbers: &[u32], rows: &mut [Row]) {
    items::compute(
        cache,
        numbers,
        rows,
        |rows| hash_rows(rows),
        |row, line| mix_row(row, line),
    );
}

/// Mixes a line into a row, half by half: registers of 512 bits are no faster at this, and slower
/// where lines come from memory.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
pub(crate) fn mix_row(row: &mut Row, line: &Row) {
    let (row, line) = (
        std::ptr::from_mut(row).cast::<__m256i>(),
        std::ptr::from_ref(line).cast::<__m256i>(),
    );
    let prime = _mm256_set1_epi32(FNV_PRIME.cast_signed());
    // SAFETY: a row is two halves of 32 bytes, and begins at a multiple of 64.
    unsafe {
        let (low, high) = (_mm256_load_si256(row), _mm256_load_si256(row.add(1)));
        let (low, high) = (
            _mm256_mullo_epi32(low, prime),
            _mm256_mullo_epi32(high, prime),
        );
        _mm256_store_si256(row, _mm256_xor_si256(low, _mm256_load_si256(line)));
        _mm256_store_si256(
            row.add(1),
            _mm256_xor_si256(high, _mm256_load_si256(line.add(1))),
        );
    }
}

/// A light cache, see [`cache::fill`].
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn fill_cache(rows: &mut [Row], modulus: &FastMod, seed: &[u8; 32]) {
    let first = keccak512_lanes(&bytes_to_lanes::<4>(seed));
    cache::fill(rows, modulus, first, keccak512_lanes);
}

/// Accesses to a dataset, see [`mix_pages`].
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn mix(pages: &impl Pages, seeds: &[[u64; 8]], mixes: &mut [Mix]) {
    mix_pages(pages, seeds, mixes);
}

/// Digests of messages, see [`keccak_many`].
#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(crate) fn keccak<const N: usize, const M: usize>(
    rate: usize,
    messages: &[[u64; N]],
    digests: &mut [[u64; M]],
) {
    if messages.len() == 1 {
        keccak_many::<u64, N, M>(rate, messages, digests);
    } else {
        keccak_many::<Four, N, M>(rate, messages, digests);
    }
}

/// Keccak-512 of every row, four at a time, the rest one by one.
#[target_feature(enable = "avx2,bmi1,bmi2")]
#[inline]
fn hash_rows(rows: &mut [Row]) {
    let (groups, rest) = rows.as_chunks_mut::<4>();
    for group in groups {
        let words = group.map(|row| row.lanes());
        let mut lanes: [Four; 8] = std::array::from_fn(|w| {
            Four::gather(&[
                words[0][w],
                words[1][w],
                words[2][w],
                words[3][w],
                0,
                0,
                0,
                0,
            ])
        });
        keccak512_wide(&mut lanes);
        let columns = lanes.map(|lane| lane.scatter());
        for (i, row) in group.iter_mut().enumerate() {
            *row = Row::from_lanes(&columns.map(|column| column[i]));
        }
    }
    items::hash_rows(rest);
}
