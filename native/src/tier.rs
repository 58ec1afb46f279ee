//! The processor's tier, chosen once: the same kernels compiled for wider instruction sets.
//!
//! This is the seam for hand-written vector kernels: a tier may replace any of the two kernels as
//! long as the tests find it equal to the portable one.
#![allow(unsafe_code)]

use crate::cache::{self, Cache};
use crate::items;
use crate::row::{FastMod, Row};

/// Which build of the kernels runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The baseline of the target.
    Portable,
    /// x86-64 with AVX2 and BMI (Haswell and later, all Zen).
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Tier {
    /// The best tier of this processor; the standard library remembers the detection.
    #[inline]
    pub fn detect() -> Tier {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
        {
            return Tier::Avx2;
        }
        Tier::Portable
    }

    /// Computes dataset items, see [`items::compute`].
    #[inline]
    pub(crate) fn compute_items(self, cache: &Cache, numbers: &[u32], rows: &mut [Row]) {
        match self {
            Tier::Portable => items::compute(cache, numbers, rows),
            // SAFETY: `detect` gives this tier only when the processor has its features.
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => unsafe { compute_items_avx2(cache, numbers, rows) },
        }
    }

    /// Fills a light cache, see [`cache::fill`].
    pub(crate) fn fill_cache(self, rows: &mut [Row], modulus: &FastMod, seed: &[u8; 32]) {
        match self {
            Tier::Portable => cache::fill(rows, modulus, seed),
            // SAFETY: `detect` gives this tier only when the processor has its features.
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => unsafe { fill_cache_avx2(rows, modulus, seed) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn compute_items_avx2(cache: &Cache, numbers: &[u32], rows: &mut [Row]) {
    items::compute(cache, numbers, rows);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn fill_cache_avx2(rows: &mut [Row], modulus: &FastMod, seed: &[u8; 32]) {
    cache::fill(rows, modulus, seed);
}
