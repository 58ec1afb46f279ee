//! Sizes and seeds of an epoch, as the Ethash specification defines them.
//!
//! Which height belongs to which epoch is a network rule and stays outside: callers give the epoch
//! that sets the sizes and, separately, how often the seed is hashed. They differ under ECIP-1099.

use crate::algorithm::{Algorithm, Kind};
use crate::keccak::keccak256_32;
use crate::status::Status;

/// The largest epoch that is served: a light cache of 528 MiB and a dataset of 33 GiB.
///
/// Heights reach it at 122 million (Ethash). The arithmetic would hold up to epoch 32,639, where
/// 64-byte dataset items stop fitting in 32 bits; the bound is about memory and build time.
pub const MAX_EPOCH: u32 = 4095;

/// The most rounds of keccak-256 behind a seed: two for each epoch of ECIP-1099.
pub const MAX_SEED_ROUNDS: u32 = 2 * (MAX_EPOCH + 1);

const CACHE_BYTES_INIT: u64 = 1 << 24;
const CACHE_BYTES_GROWTH: u64 = 1 << 17;
const DATASET_BYTES_INIT: u64 = 1 << 30;
const DATASET_BYTES_GROWTH: u64 = 1 << 23;
/// Bytes of a light cache item (HASH_BYTES of the specification).
pub const CACHE_ITEM_BYTES: u64 = 64;
/// Bytes of a dataset page, two 64-byte items (MIX_BYTES of the specification).
pub const DATASET_ITEM_BYTES: u64 = 128;

/// What tells contexts apart: the algorithm, how many items there are, and which seed the cache
/// grows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Its row in the table of algorithms.
    pub algorithm: &'static Algorithm,
    /// 64-byte items of the light cache; none without a dataset.
    pub cache_items: u32,
    /// 128-byte items of the dataset; none without one.
    pub dataset_items: u32,
    /// Times that 32 zero bytes go through keccak-256.
    pub seed_rounds: u32,
}

impl Shape {
    /// The shape of a real epoch; algorithms without epochs have epoch 0 only.
    pub fn of_epoch(
        algorithm: &'static Algorithm,
        size_epoch: u32,
        seed_rounds: u32,
    ) -> Result<Shape, Status> {
        let (cache_items, dataset_items) = match algorithm.kind {
            Kind::Direct(_) if size_epoch == 0 && seed_rounds == 0 => (0, 0),
            Kind::Hashimoto(_) if size_epoch <= MAX_EPOCH && seed_rounds <= MAX_SEED_ROUNDS => {
                (cache_items(size_epoch), dataset_items(size_epoch))
            }
            _ => return Err(Status::InvalidEpoch),
        };
        Ok(Shape {
            algorithm,
            cache_items,
            dataset_items,
            seed_rounds,
        })
    }

    /// A shape of any size up to epoch 0, for tests and for nodes in their test mode.
    pub fn of_items(
        algorithm: &'static Algorithm,
        cache_items_count: u32,
        dataset_items_count: u32,
        seed_rounds: u32,
    ) -> Result<Shape, Status> {
        if let Kind::Direct(_) = algorithm.kind {
            return Err(Status::Unsupported);
        }
        let cache_ok = (1..=cache_items(0)).contains(&cache_items_count);
        let dataset_ok = (1..=dataset_items(0)).contains(&dataset_items_count);
        if !cache_ok || !dataset_ok || seed_rounds > MAX_SEED_ROUNDS {
            return Err(Status::InvalidEpoch);
        }
        Ok(Shape {
            algorithm,
            cache_items: cache_items_count,
            dataset_items: dataset_items_count,
            seed_rounds,
        })
    }

    /// Bytes of the light cache.
    pub fn cache_bytes(&self) -> u64 {
        u64::from(self.cache_items) * CACHE_ITEM_BYTES
    }

    /// 64-byte rows of the full dataset.
    pub fn dataset_rows(&self) -> u64 {
        2 * u64::from(self.dataset_items)
    }

    /// Bytes of the full dataset.
    pub fn dataset_bytes(&self) -> u64 {
        u64::from(self.dataset_items) * DATASET_ITEM_BYTES
    }
}

