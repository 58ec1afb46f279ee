//! The processor's tier: the same kernels for wider instruction sets.
//!
//! This is the seam for vector code: a tier may bring its own parts of a kernel as long as the
//! tests find it equal to the portable one. The best tier is chosen when the library is first used;
//! the environment variable `QUARRY_ETHASH_TIER` forces another one.
#![allow(unsafe_code)]

use std::sync::LazyLock;

#[cfg(target_arch = "x86_64")]
use crate::avx2;
#[cfg(target_arch = "x86_64")]
use crate::avx512;
use crate::cache::{self, Cache};
use crate::hashimoto::{self, Mix, Pages};
use crate::items;
use crate::keccak::{bytes_to_lanes, keccak_many, keccak512_lanes};
use crate::row::{FastMod, Row};
use crate::status::Status;

/// Forces a tier: `portable`, `avx2` or `avx512`; empty or absent means the best one.
pub const TIER_VARIABLE: &str = "QUARRY_ETHASH_TIER";

/// Which build of the kernels runs. A value of this type is a tier that the processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The baseline of the target.
    Portable,
    /// x86-64 with AVX2 and BMI (Haswell and later, all Zen): four keccaks at once.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86-64 with AVX-512 (Skylake-X and later, Zen 4 and later): eight keccaks at once.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kind {
    #[cfg(target_arch = "x86_64")]
    const ALL: &[Kind] = &[Kind::Avx512, Kind::Avx2, Kind::Portable];
    #[cfg(not(target_arch = "x86_64"))]
    const ALL: &[Kind] = &[Kind::Portable];

    fn name(self) -> &'static str {
        match self {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Whether the processor has the features that this tier's functions enable.
    fn is_available(self) -> bool {
        match self {
            Kind::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
            }
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => {
                Kind::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
            }
        }
    }
}

static CHOSEN: LazyLock<Result<Tier, Status>> = LazyLock::new(|| {
    let forced = std::env::var_os(TIER_VARIABLE).filter(|name| !name.is_empty());
    match forced {
        None => Ok(Tier::best()),
        Some(name) => Tier::named(name.to_str().unwrap_or_default()),
    }
});

impl Tier {
    /// The baseline of the target, which every processor has.
    pub const PORTABLE: Tier = Tier(Kind::Portable);

    /// The tiers of this processor, best first.
    pub fn available() -> impl Iterator<Item = Tier> {
        let kinds = Kind::ALL.iter().copied();
        kinds.filter(|kind| kind.is_available()).map(Tier)
    }

    /// The best tier of this processor.
    pub fn best() -> Tier {
        Tier::available().next().unwrap_or(Tier::PORTABLE)
    }

    /// The tier that the process uses: the forced one, else the best.
    ///
    /// [`Status::TierUnavailable`] when a tier is forced that does not exist or that the processor
    /// does not have.
    pub fn chosen() -> Result<Tier, Status> {
        *CHOSEN
    }

    /// The tier of a name.
    pub fn named(name: &str) -> Result<Tier, Status> {
        let mut available = Tier::available();
        available
            .find(|tier| tier.name() == name)
            .ok_or(Status::TierUnavailable)
    }

    /// The tier's name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Computes dataset items, see [`items::compute`].
    #[inline]
    pub(crate) fn compute_items(self, cache: &Cache, numbers: &[u32], rows: &mut [Row]) {
        match self.0 {
            Kind::Portable => items::compute(cache, numbers, rows, items::hash_rows, Row::mix),
            // SAFETY: the processor has the features, as for every `Tier`.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { avx2::compute_items(cache, numbers, rows) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { avx512::compute_items(cache, numbers, rows) },
        }
    }

    /// Fills a keccak light cache, see [`cache::fill`].
    pub(crate) fn fill_cache(self, rows: &mut [Row], modulus: &FastMod, seed: &[u8; 32]) {
        match self.0 {
            Kind::Portable => {
                let first = keccak512_lanes(&bytes_to_lanes::<4>(seed));
                cache::fill(rows, modulus, first, keccak512_lanes);
            }
            // SAFETY: the processor has the features, as for every `Tier`.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { avx2::fill_cache(rows, modulus, seed) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { avx512::fill_cache(rows, modulus, seed) },
        }
    }

