//! The processor's tier, chosen once: the same kernels for wider instruction sets.
//!
//! This is the seam for vector code: a tier may bring its own parts of a kernel as long as the
//! tests find it equal to the portable one.
#![allow(unsafe_code)]

use crate::cache::{self, Cache};
use crate::items;
use crate::row::{FastMod, Row};
#[cfg(target_arch = "x86_64")]
use crate::wide;

/// Which build of the kernels runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The baseline of the target.
    Portable,
    /// x86-64 with AVX2 and BMI (Haswell and later, all Zen): the portable code, compiled for it.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86-64 with AVX-512 (Skylake-X and later, Zen 4 and later): eight keccaks at once.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Tier {
    /// The tiers of this processor, best first.
    pub fn available() -> impl Iterator<Item = Tier> {
        Tier::ALL.iter().copied().filter(|tier| tier.is_available())
    }

    /// The best tier of this processor; the standard library remembers the detection.
    #[inline]
    pub fn detect() -> Tier {
        Tier::available().next().unwrap_or(Tier::Portable)
    }

    #[cfg(target_arch = "x86_64")]
    const ALL: &[Tier] = &[Tier::Avx512, Tier::Avx2, Tier::Portable];
    #[cfg(not(target_arch = "x86_64"))]
    const ALL: &[Tier] = &[Tier::Portable];

    /// Whether the processor has the features that this tier's functions enable.
    #[inline]
    fn is_available(self) -> bool {
        match self {
            Tier::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
            }
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512 => {
                Tier::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
            }
        }
    }

    /// Computes dataset items, see [`items::compute`].
    ///
    /// Panics when the tier is not one of this processor's.
    #[inline]
    pub(crate) fn compute_items(self, cache: &Cache, numbers: &[u32], rows: &mut [Row]) {
        assert!(self.is_available());
        match self {
            Tier::Portable => items::compute(cache, numbers, rows, items::hash_rows),
            // SAFETY: the processor has the features, as asserted above.
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => unsafe { compute_items_avx2(cache, numbers, rows) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512 => unsafe { compute_items_avx512(cache, numbers, rows) },
        }
    }

    /// Fills a light cache, see [`cache::fill`]; one chain of keccaks, which AVX-512 does not help.
    pub(crate) fn fill_cache(self, rows: &mut [Row], modulus: &FastMod, seed: &[u8; 32]) {
        assert!(self.is_available());
        match self {
            Tier::Portable => cache::fill(rows, modulus, seed),
            // SAFETY: the processor has the features, as asserted above; AVX-512 includes them.
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 | Tier::Avx512 => unsafe { fill_cache_avx2(rows, modulus, seed) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn compute_items_avx2(cache: &Cache, numbers: &[u32], rows: &mut [Row]) {
    items::compute(cache, numbers, rows, items::hash_rows);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,bmi1,bmi2")]
fn compute_items_avx512(cache: &Cache, numbers: &[u32], rows: &mut [Row]) {
    items::compute(cache, numbers, rows, |rows| wide::hash_rows(rows));
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn fill_cache_avx2(rows: &mut [Row], modulus: &FastMod, seed: &[u8; 32]) {
    cache::fill(rows, modulus, seed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::{Shape, seed_hash};
    use crate::items::CHAINS_MAX;

    #[test]
    fn every_tier_equals_the_portable_one() {
        let shape = Shape::of_items(1021, 4093, 2).unwrap();
        let cache = Cache::build(&shape).unwrap();
        let modulus = FastMod::new(shape.cache_items);
        for tier in Tier::available() {
            let mut rows = vec![Row::ZERO; shape.cache_items as usize];
            tier.fill_cache(&mut rows, &modulus, &seed_hash(2));
            assert!(rows == cache.rows(), "cache of {tier:?}");
            for count in (1..20).chain([63, 64, 65, CHAINS_MAX]) {
                let numbers: Vec<u32> = (0..count as u32).map(|i| i * 61 % 8186).collect();
                let mut expected = vec![Row::ZERO; count];
                Tier::Portable.compute_items(&cache, &numbers, &mut expected);
                let mut rows = vec![Row::ZERO; count];
                tier.compute_items(&cache, &numbers, &mut rows);
                assert!(rows == expected, "{count} items of {tier:?}");
            }
        }
    }
}