/// Light cache items of an epoch: the largest prime that fits.
pub fn cache_items(epoch: u32) -> u32 {
    largest_prime((CACHE_BYTES_INIT + CACHE_BYTES_GROWTH * u64::from(epoch)) / CACHE_ITEM_BYTES)
}

/// 128-byte dataset items of an epoch: the largest prime that fits.
pub fn dataset_items(epoch: u32) -> u32 {
    let bytes = DATASET_BYTES_INIT + DATASET_BYTES_GROWTH * u64::from(epoch);
    largest_prime(bytes / DATASET_ITEM_BYTES)
}

/// 32 zero bytes through `rounds` rounds of keccak-256.
pub fn seed_hash(rounds: u32) -> [u8; 32] {
    let mut seed = [0; 32];
    for _ in 0..rounds {
        seed = keccak256_32(&seed);
    }
    seed
}

/// The specification asks for a prime strictly below the power-of-two count, which is even.
fn largest_prime(count: u64) -> u32 {
    let mut candidate = count - 1;
    while !is_prime(candidate) {
        candidate -= 1;
    }
    u32::try_from(candidate).expect("counts of supported epochs fit in 32 bits")
}

/// Trial division: 10 microseconds for the largest count, so no table of primes is needed.
fn is_prime(n: u64) -> bool {
    if n < 2 || n.is_multiple_of(2) {
        return n == 2;
    }
    (3..)
        .step_by(2)
        .take_while(|d| d * d <= n)
        .all(|d| !n.is_multiple_of(d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ethash, frkhash};

    #[test]
    fn sizes_are_those_of_the_specification() {
        // First and last rows of the tables in the Ethash specification (epochs 0, 1 and 2047).
        assert_eq!(u64::from(cache_items(0)) * 64, 16_776_896);
        assert_eq!(u64::from(cache_items(1)) * 64, 16_907_456);
        assert_eq!(u64::from(cache_items(2047)) * 64, 285_081_536);
        assert_eq!(u64::from(dataset_items(0)) * 128, 1_073_739_904);
        assert_eq!(u64::from(dataset_items(1)) * 128, 1_082_130_304);
        assert_eq!(u64::from(dataset_items(2047)) * 128, 18_245_220_736);
    }

    #[test]
    fn epochs_beyond_the_bound_are_refused() {
        let of_epoch = |epoch, rounds| Shape::of_epoch(&ethash::ALGORITHM, epoch, rounds);
        let of_items = |cache, dataset| Shape::of_items(&ethash::ALGORITHM, cache, dataset, 0);
        assert!(of_epoch(MAX_EPOCH, MAX_SEED_ROUNDS).is_ok());
        assert_eq!(of_epoch(MAX_EPOCH + 1, 0), Err(Status::InvalidEpoch));
        assert_eq!(of_epoch(0, MAX_SEED_ROUNDS + 1), Err(Status::InvalidEpoch));
        assert_eq!(of_items(0, 1), Err(Status::InvalidEpoch));
        assert_eq!(of_items(1, 0), Err(Status::InvalidEpoch));
        assert_eq!(of_items(u32::MAX, 1), Err(Status::InvalidEpoch));
    }

    #[test]
    fn algorithms_without_a_dataset_have_no_epochs() {
        let direct = &frkhash::ALGORITHM;
        assert_eq!(Shape::of_epoch(direct, 0, 0).unwrap().dataset_bytes(), 0);
        assert_eq!(Shape::of_epoch(direct, 1, 0), Err(Status::InvalidEpoch));
        assert_eq!(Shape::of_epoch(direct, 0, 1), Err(Status::InvalidEpoch));
        assert_eq!(Shape::of_items(direct, 1, 1, 0), Err(Status::Unsupported));
    }

    #[test]
    fn seed_of_epoch_one_is_keccak_of_zeros() {
        assert_eq!(seed_hash(0), [0; 32]);
        assert_eq!(seed_hash(1)[..4], [0x29, 0x0d, 0xec, 0xd9]);
    }
}