    /// Goes through the accesses of a pass, see [`hashimoto::mix_pages`].
    #[inline]
    pub(crate) fn mix_pages(self, pages: &impl Pages, seeds: &[[u64; 8]], mixes: &mut [Mix]) {
        match self.0 {
            Kind::Portable => hashimoto::mix_pages(pages, seeds, mixes),
            // SAFETY: the processor has the features, as for every `Tier`.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { avx2::mix(pages, seeds, mixes) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { avx512::mix(pages, seeds, mixes) },
        }
    }

    /// Digests of messages of whole lanes, see [`keccak_many`].
    #[inline]
    pub(crate) fn keccak<const N: usize, const M: usize>(
        self,
        rate: usize,
        messages: &[[u64; N]],
        digests: &mut [[u64; M]],
    ) {
        match self.0 {
            Kind::Portable => keccak_many::<u64, N, M>(rate, messages, digests),
            // SAFETY: the processor has the features, as for every `Tier`.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { avx2::keccak(rate, messages, digests) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { avx512::keccak(rate, messages, digests) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epoch::{Shape, seed_hash};
    use crate::ethash;
    use crate::items::CHAINS_MAX;
    use crate::keccak::{KECCAK256_RATE, KECCAK512_RATE, keccak256_lanes};

    #[test]
    fn every_tier_equals_the_portable_one() {
        let shape = Shape::of_items(&ethash::ALGORITHM, 1021, 4093, 2).unwrap();
        let cache = Cache::build(&shape, Tier::PORTABLE).unwrap();
        let modulus = FastMod::new(shape.cache_items);
        for tier in Tier::available() {
            let mut rows = vec![Row::ZERO; shape.cache_items as usize];
            tier.fill_cache(&mut rows, &modulus, &seed_hash(2));
            assert!(rows == cache.rows(), "cache of {tier:?}");
            for count in (1..20).chain([63, 64, 65, CHAINS_MAX]) {
                let numbers: Vec<u32> = (0..count as u32).map(|i| i * 61 % 8186).collect();
                let mut expected = vec![Row::ZERO; count];
                Tier::PORTABLE.compute_items(&cache, &numbers, &mut expected);
                let mut rows = vec![Row::ZERO; count];
                tier.compute_items(&cache, &numbers, &mut rows);
                assert!(rows == expected, "{count} items of {tier:?}");
            }
        }
    }

    #[test]
    fn every_tier_hashes_many_messages_as_one_by_one() {
        let words = |i: usize, j: usize| 0x9e37_79b9_7f4a_7c15u64.wrapping_mul((12 * i + j) as u64);
        for tier in Tier::available() {
            for count in 1..=20 {
                let long: Vec<[u64; 12]> = (0..count)
                    .map(|i| std::array::from_fn(|j| words(i, j)))
                    .collect();
                let short: Vec<[u64; 5]> = (0..count)
                    .map(|i| std::array::from_fn(|j| words(i, j)))
                    .collect();
                let (mut narrow, mut wide) = (vec![[0; 4]; count], vec![[0; 8]; count]);
                tier.keccak(KECCAK256_RATE, &long, &mut narrow);
                tier.keccak(KECCAK512_RATE, &short, &mut wide);
                for i in 0..count {
                    assert_eq!(
                        narrow[i],
                        keccak256_lanes(&long[i]),
                        "{tier:?}, {i} of {count}"
                    );
                    assert_eq!(
                        wide[i],
                        keccak512_lanes(&short[i]),
                        "{tier:?}, {i} of {count}"
                    );
                }
            }
        }
    }

    #[test]
    fn tiers_have_names_and_unknown_ones_a_code() {
        for tier in Tier::available() {
            assert_eq!(Tier::named(tier.name()), Ok(tier));
        }
        assert_eq!(Tier::named("sse9"), Err(Status::TierUnavailable));
        assert_eq!(Tier::named("AVX2"), Err(Status::TierUnavailable));
    }
}
